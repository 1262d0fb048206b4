"""The jar of one server's cookies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.client.cookies import MAX_COOKIES, CookieJar, http_date

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def sent_back(*cookies: str, path: str = "/io/", secure: bool = False, at: float = 0.0) -> str:
    """What a jar sends `at` seconds after these were set, at 100."""
    jar = CookieJar()
    headers = [(b"date", DATE.encode())]
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    jar.store(headers, path=path, secure=secure, now=100.0)
    return jar.header(path=path, secure=secure, now=100.0 + at)


@pytest.mark.parametrize(
    ("cookie", "header"),
    [
        ("io=abc", "io=abc"),
        ("io=abc; Path=/; HttpOnly; SameSite=Lax", "io=abc"),
        (' io="quoted" ', 'io="quoted"'),
        ("io=", "io="),
        ("io=a=b==", "io=a=b=="),
        ("io=\xe4", "io=\xe4"),
        ("io=abc; Path=relative", "io=abc"),
        ("io=abc; Max-Age=x; Expires=never", "io=abc"),
        ("io", ""),
        ("=abc", ""),
        ("i o=abc", ""),
        ("io=a\x00b", ""),
        ("io=a b", ""),
        ("io=" + "a" * 5000, ""),
        ("io=abc; Path=/other", ""),
        ("io=abc; Secure", ""),
        ("io=abc; Max-Age=0", ""),
        ("io=abc; Max-Age=-5", ""),
        ("io=abc; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ""),
        ("io=abc; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "io=abc"),
    ],
)
def test_one_cookie(cookie: str, header: str) -> None:
    assert sent_back(cookie) == header


@pytest.mark.parametrize(
    "lifetime", ["Max-Age=60", "max-age = 60", "Expires=Sun, 06-Nov-94 08:50:37 GMT"]
)
def test_a_cookie_expires(lifetime: str) -> None:
    """Its lifetime is counted in the driver's time, from the Date of the answer."""
    assert sent_back(f"io=abc; {lifetime}", at=59.0) == "io=abc"
    assert sent_back(f"io=abc; {lifetime}", at=60.0) == ""


def test_an_answer_without_a_date() -> None:
    """An absolute time says nothing then, but for the one by which a cookie is deleted."""
    jar = CookieJar()
    jar.store(
        [
            (b"set-cookie", b"a=1; Expires=Sun, 06 Nov 1994 08:50:37 GMT"),
            (b"set-cookie", b"b=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ],
        path="/",
        secure=False,
        now=0.0,
    )
    assert jar.header(path="/", secure=False, now=1.0) == "a=1"


def test_cookies_replace_one_another_and_are_deleted() -> None:
    assert sent_back("a=1", "b=2", "a=3") == "b=2; a=3"
    assert sent_back("a=1", "a=; Max-Age=0") == ""
    assert sent_back("a=1; Path=/", "a=2; Path=/io") == "a=2; a=1"


def test_secure_cookies_go_over_encrypted_connections() -> None:
    assert sent_back("a=1; Secure", secure=True) == "a=1"


@pytest.mark.parametrize(
    ("path", "request_path", "goes"),
    [
        ("/", "/io/", True),
        ("/io", "/io", True),
        ("/io", "/io/", True),
        ("/io/", "/io/", True),
        ("/io", "/ioioi", False),
        ("/io/", "/io", False),
    ],
)
def test_the_path_of_a_cookie(path: str, request_path: str, goes: bool) -> None:
    """RFC 6265, section 5.1.4."""
    assert bool(sent_back(f"a=1; Path={path}", path=request_path)) is goes


def test_a_jar_is_bounded() -> None:
    """Rule 98: the oldest make room."""
    jar = CookieJar()
    for number in range(MAX_COOKIES + 10):
        jar.store([(b"set-cookie", b"c%d=x" % number)], path="/", secure=False, now=0.0)
    assert len(jar) == MAX_COOKIES
    assert jar.header(path="/", secure=False, now=0.0).startswith("c10=x; ")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (DATE, 784_111_777.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777.0),
        ("Wed, 1 Jan 2070 0:00:00 GMT", 3_155_760_000.0),
        ("01 Jan 70 00:00:00", 0.0),
        ("01 Jan 69 00:00:00", 3_124_224_000.0),
        ("32 Jan 2000 00:00:00", None),
        ("01 Jan 2000 24:00:00", None),
        ("01 Jan 1600 00:00:00", None),
        ("yesterday", None),
    ],
)
def test_dates(text: str, date: float | None) -> None:
    """RFC 6265, section 5.1.1."""
    assert http_date(text) == date


@given(st.lists(st.binary(max_size=60)), st.binary(max_size=40))
def test_nothing_that_a_server_sets_raises(cookies: list[bytes], date: bytes) -> None:
    jar = CookieJar()
    headers = [(b"date", date), *((b"set-cookie", cookie) for cookie in cookies)]
    jar.store(headers, path="/", secure=True, now=0.0)
    header = jar.header(path="/", secure=True, now=0.0)
    assert "\r" not in header
    assert "\n" not in header
