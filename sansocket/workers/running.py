"""One server in this process, on the loop of its backend, until it is told to end."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sansocket.sansio.backend import GRACE
from sansocket.sansio.bound import Bound

from .application import is_asyncio, is_trio

if TYPE_CHECKING:
    import asyncio

    import trio

    from .application import AsyncioServer, Server, TrioServer

Ready = Callable[[Bound], None]


@dataclass(frozen=True, kw_only=True)
class Running:
    """How a server is run, whatever its backend."""

    host: str | None
    port: int
    signals: Collection[signal.Signals]
    """Those that end it in good order."""
    ready: Ready
    """Called with the Bound when the server listens."""
    ssl_context: ssl.SSLContext | None = None
    grace: float = GRACE
    leash: socket.socket | None = None
    """It ends as well once this can be read from."""
    uvloop: bool = False
    """Whether a server of asyncio runs on uvloop."""

    def run(self, server: Server) -> None:
        """Serve until told to end; raises OSError when it cannot listen."""
        if is_trio(server):
            self._on_trio(server)
        elif is_asyncio(server):
            self._on_asyncio(server)

    def _on_trio(self, server: TrioServer) -> None:
        import trio

        async def pulled(leash: socket.socket, scope: trio.CancelScope) -> None:
            await trio.lowlevel.wait_readable(leash)
            scope.cancel()

        async def main() -> None:
            with trio.open_signal_receiver(*self.signals) as received:
                listening = server.listening(self.host, self.port, ssl_context=self.ssl_context)
                async with listening as bound:
                    self.ready(bound)
                    async with trio.open_nursery() as nursery:
                        if self.leash is not None:
                            nursery.start_soon(pulled, self.leash, nursery.cancel_scope)
                        await anext(received)
                        nursery.cancel_scope.cancel()
                    await server.aclose(self.grace)

        trio.run(main)

    def _on_asyncio(self, server: AsyncioServer) -> None:
        import asyncio

        async def main() -> None:
            loop = asyncio.get_running_loop()
            ending = asyncio.Event()
            for number in self.signals:
                loop.add_signal_handler(number, ending.set)
            if self.leash is not None:
                loop.add_reader(self.leash, ending.set)
            listening = server.listening(self.host, self.port, ssl_context=self.ssl_context)
            async with listening as bound:
                self.ready(bound)
                await ending.wait()
                if self.leash is not None:
                    loop.remove_reader(self.leash)
                await server.aclose(self.grace)

        with asyncio.Runner(loop_factory=new_loop(self.uvloop)) as runner:
            runner.run(main())


def new_loop(uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop; None for asyncio's own. Raises ImportError where there is no uvloop."""
    if not uvloop:
        return None
    import uvloop as library

    return library.new_event_loop


class CertificateError(ValueError):
    """Files that hold no certificate with its key; the text says why, in one line."""


def server_context(certificate: str, key: str | None) -> ssl.SSLContext:
    """TLS for a server with this certificate; raises CertificateError for files of no use.

    Both are names of files in PEM; without `key` it is in the file of the certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        files = certificate if key is None else f"{certificate}, {key}"
        reason = error.strerror or error
        raise CertificateError(f"no certificate with its key in {files}: {reason}") from error
    return context
