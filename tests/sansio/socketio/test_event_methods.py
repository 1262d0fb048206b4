"""Which methods of a class are handlers, and of which events."""

from __future__ import annotations

from sansocket.sansio.socketio.event_methods import EventMethods, event


class Methods(EventMethods):
    """Some that are, and some that are not."""

    on_number = 3
    """Begins so, and is no method."""

    def on_news(self) -> None: ...

    @event("chat message")
    def said(self) -> None: ...

    @event("renamed")
    def on_other(self) -> None: ...

    def helper(self) -> None: ...


def test_methods_by_their_events() -> None:
    """What `event` says counts more than the name of the method."""
    methods = Methods()
    assert methods.handlers() == {
        "news": methods.on_news,
        "chat message": methods.said,
        "renamed": methods.on_other,
    }


def test_a_subclass_may_replace_a_method() -> None:
    class Other(Methods):
        def on_news(self) -> None: ...

    other = Other()
    assert other.handlers()["news"] == other.on_news
    assert len(other.handlers()) == 3
