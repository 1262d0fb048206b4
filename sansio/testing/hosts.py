"""What the servers in the scenario of `chaos.py` do: they answer, and speak when spoken to.

This module does not know when they are stopped and started.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConnectionRefused, Disconnected
from ..socketio.acks import Ack
from ..socketio.app import App
from ..socketio.namespace import Namespace
from ..socketio.socket import Socket
from .ledger import Sequence

if TYPE_CHECKING:
    from .chaos import Chaos

NAMESPACES: Final = ("/", "/b")


class Hosts:
    """The handlers of every server."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._simulation = chaos.simulation
        self._random = chaos.random
        self._news = 0

    def set_up(self, app: App) -> None:
        """Register the handlers."""
        for name in NAMESPACES:
            self._set_up_namespace(app.of(name))

    def _set_up_namespace(self, namespace: Namespace) -> None:
        random, simulation = self._random, self._simulation

        @namespace.use
        async def admit(socket: Socket, auth: dict[str, Any]) -> None:
            lot = random.random()
            if lot < 0.2:
                await simulation.sleep(lot * 20)
            elif self._chaos.storming and lot < 0.23:
                raise ConnectionRefused("by lot")

        @namespace.on("connect")
        def connect(socket: Socket) -> None:
            name: str = socket.handshake.auth["member"]
            member = self._chaos.members.get(name)
            socket.data["member"] = name
            socket.join("everybody")
            if member is not None:
                member.down[socket.id] = Sequence(
                    f"{member.name} down {socket.id}", self._chaos.fail, again=False
                )
            simulation.spawn(partial(self._greet, socket))

        @namespace.on("up")
        def up(socket: Socket, number: int, *rest: Any) -> None:
            member = self._chaos.members.get(socket.data["member"])
            self._chaos.deliveries += 1
            if member is not None:
                member.up.arrive(number, socket.id)
                self._speak(namespace, socket)

        @namespace.on("question")
        def question(socket: Socket, number: int, ack: Ack) -> None:
            if not self._chaos.storming or random.random() < 0.9:
                ack(number)

        @namespace.on("slow")
        async def slow(socket: Socket, number: int) -> int:
            await simulation.sleep(random.uniform(0, 3))
            return number

        @namespace.on("volatile")
        def volatile(socket: Socket, number: int) -> None:
            socket.volatile.emit("volatile", number)

    def _speak(self, namespace: Namespace, socket: Socket) -> None:
        """The server says something, to whom it has just heard or to everybody."""
        lot = self._random.random()
        if lot < 0.5:
            self.send_down(socket)
        elif lot < 0.6:
            number = self._chaos.questions.ask(str(socket))
            socket.emit("question", number, ack=lambda *v: self._chaos.questions.answer(number, *v))
        elif lot < 0.7:
            self._simulation.spawn(lambda: self._call(socket))
        elif lot < 0.85 and self._random.random() * self._chaos.size.clients < 5:
            self._news += 1
            namespace.to("everybody").emit("news", self._news)
        elif lot < 0.9:
            self._ask_everybody(namespace)
        elif lot < 0.92 and self._chaos.storming:
            socket.disconnect(close=self._random.random() < 0.5)

    def _ask_everybody(self, namespace: Namespace) -> None:
        """A question to all, of whom each answers once or not at all."""
        number = self._chaos.questions.ask("everybody")
        asked = len(namespace.sockets)

        def told(error: Exception | None, answers: list[Any]) -> None:
            if set(answers) - {number} or len(answers) > asked:
                self._chaos.fail(
                    f"question {number} to {asked} sockets was answered with {answers}"
                )
            self._chaos.questions.answer(number, number)

        namespace.to("everybody").timeout(5.0).emit("question", number, ack=told)

    async def _greet(self, socket: Socket) -> None:
        """Say a lot at once to whoever is new: so there is something to carry in an upgrade."""
        for _ in range(self._random.randrange(12)):
            self.send_down(socket)
            await self._simulation.sleep(self._random.expovariate(20))

    def send_down(self, socket: Socket) -> None:
        """Send the next number to a socket."""
        member = self._chaos.members.get(socket.data["member"])
        if member is not None and socket.connected:
            sequence = member.down[socket.id]
            socket.emit("down", socket.id, sequence.next(), *self._chaos.ballast())
            sequence.count()

    async def _call(self, socket: Socket) -> None:
        number = self._chaos.questions.ask(str(socket))
        self._chaos.waiting[number] = socket.connection.session.peer.home
        try:
            value = await socket.call(
                self._random.choice(("question", "slow")),
                number,
                timeout=self._random.choice((10.0, None)),
            )
        except (TimeoutError, Disconnected):
            return
        finally:
            del self._chaos.waiting[number]
        self._chaos.questions.answer(number, value)
