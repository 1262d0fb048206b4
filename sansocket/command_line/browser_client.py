"""The official browser client: where its files are, and the names under which they are served.

The names are fixed, so no path is ever made from anything in a request (security rule 33). This
module looks at the file system; it knows no server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

# What the reference server serves under its own path, and `socket.io-client` has in dist/.
SCRIPTS: Final = (
    "socket.io.js",
    "socket.io.min.js",
    "socket.io.esm.min.js",
    "socket.io.msgpack.min.js",
)
# A single file is served under both of the names that a page may ask for.
PLAIN_SCRIPTS: Final = ("socket.io.js", "socket.io.min.js")


class ClientNotFound(Exception):
    """A path was given, and there is no browser client; the text says which path."""


def find(start: Path) -> Path | None:
    """Return the nearest `socket.io-client` that npm installed for `start`, as Node would.

    The project's own checkout has one for its tests, which is the last resort.
    """
    folders = [start, *start.parents]
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").is_file():
        folders.append(checkout / "tests" / "interop")
    for folder in folders:
        package = folder / "node_modules" / "socket.io-client"
        if any((package / "dist" / script).is_file() for script in SCRIPTS):
            return package
    return None


def served_files(path: Path) -> dict[str, Path]:
    """Map a name such as `socket.io.min.js` to its file, for each that is there.

    `path` is the npm package, its dist folder, or one file with the plain build. Raises
    `ClientNotFound` when it is none of them.
    """
    if path.is_file():
        return dict.fromkeys(PLAIN_SCRIPTS, path)
    folder = path / "dist" if (path / "dist").is_dir() else path
    scripts = [script for script in SCRIPTS if (folder / script).is_file()]
    if not scripts:
        raise ClientNotFound(f"{path} holds no Socket.IO browser client ({', '.join(SCRIPTS)})")
    names = [name for script in scripts for name in (script, f"{script}.map")]
    return {name: folder / name for name in names if (folder / name).is_file()}
