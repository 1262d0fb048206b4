"""Handlers: what a signature says, for functions of every kind."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator
from types import FunctionType
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from sansocket.sansio.handlers import Handler, Handlers, KnownHandlers
from sansocket.sansio.socketio import acks
from sansocket.sansio.socketio import acks as receipts

if TYPE_CHECKING:
    from sansocket.sansio.socketio.acks import Ack
    from sansocket.sansio.socketio.socket import Socket

Alias = acks.Ack


def plain(socket: object, text: str) -> str:
    return text


async def coroutine(socket: object, text: str) -> str:
    return text


def with_default(socket: object, text: str = "") -> None: ...


def with_arguments(socket: object, *args: object) -> None: ...


def with_keywords(socket: object, *, loud: bool = False, **options: object) -> None: ...


def positional_only(socket: object, text: str, /) -> None: ...


def with_a_keyword_more(socket: object, *, loud: bool) -> None: ...


class Callables:
    """A handler in every form that a class has for it."""

    def method(self, socket: object, text: str) -> None: ...

    async def async_method(self, socket: object, text: str) -> None: ...

    @classmethod
    def of_class(cls, socket: object, text: str) -> None: ...

    @staticmethod
    async def static(socket: object, text: str) -> None: ...

    def __call__(self, socket: object, text: str) -> None: ...


class AsyncCallable:
    async def __call__(self, socket: object, *args: object) -> None: ...


class Built:
    """A class is a function too: its call makes an object, whatever that object's calls do."""

    def __init__(self, socket: object, text: str = "") -> None: ...

    async def __call__(self) -> None: ...


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as applications write them."""

    @functools.wraps(function)
    async def wrapper(*args: Any) -> Any:
        return await function(*args)

    return wrapper


it = Callables()

# The function, whether its call is awaited, and the numbers of arguments from 0 to 4 it takes.
KINDS: list[tuple[Callable[..., Any], bool, set[int]]] = [
    (plain, False, {2}),
    (coroutine, True, {2}),
    (with_default, False, {1, 2}),
    (with_arguments, False, {1, 2, 3, 4}),
    (with_keywords, False, {1}),
    (positional_only, False, {2}),
    (lambda: None, False, {0}),
    (it.method, False, {2}),
    (it.async_method, True, {2}),
    (it.of_class, False, {2}),
    (Callables.of_class, False, {2}),
    (it.static, True, {2}),
    (Callables.method, False, {3}),
    (it, False, {2}),
    (AsyncCallable(), True, {1, 2, 3, 4}),
    (Built, False, {1, 2}),
    (functools.partial(plain, None), False, {1}),
    (functools.partial(coroutine, None), True, {1}),
    (functools.partial(functools.partial(it.async_method), None), True, {1}),
    (functools.partial(AsyncCallable(), None), True, {0, 1, 2, 3, 4}),
    (functools.partial(with_a_keyword_more, loud=True), False, {1}),
    (functools.partial(plain, text="x"), False, {1}),
    (logged(coroutine), True, {2}),
    (functools.lru_cache(plain), False, {2}),
    # C functions: one that Python knows the signature of, and some that it does not
    (print, False, {0, 1, 2, 3, 4}),
    (list[object]().append, False, {1}),
    (max, False, {0, 1, 2, 3, 4}),
    (dict[object, object]().update, False, {0, 1, 2, 3, 4}),
    (int, False, {0, 1, 2, 3, 4}),
]


@pytest.mark.parametrize(("function", "is_async", "takes"), KINDS)
def test_kinds(function: Callable[..., Any], is_async: bool, takes: set[int]) -> None:
    handler = Handler(function, acks.Ack)
    assert handler.function is function
    assert handler.is_async is is_async
    assert {count for count in range(5) if handler.takes(count)} == takes
    assert handler.takes(10**6) is (4 in takes)
    assert handler.special_at is None


@pytest.mark.parametrize(
    "function",
    [
        with_a_keyword_more,
        functools.partial(with_a_keyword_more),
        functools.partial(plain, socket=None),  # what comes after it can be named only
    ],
)
def test_what_no_event_can_give(function: Callable[..., Any]) -> None:
    """A keyword without a default is refused at once, by its name: the call would fail always."""
    with pytest.raises(TypeError, match=r"loud|text"):
        Handler(function)


@pytest.mark.parametrize("thing", [None, 5, "print", [print], coroutine])
def test_no_function(thing: Any) -> None:
    """Also what is not called but should have been, or the other way round."""
    if thing is coroutine:
        thing = coroutine(None, "x")
        thing.close()
    with pytest.raises(TypeError, match="expected a function"):
        Handler(thing)
    handlers = Handlers()
    with pytest.raises(TypeError, match="expected a function"):
        handlers.add("chat", thing)
    assert handlers.get("chat") == []


# The parameter that is not an argument of the event


def ack_last(socket: object, text: str, ack: acks.Ack) -> None: ...


def ack_between(socket: object, ack: acks.Ack, text: str = "") -> None: ...


async def ack_before_any_number(socket: object, ack: acks.Ack, *args: object) -> None: ...


def by_another_module_name(socket: object, ack: receipts.Ack) -> None: ...


def by_alias(socket: object, ack: Alias) -> None: ...


def receive(socket: object, ack: acks.Ack) -> None: ...


class Acknowledging:
    def method(self, socket: object, ack: acks.Ack) -> None: ...

    async def __call__(self, socket: object, ack: acks.Ack) -> None: ...


class Stranger:
    """Has that name for something else."""

    class Ack: ...


def copy(function: Callable[..., Any], annotations: dict[str, object]) -> Callable[..., Any]:
    """The same function, annotated otherwise."""
    assert isinstance(function, FunctionType)
    same = FunctionType(function.__code__, function.__globals__, argdefs=function.__defaults__)
    same.__annotations__ = annotations
    return same


SPECIAL: list[tuple[Callable[..., Any], int]] = [
    (ack_last, 2),
    (ack_between, 1),
    (ack_before_any_number, 1),
    (by_another_module_name, 1),
    (by_alias, 1),
    (Acknowledging().method, 1),
    (Acknowledging(), 1),
    (functools.partial(ack_last, None), 1),
    (functools.partial(Acknowledging(), None), 0),
    (logged(ack_before_any_number), 1),
]


@pytest.mark.parametrize(("function", "place"), SPECIAL)
def test_special(function: Callable[..., Any], place: int) -> None:
    """The public interface: a parameter annotated `Ack`, here under `annotations` as texts."""
    assert Handler(function, acks.Ack).special_at == place
    assert Handler(function).special_at is None


def test_special_as_an_object() -> None:
    """The same where annotations are no texts."""
    for function in (ack_last, ack_between, ack_before_any_number, by_alias, plain):
        same = copy(function, get_type_hints(function))
        assert Handler(same, acks.Ack).special_at == Handler(function, acks.Ack).special_at


def unknown_type(socket: Socket, text: str, ack: acks.Ack) -> None: ...


def unknown_ack(socket: Socket, ack: Ack) -> None: ...


def test_special_behind_a_decorator_of_another_module() -> None:
    """The names in an annotation are those of the module where the function was written."""

    @contextlib.contextmanager
    def timed() -> Generator[None, None, None]:
        yield

    assert Handler(timed()(by_alias), acks.Ack).special_at == 1


def test_names_for_type_checkers_only() -> None:
    """Imports that exist for a type checker alone hide no acknowledgement."""
    assert Handler(unknown_type, acks.Ack).special_at == 2
    assert Handler(unknown_ack, acks.Ack).special_at == 1


@pytest.mark.parametrize(
    ("annotation", "is_special"),
    [
        *((text, True) for text in ("acks.Ack", "receipts.Ack", "Alias", "Ack", "nowhere.Ack")),
        *((text, True) for text in ("'acks.Ack'", '"Ack"')),
        *((text, False) for text in ("Stranger.Ack", "acks.Acknowledgement", "acks.Ack.wanted")),
        *((text, False) for text in ("acks", "nowhere", "nowhere.Back", "str", "Stranger")),
        *((text, False) for text in ("list[acks.Ack]", "acks.Ack | None", "None", "1 / 0")),
        *((text, False) for text in ("", "(", ".", "''", "acks.", "acks..Ack", "acks.Ack()")),
        *((thing, False) for thing in (None, "x", acks.Ack(None), list[acks.Ack], Stranger.Ack)),
        (acks.Ack, True),
    ],
    ids=repr,
)
def test_annotations(annotation: object, is_special: bool) -> None:
    """Whatever stands there; nothing of it is evaluated."""
    function = copy(receive, {"socket": "Socket", "ack": annotation})
    assert Handler(function, acks.Ack).special_at == (1 if is_special else None)
    assert Handler(function).special_at is None
    assert Handler(copy(receive, {}), acks.Ack).special_at is None


# Several of them


def test_of_one_name_in_their_order() -> None:
    handlers = Handlers(special=acks.Ack)
    for function in (plain, ack_last, plain):
        handlers.add("chat", function)
    handlers.add("other", coroutine)
    assert [handler.function for handler in handlers.get("chat")] == [plain, ack_last, plain]
    assert [handler.special_at for handler in handlers.get("chat")] == [None, 2, None]
    assert [handler.function for handler in handlers.get("other")] == [coroutine]


@pytest.mark.parametrize("name", ["nobody", "", "get", "add", "__class__", "__init__", "_by_name"])
def test_no_name_leads_to_an_attribute(name: str) -> None:
    """Security rule 17: handlers are found by look-up, never by attribute."""
    handlers = Handlers()
    handlers.add("chat", coroutine)
    assert handlers.get(name) == []
    assert not handlers.wait(name)


def test_registered_during_a_call() -> None:
    """Who goes through the handlers of an event is not surprised by a new one."""
    handlers = Handlers()
    handlers.add("chat", plain)
    before = handlers.get("chat")
    for _ in before:
        handlers.add("chat", coroutine)
    assert len(before) == 1
    assert len(handlers.get("chat")) == 2


def test_wait() -> None:
    handlers = Handlers()
    handlers.add("plain", plain)
    handlers.add("mixed", plain)
    handlers.add("mixed", coroutine)
    assert not handlers.wait("plain")
    assert handlers.wait("mixed")
    assert handlers.wait("plain", "mixed")
    assert not handlers.wait("plain", "nobody")
    assert not handlers.wait()


def test_known_events() -> None:
    """A name that there is not is refused, and what cannot be called so when it comes."""
    handlers = KnownHandlers({"one": (1,), "close": (1, 2)})
    for refused in (handlers.add, handlers.remove):
        with pytest.raises(ValueError, match=r"\['close', 'one'\], got 'two'"):
            refused("two", print)
    with pytest.raises(ValueError, match="two"):
        handlers.functions_of("two")
    with pytest.raises(TypeError, match="close"):
        handlers.add("close", lambda: None)
    assert not handlers
    handlers.add("close", print, once=True)
    handlers.add("one", print)
    assert handlers.functions_of("close") == [print]
    assert handlers.functions_of("one") == [print]
    handlers.remove("close")
    assert handlers.names() == ["one"]
    handlers.remove()
    assert not handlers
