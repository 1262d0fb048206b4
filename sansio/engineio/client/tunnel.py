"""The way to a server through a proxy: its address, and what is said to one that speaks HTTP.

A proxy of HTTP is asked by CONNECT for a tunnel, to an http server as to an https one: a WebSocket
can go through nothing else. This module opens no connection; SOCKS is a library's matter.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import h11

from ...errors import TransportError
from .url import PORTS as URL_PORTS
from .url import VISIBLE, Target, ascii_host, split_authority

PORTS: Final = {
    "http": URL_PORTS["http"],
    **dict.fromkeys(("socks4", "socks4a", "socks5", "socks5h"), 1080),
}
"""The port of each kind of proxy, where a URL names none."""

MAX_HEAD: Final = 65_536
"""Bytes of a proxy's answer."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, as `http://user:password@host:port` names it."""

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str = field(default="", repr=False)

    @property
    def speaks_http(self) -> bool:
        """Whether it is asked by CONNECT."""
        return self.scheme == "http"

    @property
    def protocol(self) -> str:
        """The version of SOCKS, as "SOCKS4" or "SOCKS5"; or "HTTP"."""
        return self.scheme.rstrip("ah").upper()

    @property
    def resolves_names(self) -> bool:
        """Whether a SOCKS proxy is given the name of the target, and not its address."""
        return self.scheme in ("socks4a", "socks5h")


def parse_proxy(text: str) -> Proxy:
    """Read the URL of a proxy; without a scheme it is taken for http.

    Raises ValueError for one that makes no sense, and TypeError for what is no str. Neither
    shows the URL, for it may have a password in it.
    """
    if not isinstance(text, str):
        raise TypeError(f"proxy: expected a URL as a str, got {type(text).__name__}")
    full = text if "://" in text else "http://" + text
    try:
        parts = urlsplit(full)
        port_of_scheme = PORTS[parts.scheme]
        userinfo, at, authority = parts.netloc.rpartition("@")
        host, port = split_authority(authority, "")
        name = ascii_host(host, "")
        if VISIBLE.fullmatch(full) is None or parts.path not in ("", "/") or parts.query:
            raise ValueError
    except (ValueError, KeyError):
        schemes = ", ".join(PORTS)
        raise ValueError(
            f"proxy: expected scheme://user:password@host:port with one of {schemes}"
        ) from None
    username, _, password = userinfo.partition(":")
    return Proxy(
        parts.scheme,
        name,
        port_of_scheme if port is None else port,
        unquote(username) if at else None,
        unquote(password),
    )


class Tunnel:
    """One connection to a proxy of HTTP, until it is one to `target`."""

    def __init__(self, proxy: Proxy, target: Target) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        host = f"[{target.host}]" if ":" in target.host else target.host
        authority = f"{host}:{target.port}"
        headers = [("Host", authority)]
        if proxy.username is not None:
            word = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
            headers.append(("Proxy-Authorization", f"Basic {word}"))
        request = h11.Request(method="CONNECT", target=authority, headers=headers)
        self.request: Final = self._http.send(request) + self._http.send(h11.EndOfMessage())
        """The bytes that the proxy is sent first."""

    def receive_data(self, data: bytes) -> bool:
        """Take what the proxy has sent; whether the connection is one to the target now.

        Raises TransportError, "proxy error", when there will be no such connection: with the
        `status` of the proxy's answer, where it has given one.
        """
        try:
            if not data:
                raise refused("it closed the connection")
            self._http.receive_data(data)
            event = self._http.next_event()
            while isinstance(event, h11.InformationalResponse):
                event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise refused(f"expected an answer to CONNECT, got something else ({error})") from error
        if event is h11.NEED_DATA:
            return False
        assert isinstance(event, h11.Response)
        if self._http.their_state is not h11.SWITCHED_PROTOCOL:
            status, reason = event.status_code, event.reason.decode("latin-1")
            raise refused(f"expected 200 to CONNECT, got {status} {reason!a}", status)
        if self._http.trailing_data[0]:
            raise refused("bytes came through it before anything was sent")
        return True


def refused(description: str, status: int | None = None) -> TransportError:
    """The error of a proxy that gives no tunnel."""
    return TransportError("proxy error", description, status=status)
