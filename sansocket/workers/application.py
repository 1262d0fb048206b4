"""The server of an application, found by the name of its module and of an attribute in it."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from sansocket import asyncio_backend, trio_backend

    TrioServer = trio_backend.Server | trio_backend.EngineServer
    AsyncioServer = asyncio_backend.Server | asyncio_backend.EngineServer
    Server = TrioServer | AsyncioServer


class ApplicationError(Exception):
    """A name that leads to no server; the text says why, in one line."""


def load(name: str) -> Server:
    """Import the server that `package.module:attribute` names, or make it.

    The attribute is a `Server` or an `EngineServer` of either backend, or is called without
    arguments to make one. Raises ApplicationError for a name that leads to none; what the
    application itself raises comes out as it is.
    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise ApplicationError(f"{name!r} is not of the form module:attribute")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Another module that this one needs is the application's trouble, not the name's.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ApplicationError(f"there is no module {error.name!r}") from error
    for attribute in path.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError as error:
            raise ApplicationError(f"{module_name!r} has no attribute {path!r}") from error
    made: object = found
    is_made = not (is_trio(made) or is_asyncio(made)) and callable(found)
    if is_made:
        try:
            made = found()
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise
            raise ApplicationError(f"{name} cannot be called so: {error}") from error
    if is_trio(made) or is_asyncio(made):
        return made
    what = f"{type(made).__module__}.{type(made).__qualname__}"
    verb = "returns" if is_made else "is"
    raise ApplicationError(f"{name} {verb} no server of sansocket, but a {what}")


def is_trio(server: object) -> TypeGuard[TrioServer]:
    """Whether it is a server on Trio."""
    return is_server(server, "trio_backend")


def is_asyncio(server: object) -> TypeGuard[AsyncioServer]:
    """Whether it is a server on asyncio."""
    return is_server(server, "asyncio_backend")


def is_server(server: object, backend: str) -> bool:
    """Whether it is a server of that backend, which whoever has one has imported."""
    module: Any = sys.modules.get(f"sansocket.{backend}")
    return module is not None and isinstance(server, module.Server | module.EngineServer)
