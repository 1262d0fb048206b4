"""The application's word on a request, before it is served: middleware, and `allow_request`.

This module does not know what is done with a request that is let in, nor how one that
is not is answered. What waits runs as a task of the session's home, has a deadline, and
is cancelled with its request (security rules T12 and T13).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..config import EngineConfig
from ..errors import RequestRejected
from ..handlers import Function, Handler
from ..mailbox import run_to_end
from ..request import Request
from ..runtime import Runtime
from ..timers import Timer, Timers
from .cors import Headers
from .handshake import Code, RequestRefused, verify_request
from .http_answers import check_headers

if TYPE_CHECKING:
    from .session import Session

MIDDLEWARE_FAILURE: Final = "MIDDLEWARE_FAILURE"


class Ticket:
    """One request, and what has been decided of it."""

    __slots__ = ("_cancel", "_done", "_timer", "_timers", "headers", "over", "refused", "settled")

    def __init__(self, timers: Timers, done: Callable[[float], None]) -> None:
        self.settled: bool = False
        """Whether it has been decided."""
        self.refused: RequestRefused | None = None
        """Why the request may not be served; None for one that may, once it is settled."""
        self.headers: Headers = ()
        """What the middleware adds to the answer, once all of it has been asked."""
        self._timers = timers
        self._timer: Timer | None = None
        self._done = done
        self.over: bool = False
        """Whether it has been decided, or nobody waits for it any more."""
        self._cancel: Callable[[], None] | None = None

    def check(self) -> None:
        """Raise RequestRefused for a request that may not be served."""
        if self.refused is not None:
            raise self.refused

    def wait(self, deadline: float, cancel: Callable[[], None]) -> None:
        """It is not decided yet; `cancel` ends the task that will."""
        if not self.over:
            self._cancel = cancel
            self._timer = self._timers.at(deadline, self._expire)

    def settle(self, refused: RequestRefused | None) -> None:
        """It is decided; whoever had to wait for it is told soon, with the time."""
        if self.over:
            return
        self.over = self.settled = True
        self.refused = refused
        self._cancel = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._timers.after(0.0, self._done)

    def cancel(self) -> None:
        """Nobody waits for it any more; idempotent."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()

    def _expire(self, now: float) -> None:
        self.cancel()
        self.settled = True
        self.refused = RequestRefused(
            Code.BAD_REQUEST,
            "Service unavailable",
            status=503,
            name="ADMISSION_TIMEOUT",
        )
        self._done(now)


class Admission:
    """What an application has registered to be asked about the requests of an engine."""

    def __init__(
        self,
        config: EngineConfig,
        sessions: Mapping[str, Session],
        timers: Timers,
        runtime: Runtime,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._timers = timers
        self._runtime = runtime
        self._middleware: tuple[Handler, ...] = ()
        self._free = Ticket(timers, lambda now: None)
        """That of every request about which there is nobody to be asked."""
        self._free.settle(None)
        self._allow = None
        if config.allow_request is not None:
            self._allow = taking("allow_request", config.allow_request, 1)

    @property
    def has_middleware(self) -> bool:
        """Whether every request is asked about, and not only those that shake hands."""
        return bool(self._middleware)

    def use(self, function: Function) -> None:
        """Register a middleware: called with the request and the list of headers to add to.

        Raises TypeError for what cannot be called so.
        """
        self._middleware = (*self._middleware, taking("use", function, 2))

    def ask(
        self, request: Request, home: object, now: float, done: Callable[[float], None]
    ) -> Ticket:
        """Ask about a request; `done` is called with the time if the ticket is not settled yet.

        Rule 1: middleware comes before everything, `allow_request` after all checks but that
        of the protocol's version.
        """
        allow = self._allow if shakes_hands(request) else None
        asked = self._middleware if allow is None else (*self._middleware, allow)
        if not asked:
            return self._free
        ticket = Ticket(self._timers, done)
        if any(handler.is_async for handler in asked):
            ticket.wait(
                now + self._config.admission_timeout,
                self._runtime.spawn_cancellable(
                    lambda: self._decide(ticket, bodiless(request), allow), home, nothing
                ),
            )
        else:
            run_to_end(self._decide(ticket, bodiless(request), allow))
        return ticket

    async def _decide(self, ticket: Ticket, request: Request, allow: Handler | None) -> None:
        """Settle the ticket; raises no Exception, and awaits only what the application wrote."""
        headers: list[tuple[str, str]] = []
        refused: RequestRefused | None = None
        try:
            try:
                for middleware in self._middleware:
                    await call(middleware, request, headers)
                    if ticket.over:
                        return
            except RequestRejected as rejected:
                code = Code.FORBIDDEN if rejected.status == 403 else Code.BAD_REQUEST
                refused = RequestRefused(
                    code, rejected.message, status=rejected.status, name=MIDDLEWARE_FAILURE
                )
            check_headers(headers)
        except Exception as error:
            self._failed(ticket, MIDDLEWARE_FAILURE, error)
            return
        ticket.headers = tuple(headers)
        if refused is None and allow is not None:
            await self._allowed(ticket, request, allow)
        else:
            ticket.settle(refused)

    async def _allowed(self, ticket: Ticket, request: Request, allow: Handler) -> None:
        try:
            verify_request(request, self._config, self._sessions)
        except RequestRefused as refused:
            ticket.settle(refused)
            return
        try:
            verdict = await call(allow, request)
            if not (verdict is None or isinstance(verdict, bool | str)):
                raise TypeError(f"allow_request: expected True, False or a str, got {verdict!r}")
        except Exception as error:
            self._failed(ticket, "ALLOW_REQUEST_FAILURE", error)
        else:
            if verdict is None or verdict is True:
                ticket.settle(None)
            else:
                message = verdict or None
                ticket.settle(RequestRefused(Code.FORBIDDEN, message, message=message))

    def _failed(self, ticket: Ticket, name: str, error: Exception) -> None:
        ticket.settle(RequestRefused(Code.BAD_REQUEST, name=name, error=error))
        self._runtime.log(f"{name}: a request is refused", error)


async def call(handler: Handler, *args: object) -> Any:
    """Call a function, and wait for it if it is a coroutine function."""
    value = handler.function(*args)
    return await value if handler.is_async else value


def taking(name: str, function: Function, count: int) -> Handler:
    """The function, looked at; raises TypeError for one that does not take so many arguments."""
    handler = Handler(function)
    if not handler.takes(count):
        raise TypeError(f"{name}: {function!r} takes other arguments")
    return handler


def shakes_hands(request: Request) -> bool:
    """Whether the request wants to open a session."""
    return request.method == "GET" and "sid" not in request.query


def bodiless(request: Request) -> Request:
    """The request as the application sees it: what is in its body is not for its eyes."""
    return request.with_body(b"") if request.body else request


def nothing() -> None:
    """Nobody has to be told that a task has ended."""
