"""Lines that somebody types, edited by prompt_toolkit: history, completion, suggestions.

prompt_toolkit is an extra of the distribution, so it is imported only when it is used. This module
does not know what a line means.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from .completion import Completion
from .history import History

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import AnyFormattedText


class TerminalPrompt:
    """A prompt at the bottom of the terminal, over which reports scroll.

    Raises ModuleNotFoundError where prompt_toolkit is not installed.
    """

    is_terminal = True

    def __init__(self, history: History, completion: Completion, *, colours: bool) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
        from prompt_toolkit.completion import WordCompleter
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.output import ColorDepth

        self._history = history
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(history.lines),
            auto_suggest=AutoSuggestFromHistory(),
            completer=WordCompleter(lambda: list(completion.beginnings()), sentence=True),
            complete_while_typing=False,
            enable_suspend=True,
            color_depth=None if colours else ColorDepth.DEPTH_1_BIT,
        )

    @contextlib.contextmanager
    def open(self) -> Generator[None]:
        """What is printed meanwhile stands above the prompt."""
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):
            yield

    async def line(self, prompt: Callable[[], str]) -> str | None:
        """Ask for a line; Ctrl-C empties one that has been begun, and otherwise is the end."""

        def message() -> AnyFormattedText:
            return [("bold", prompt())]

        while True:
            try:
                # Signals are the program's: who cancels us gets the terminal back.
                line: str = await self._session.prompt_async(message, handle_sigint=False)
            except EOFError:
                return None
            except KeyboardInterrupt:
                if not self._session.default_buffer.text:
                    return None
                continue
            self._history.add(line)
            return line

    def show(self, text: str) -> None:
        """Write lines above the prompt."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
