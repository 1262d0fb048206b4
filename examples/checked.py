"""What clients send, checked before a handler sees it: both examples are written with this.

A client may send any event, with any arguments. msgspec, which comes with sansocket, makes of
them what the annotations of the handler ask for; a client that sent something else is told so.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

import msgspec

from sansocket.sansio.socketio.socket import Socket


class Refused(Exception):
    """A request that is not granted; the text is for whoever made it."""


def checked(handler: Callable[..., object]) -> Callable[..., dict[str, object]]:
    """Make a handler of a function of the socket and typed arguments.

    The acknowledgement is {"ok": true, "value": what it returned} or {"ok": false, "error": why}.
    """
    _, *parameters = signature(handler, eval_str=True).parameters.values()

    def answer(socket: Socket, *args: object) -> dict[str, object]:
        try:
            if len(args) != len(parameters):
                raise Refused(f"Expected {len(parameters)} arguments, got {len(args)}")
            values = [
                msgspec.convert(value, parameter.annotation)
                for value, parameter in zip(args, parameters, strict=True)
            ]
            return {"ok": True, "value": handler(socket, *values)}
        except (Refused, msgspec.ValidationError) as error:
            return {"ok": False, "error": str(error)}

    return answer
