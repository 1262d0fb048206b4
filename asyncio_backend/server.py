"""The Socket.IO and the Engine.IO server on asyncio."""

from __future__ import annotations

import os
from typing import Unpack

from sansocket.sansio.backend import App, EngineApp, EngineOptions, Parser, ServerOptions

from .runtime import AsyncioRuntime
from .serving import Serving


class Server(App, Serving):
    """A Socket.IO server: its main namespace, `of` for the others, `serve` to run it.

    `parser` is "json", "msgpack" or an object of your own; the other options are the
    fields of `ServerConfig`, times in seconds and sizes in bytes. Raises ValueError or
    TypeError for options that make no sense.
    """

    def __init__(self, *, parser: str | Parser = "json", **options: Unpack[ServerOptions]) -> None:
        loop = AsyncioRuntime()
        App.__init__(self, loop, entropy=os.urandom, parser=parser, **options)
        self._set_up(self, loop)


class EngineServer(EngineApp, Serving):
    """An Engine.IO server without Socket.IO.

    The options are the fields of `EngineConfig`, times in seconds and sizes in bytes.
    Raises ValueError or TypeError for options that make no sense.
    """

    def __init__(self, **options: Unpack[EngineOptions]) -> None:
        loop = AsyncioRuntime()
        EngineApp.__init__(self, loop, entropy=os.urandom, **options)
        self._set_up(self, loop)
