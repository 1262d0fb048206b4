"""A function that says which origins may connect (security rule T31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.engineio import POLLING, Serve
from support.transcript import Driver, engineio, websocket_request_bytes

FRIEND = "https://a.friend.example"
STRANGER = "https://stranger.example"
OWN = "http://server.example"


def friendly(origin: str) -> bool:
    """Whether it is one of a friend's many."""
    return origin.endswith(".friend.example")


def code(driver: Driver, origin: str) -> int:
    """The status of a handshake by polling, and of one by WebSocket, which must agree."""
    status = driver.connect().request("GET", query=POLLING, Origin=origin).status
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query="EIO=4&transport=websocket", Origin=origin))
    assert pipe.output.startswith(b"HTTP/1.1 %d " % (101 if status == 200 else status))
    return status


def test_who_may_connect(serve: Serve) -> None:
    """Our own pages always may, whatever it says."""
    _, driver = serve(cors_allowed_origins=friendly)
    assert (code(driver, FRIEND), code(driver, STRANGER), code(driver, OWN)) == (200, 403, 200)
    assert driver.connect().request("GET", query=POLLING).status == 200


@pytest.mark.parametrize("credentials", [False, True])
def test_what_browsers_are_told(serve: Serve, credentials: bool) -> None:
    """The origin comes back only where it was allowed; the answer varies with it always."""
    _, driver = serve(cors_allowed_origins=friendly, cors_credentials=credentials)
    for origin in (FRIEND, STRANGER, OWN):
        for method in ("GET", "OPTIONS"):
            answer = driver.connect().request(method, query=POLLING, Origin=origin)
            allowed = answer.headers.get("access-control-allow-origin")
            trusted = answer.headers.get("access-control-allow-credentials")
            assert allowed == (origin if origin == FRIEND else None)
            assert trusted == ("true" if credentials and origin == FRIEND else None)
            assert answer.headers["vary"] == "Origin"
    assert driver.connect().request("GET", query=POLLING).headers["vary"] == "Origin"


@pytest.mark.parametrize("said", [None, 0, 1, "yes", object()])
def test_only_true_is_a_yes(serve: Serve, said: object) -> None:
    _, driver = serve(cors_allowed_origins=lambda origin: said)
    assert code(driver, FRIEND) == 403


def test_a_failure_is_a_no(serve: Serve) -> None:
    """Deny by default; the reason is in the log."""
    failure = RuntimeError("broken")

    def fail(origin: str) -> bool:
        raise failure

    _, driver = serve(cors_allowed_origins=fail)
    assert code(driver, FRIEND) == 403
    assert {error for _, error in driver.runtime.logged} == {failure}
    driver.runtime.logged.clear()


@pytest.mark.parametrize(
    "origin", ["", "x", "https://", "https://a.example/path", "https://a\x01b", "a, b", "HTTPS://A"]
)
def test_what_no_browser_sends(serve: Serve, origin: str) -> None:
    """It is not asked about, and does not come back, even to who allows everything."""
    asked: list[str] = []

    def everyone(origin: str) -> bool:
        asked.append(origin)
        return True

    _, driver = serve(cors_allowed_origins=everyone)
    answer = driver.connect().request("GET", query=POLLING, Origin=origin)
    assert answer.status in (400, 403)
    assert "access-control-allow-origin" not in answer.headers
    assert asked == []


def test_null_may_be_allowed(serve: Serve) -> None:
    """A sandboxed frame or a file has this origin."""
    _, driver = serve(cors_allowed_origins=lambda origin: origin == "null")
    assert code(driver, "null") == 200


async def coroutine(origin: str) -> bool:
    """Its result would look like a yes."""
    return False


@pytest.mark.parametrize("function", [coroutine, lambda: True, lambda a, b: True])
def test_what_cannot_be_called(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="cors_allowed_origins"):
        engineio(cors_allowed_origins=function)
