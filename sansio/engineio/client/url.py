"""The address of a server, as an application writes it: `https://user:word@host:port/namespace?a=b`.

Nothing is looked up and nothing is connected to here. The path is not that of the engine, which
is an option: for Socket.IO it names a namespace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
"""The port of each scheme, where a URL names none."""

SECURE: Final = ("https", "wss")
VISIBLE: Final = re.compile(r"[^\x00-\x20\x7f]+")
HOST: Final = re.compile(r"[-0-9A-Za-z._~!$&'()*+,;=]{1,255}")
ZONE: Final = re.compile(r"[-0-9A-Za-z._~]+")
PASSWORD: Final = re.compile(r"^((?:[^/?#]*:)?/{0,2}[^/?#:]*):[^/?#]*@")
PORT: Final = re.compile(r"[0-9]{1,5}")
MOST_PORTS: Final = 65_535


@dataclass(frozen=True, slots=True)
class Target:
    """What a driver connects to."""

    host: str
    """A name in ASCII, or an IP address; one of version 6 has no brackets."""
    port: int
    secure: bool
    """Whether to speak TLS."""

    @property
    def authority(self) -> str:
        """As it stands in a Host header: the port only where it is not the scheme's own."""
        # The zone of a link-local address means nothing to the other side (RFC 6874).
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def server_name(self) -> str:
        """What its certificate has to be for."""
        return self.host.partition("%")[0]


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A URL, read."""

    target: Target
    path: str = "/"
    """Decoded; always with its first slash."""
    query: tuple[tuple[str, str], ...] = ()
    """Decoded, in its order."""
    username: str | None = None
    password: str = field(default="", repr=False)


def parse_url(text: str) -> ServerAddress:
    """Read the URL of a server; without a scheme it is taken for http.

    Raises ValueError for one that makes no sense, and TypeError for what is no str.
    """
    if not isinstance(text, str):
        raise TypeError(f"url: expected a str, got {text!r}")
    if text and VISIBLE.fullmatch(text) is None:
        raise wrong(text, "no spaces and control characters")
    full = text if "://" in text else "http://" + text.removeprefix("//")
    try:
        parts = urlsplit(full)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True, errors="strict"))
        path = unquote(parts.path, errors="strict")
    except ValueError as error:  # of which UnicodeDecodeError is one
        raise wrong(text, f"a URL ({error})") from error
    scheme = parts.scheme
    if scheme not in PORTS:
        raise wrong(text, "http, https, ws or wss")
    userinfo, at, authority = parts.netloc.rpartition("@")
    host, port = split_authority(authority, text)
    username, _, password = userinfo.partition(":")
    return ServerAddress(
        Target(ascii_host(host, text), PORTS[scheme] if port is None else port, scheme in SECURE),
        path or "/",
        query,
        unquote(username) if at else None,
        unquote(password),
    )


def split_authority(authority: str, text: str) -> tuple[str, int | None]:
    """The host, with its brackets if it has any, and the port."""
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        host += bracket
        if not bracket or (rest and not rest.startswith(":")):
            raise wrong(text, "an IPv6 address in brackets")
        port = rest[1:]
    else:
        host, _, port = authority.partition(":")
    if not port:
        return host, None
    if PORT.fullmatch(port) is None or not 0 < int(port) <= MOST_PORTS:
        raise wrong(text, f"a port from 1 to {MOST_PORTS}")
    return host, int(port)


def ascii_host(host: str, text: str) -> str:
    """The host as it is looked up: in lower case, international names in their ASCII form."""
    if host.startswith("["):
        address, percent, zone = host[1:-1].partition("%")
        zone = zone.removeprefix("25")  # "%25" is how a URL writes "%" (RFC 6874)
        try:
            IPv6Address(address)
        except AddressValueError as error:
            raise wrong(text, f"an IPv6 address in brackets ({error})") from error
        if percent and ZONE.fullmatch(zone) is None:
            raise wrong(text, "a zone of letters, digits and -._~")
        return f"{address.lower()}%{zone}" if percent else address.lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise wrong(text, f"a host name ({error})") from error
    if HOST.fullmatch(host) is None:
        raise wrong(text, "a host name")
    return host.lower()


def without_password(text: str) -> str:
    """A URL, right or wrong, as it may be shown: messages end in logs and on screens."""
    return PASSWORD.sub(r"\1:***@", text)


def wrong(text: str, expected: str) -> ValueError:
    """The exception for a URL that makes no sense."""
    return ValueError(f"url: expected {expected}, got {without_password(text)!r}")
