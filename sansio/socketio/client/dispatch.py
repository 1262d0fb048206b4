"""From what happens to a client to its listeners, and to who iterates over a socket.

How listeners are called, and where their exceptions end, is `boundary.py`'s matter.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..boundary import Answer, Boundary
from ..listeners import Registry
from .events import Connected, ConnectFailed, Disconnected, EventReceived

if TYPE_CHECKING:
    from .events import SocketEvent
    from .socket import ClientSocket


class ClientDispatch(Boundary["ClientSocket"]):
    """Calls the listeners of all sockets of a client."""

    __slots__ = ()

    # For the mailbox

    def waits(self, event: SocketEvent) -> bool:
        """Whether any function that the event concerns is a coroutine function."""
        registry = event.socket.registry
        if isinstance(event, EventReceived):
            return registry.waits(event.name)
        return registry.events.wait(name_of(event))

    def concurrency(self, event: SocketEvent) -> int:
        """How many events of its socket may be with their listeners together with this one."""
        if not isinstance(event, EventReceived):
            return 1
        handlers = event.socket.registry.events.get(event.name)
        return max((handler.concurrency for handler in handlers), default=1)

    async def handle(self, event: SocketEvent) -> None:
        """Call the listeners; raises no Exception, and awaits only what waits in them."""
        socket = event.socket
        if isinstance(event, EventReceived):
            await self._received(event)
        elif isinstance(event, Connected):
            await self._tell(socket, "connect")
        elif isinstance(event, ConnectFailed):
            await self._tell(socket, "connect_error", event.error)
        else:
            await self._disconnected(event)
        if isinstance(event, ConnectFailed | Disconnected) and event.final and not socket.active:
            socket.membership.inbox.close()

    def done(self, event: SocketEvent) -> None:
        """The listeners of an event have ended: more may come."""
        if isinstance(event, EventReceived):
            event.stay.intake.handled(event.size)

    def last(self, event: SocketEvent) -> bool:
        """Whether it tells of the end of a connection."""
        return isinstance(event, Disconnected)

    def by_hand(self, socket: ClientSocket) -> bool:
        """Whether what is called now for this socket is called without a task."""
        return not socket.mailbox.busy

    # Events

    async def _received(self, event: EventReceived) -> None:
        socket, name = event.socket, event.name
        if event.stay.left:
            return
        answer = answer_of(event)
        heard = bool(socket.registry.events.get(name))
        await self.handle_event(callers(socket.registry), socket, name, event.args, answer)
        if not heard:
            socket.membership.inbox.put(event)

    async def _disconnected(self, event: Disconnected) -> None:
        """A listener that takes a second argument gets the details too."""
        socket = event.socket
        for handler in socket.registry.events.get("disconnect"):
            if not handler.once or socket.registry.events.take("disconnect", handler):
                both = (event.reason, event.details)
                args = both if handler.takes(2) else both[:1]
                await self.call(handler, args, socket, "disconnect")

    async def _tell(self, socket: ClientSocket, name: str, *args: Any) -> None:
        await self.lifecycle(callers(socket.registry), socket, name, *args)


def callers(registry: Registry) -> list[tuple[Registry, tuple[Any, ...]]]:
    """Where listeners of a socket are: on itself alone."""
    return [(registry, ())]


def name_of(event: Connected | ConnectFailed | Disconnected) -> str:
    """What the application calls it."""
    if isinstance(event, Connected):
        return "connect"
    return "disconnect" if isinstance(event, Disconnected) else "connect_error"


def answer_of(event: EventReceived) -> Answer:
    """The acknowledgement of an event."""
    if event.ack is None:
        return Answer(None)
    return Answer(partial(event.socket.reply, event.stay, event.ack))
