"""Socket.IO on Trio."""

from sansocket.sansio.public import *  # noqa: F403 - the same for both backends, and listed there

from .server import EngineServer as EngineServer
from .server import Server as Server
