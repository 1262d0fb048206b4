"""The cookies that one server has set, kept by its client across requests and reconnects.

There is one server to a jar, so a cookie's Domain is of no interest. This module knows no
clock: of an absolute Expires it takes the time from the Date of the same answer, as it knows
no calendar of its own.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

MAX_COOKIES: Final = 50
MAX_COOKIE_BYTES: Final = 4_096
"""Of a name and its value together (RFC 6265, section 6.1)."""

COOKIE: Final = re.compile(
    r"([^\x00-\x20\x7f()<>@,;:\\\"/\[\]?={}]+)=([\x21-\x3a\x3c-\x7e\x80-\xff]*)"
)
SECONDS: Final = re.compile(r"-?[0-9]{1,15}")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DATE: Final = re.compile(
    rf"([0-9]{{1,2}})[ -]({'|'.join(MONTHS)})[a-z]*[ -]([0-9]{{2}}|[0-9]{{4}})"
    r" ([0-9]{1,2}):([0-9]{2}):([0-9]{2})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StoredCookie:
    """One cookie of a jar."""

    name: str
    value: str
    path: str
    expires: float
    """In the driver's time; `inf` for one that stays as long as its jar."""
    secure: bool


class CookieJar:
    """The cookies of one server; the oldest make room for the newest."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], StoredCookie] = {}

    def __len__(self) -> int:
        return len(self._cookies)

    def store(
        self, headers: Iterable[tuple[bytes, bytes]], *, path: str, secure: bool, now: float
    ) -> None:
        """Keep what an answer sets; its `headers` have names in lower case.

        `path` is that of the request, and `secure` whether it was encrypted. What is malformed
        is passed over, as a browser does (RFC 6265, section 5.2).
        """
        headers = list(headers)
        date = 0.0
        for name, value in headers:
            if name == b"date":
                date = http_date(value.decode("latin-1")) or 0.0
        for name, value in headers:
            if name == b"set-cookie":
                cookie = read_cookie(value.decode("latin-1"), path, date, now)
                if cookie is not None and (secure or not cookie.secure):
                    self._keep(cookie, now)

    def header(self, *, path: str, secure: bool, now: float) -> str:
        """The value of the Cookie header for a request, empty where there is none to send."""
        self._cookies = {
            key: cookie for key, cookie in self._cookies.items() if cookie.expires > now
        }
        matching = [
            cookie
            for cookie in self._cookies.values()
            if covers(cookie.path, path) and (secure or not cookie.secure)
        ]
        # Longer paths first (RFC 6265, section 5.4).
        matching.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in matching)

    def _keep(self, cookie: StoredCookie, now: float) -> None:
        key = (cookie.name, cookie.path)
        self._cookies.pop(key, None)
        if cookie.expires > now:
            self._cookies[key] = cookie
            if len(self._cookies) > MAX_COOKIES:
                del self._cookies[next(iter(self._cookies))]


def read_cookie(text: str, request_path: str, date: float, now: float) -> StoredCookie | None:
    """One Set-Cookie header, or None for one that is malformed or too long."""
    pair, *attributes = text.split(";")
    found = COOKIE.fullmatch(pair.strip(" \t"))
    if found is None or len(found[1]) + len(found[2]) > MAX_COOKIE_BYTES:
        return None
    path = request_path.rpartition("/")[0] or "/"
    expires: float | None = None
    lifetime: float | None = None
    secure = False
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if name == "path":
            path = value if value.startswith("/") else path
        elif name == "max-age" and SECONDS.fullmatch(value):
            lifetime = int(value)
        elif name == "expires" and (until := http_date(value)) is not None:
            expires = until - date
        elif name == "secure":
            secure = True
    # Max-Age goes before Expires (RFC 6265, section 4.1.2.2).
    left = expires if lifetime is None else lifetime
    return StoredCookie(found[1], found[2], path, inf if left is None else now + left, secure)


def http_date(text: str) -> float | None:
    """Seconds since 1970, or None for what is no date (RFC 6265, section 5.1.1)."""
    found = DATE.search(text)
    if found is None:
        return None
    day, name, year, hour, minute, second = found.groups()
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= 70 else 2000
    month = MONTHS.index(name.lower()) + 1
    parts = (number, month, int(day), int(hour), int(minute), int(second))
    if not (number >= 1601 and 1 <= parts[2] <= 31 and parts[3] < 24 and parts[4] < 60):
        return None
    return float(timegm(parts))


def covers(path: str, request_path: str) -> bool:
    """Whether a cookie of this path goes with the request (RFC 6265, section 5.1.4)."""
    return request_path == path or (
        request_path.startswith(path) and (path.endswith("/") or request_path[len(path)] == "/")
    )
