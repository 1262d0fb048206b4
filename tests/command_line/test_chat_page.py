"""The page of `sansocket serve` in a real browser: two people, from joining to Ctrl-C."""

from __future__ import annotations

from command_line.program import Program, run_node, tool


def test_two_people_chat(program: Program) -> None:
    """The steps are those of chat_page.mjs; one person is still there when Ctrl-C is pressed."""
    chromium = tool("chromium", "chromium-browser", "google-chrome")
    print(run_node("chat_page.mjs", program.url, chromium))
    assert program.interrupt() == 0
