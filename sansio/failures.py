"""Where exceptions of handlers and middleware end: in the application's hook, or in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .errors import RemoteProtocolError
from .handlers import check_plain
from .runtime import Runtime

S = TypeVar("S")

OnError = Callable[[Exception, S, str, tuple[Any, ...]], object]


class WrongArguments(RemoteProtocolError):
    """A client sent an event with more or fewer arguments than its handler takes."""


class Failures(Generic[S]):
    """Reports exceptions; `hook`, when set, gets them instead of the log.

    Setting it raises TypeError for what is no plain function of four arguments.

    What a client alone has caused is logged as INFO, so that no client can fill the
    log of errors (security rule 34).
    """

    __slots__ = ("_hook", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hook: OnError[S] | None = None

    @property
    def hook(self) -> OnError[S] | None:
        """Called with the exception, the socket, the name of the event and its arguments."""
        return self._hook

    @hook.setter
    def hook(self, hook: OnError[S]) -> None:
        check_plain("on_error", hook, 4)
        self._hook = hook

    def report(self, error: Exception, socket: S, event: str, args: tuple[Any, ...]) -> None:
        """Report what was raised for an event of this socket; raises no Exception."""
        if self._hook is not None:
            try:
                self._hook(error, socket, event, args)
            except Exception as failure:
                self._runtime.log(f"on_error failed for event {event!a} of {socket!r}", failure)
        elif isinstance(error, WrongArguments):
            self._runtime.log(f"{error}: {socket!r}", None)
        else:
            self._runtime.log(f"handler failed for event {event!a} of {socket!r}", error)
