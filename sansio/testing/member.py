"""One socket of a client in the scenario of `chaos.py`: what it sends, gets and is told.

This module does not know when it acts, nor what the server does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import LocalProtocolError
from ..socketio.client.app import ClientApp
from ..socketio.client.socket import ClientSocket
from .ledger import Increasing, Sequence

if TYPE_CHECKING:
    from .chaos import Chaos


class Member:
    """One socket of a client in the scenario, and what it has sent and got."""

    def __init__(self, chaos: Chaos, client: ClientApp, name: str, namespace: str) -> None:
        fail = chaos.fail
        again = client.config.retries > 0
        self.name: str = f"{name}{namespace}"
        self.client = client
        self._process = chaos.simulation.process(client)
        self.chaos = chaos
        self.up: Sequence = Sequence(f"{self.name} up", fail, again=again)
        self.down: dict[str, Sequence] = {}
        """By the ids of the server's sockets."""
        self.news: Increasing = Increasing(f"{self.name} news", fail)
        self.told: str = ""
        """Why it is not active, if it is not."""
        self._stays: list[str] = []
        """The ids of the server's sockets that have spoken, one for each stay."""
        self._is_new: bool = True
        """Whether nobody has spoken yet since it was let in."""
        self._taken: int = 0
        """Where among the stays that is whose event was iterated over last."""
        self.socket: ClientSocket = client.socket(namespace, auth={"member": self.name})
        if chaos.random.random() < 0.3:
            self.socket.on_any(self._came)
            chaos.simulation.spawn(self._iterate)
        else:
            self.socket.on("down", self._heard)
        self.socket.on("news", self.news.arrive)
        self.socket.on("question", self._question)
        self.socket.on("slow", self._slow)
        self.socket.on("connect", self._joined)
        self.socket.on("disconnect", self._gone)
        self.socket.on("connect_error", self._refused)
        self.socket.connect()

    def _heard(self, sid: str, number: int, *_: object) -> None:
        self._belongs(sid)
        self._down(sid, number)

    def _came(self, name: str, *args: Any) -> None:
        """Whoever iterates learns in which stay an event has come from this alone."""
        if name == "down":
            self._belongs(args[0])

    def _belongs(self, sid: str) -> None:
        """What comes in one stay was sent to that one, and to none before it."""
        if self._is_new and sid not in self._stays:
            self._is_new = False
            self._stays.append(sid)
        elif self._is_new or sid != self._stays[-1]:
            self.chaos.fail(f"{self.name} hears in one stay what was sent to another")

    def _take(self, sid: str, number: int, *_: object) -> None:
        """An iteration may lag behind, but goes through the stays in their order."""
        if sid not in self._stays[self._taken :]:
            self.chaos.fail(f"{self.name} takes what has come in a stay before the last one taken")
        else:
            self._taken = self._stays.index(sid)
        self._down(sid, number)

    def _down(self, sid: str, number: int) -> None:
        self.down[sid].arrive(number, sid)

    async def _iterate(self) -> None:
        """Take what has no listener one by one, and not always at once."""
        while self._process.alive and not self.client.is_shut:
            async for event in self.socket:
                if event.name == "down":
                    self._take(*event.args)
                if self.chaos.storming and self.chaos.random.random() < 0.1:
                    await self.chaos.simulation.sleep(self.chaos.random.uniform(0, 3))
            await self.chaos.simulation.sleep(0.1)

    def _question(self, number: int) -> int:
        return number

    async def _slow(self, number: int) -> int:
        await self.chaos.simulation.sleep(self.chaos.random.uniform(0, 3))
        return number

    def _joined(self) -> None:
        self.chaos.simulation.note(f"{self.name} is let in")
        self._is_new = True
        if not self.up.again:
            for _ in range(self.chaos.random.randrange(4)):
                self._send_up()

    def _send_up(self) -> None:
        self.socket.emit("up", self.up.next(), *self.chaos.ballast())
        self.up.count()

    def _gone(self, reason: str) -> None:
        self.chaos.simulation.note(f"{self.name} is told: {reason}")
        self.told = reason

    def _refused(self, error: Exception) -> None:
        self.chaos.simulation.note(f"{self.name} is told: {error!r}")
        self.told = str(error)

    def act(self) -> None:
        """Do something; a full buffer is no fault of anybody's."""
        random, socket, chaos = self.chaos.random, self.socket, self.chaos
        questions = chaos.questions
        lot = random.random()
        try:
            if lot < 0.5:
                for _ in range(random.choice((1, 1, 1, 5))):
                    self._send_up()
            elif lot < 0.65:
                number = questions.ask(self.name)
                name = random.choice(("question", "slow"))
                seconds = random.choice((0.5, 5.0, 50.0))
                socket.timeout(seconds).emit(
                    name, number, ack=lambda *args: self._answered(number, *args)
                )
            elif lot < 0.75:
                number = questions.ask(self.name)
                socket.emit(
                    "question", number, ack=lambda *values: questions.answer(number, *values)
                )
            elif lot < 0.85:
                chaos.simulation.spawn(
                    lambda: self.call(random.choice((random.uniform(0.1, 20), None)))
                )
            elif lot < 0.9:
                socket.volatile.emit("volatile", self.up.sent)
            elif lot < 0.95 and not self.client.config.retries:
                chaos.simulation.note(f"{self.name} leaves")
                socket.disconnect()
            if not socket.active:
                self.join()
        except LocalProtocolError as error:
            if "wait to be sent" not in str(error) and "are pending" not in str(error):
                raise

    def _answered(self, number: int, error: object, *values: object) -> None:
        if error is None:
            self.chaos.questions.answer(number, *values)

    async def call(self, seconds: float | None) -> None:
        """Ask, and wait; it may be in vain."""
        number = self.chaos.questions.ask(self.name)
        self.chaos.waiting[number] = self._process
        try:
            value = await self.socket.call("question", number, timeout=seconds)
        except Exception as error:
            self.chaos.simulation.note(f"{self.name} asks in vain: {type(error).__name__}")
            if isinstance(error, LocalProtocolError | AssertionError | TypeError):
                raise
            return
        finally:
            del self.chaos.waiting[number]
        self.chaos.questions.answer(number, value)

    def join(self) -> None:
        """Ask to be let in again, which nobody else does (rule 85)."""
        if not self.told and self.socket.reason is None:
            self.chaos.fail(f"{self.name} is not active, and was not told why")
        self.told = ""
        self.socket.connect()
