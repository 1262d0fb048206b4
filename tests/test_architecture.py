"""The rules of the tree: who may import whom, how a file is named, how long it may grow.

The files are read, never imported. What importing the core really loads is
`tests/test_sansio_is_sans_io.py`'s matter.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The folders at the top of the repository, and the names under which they are imported.
FOLDERS = {
    "sansocket": "sansocket",
    "sansio": "sansocket.sansio",
    "trio_backend": "sansocket.trio_backend",
    "asyncio_backend": "sansocket.asyncio_backend",
}
LINKED = {"sansio", "trio_backend", "asyncio_backend"}

CORE = "sansocket.sansio"
ENGINE = "sansocket.sansio.engineio"
ENGINE_CLIENT = "sansocket.sansio.engineio.client"
SOCKET = "sansocket.sansio.socketio"
TESTING = "sansocket.sansio.testing"

# Libraries that turn values into text or bytes and back: any part of the core may use them.
CODECS = {"orjson", "msgspec"}

# What a module may import at run time beyond the standard library. The longest name that the
# module's own begins with rules.
MAY_IMPORT: dict[str, set[str]] = {
    "sansocket": set(),
    "sansocket.__main__": {"sansocket.command_line"},
    "sansocket.command_line": {"trio", "trio_websocket", "sansocket"},
    "sansocket.command_line.terminal_prompt": {"prompt_toolkit", "sansocket"},
    # It stands in the checkout, beside what is installed.
    "sansocket.command_line.bench": {"benchmarks"},
    "sansocket.workers": {
        *("trio", "uvloop", CORE, "sansocket.workers"),
        *("sansocket.trio_backend", "sansocket.asyncio_backend"),
    },
    "sansocket.trio_backend": {"trio", "trio_websocket", CORE, "sansocket.trio_backend"},
    "sansocket.trio_backend.dialing": {"trio", "python_socks", CORE, "sansocket.trio_backend"},
    "sansocket.asyncio_backend": {CORE, "sansocket.asyncio_backend"},
    "sansocket.asyncio_backend.dialing": {
        "aiohappyeyeballs",
        "python_socks",
        CORE,
        "sansocket.asyncio_backend",
    },
    CORE: CODECS | {CORE},
    # What stands beside the two documents knows neither.
    f"{CORE}.errors": set(),
    f"{CORE}.timers": {f"{CORE}.errors"},
    f"{CORE}.config": {f"{CORE}.errors", f"{CORE}.request"},
    f"{CORE}.client_config": {f"{CORE}.config"},
    f"{CORE}.handlers": CODECS | {f"{CORE}.errors"},
    f"{CORE}.observable": {f"{CORE}.handlers"},
    f"{CORE}.observers": {f"{CORE}.{name}" for name in ("handlers", "portions", "runtime")},
    f"{CORE}.portions": {f"{CORE}.timers"},
    f"{CORE}.request": {"msgspec"},
    f"{CORE}.transitions": {f"{CORE}.errors"},
    f"{CORE}.runtime": set(),
    f"{CORE}.first_step": set(),
    f"{CORE}.mailbox": {"msgspec", f"{CORE}.errors", f"{CORE}.runtime"},
    f"{ENGINE}.packet": CODECS | {f"{CORE}.errors"},
    f"{ENGINE}.encoded": {
        *CODECS,
        *(f"{CORE}.{name}" for name in ("config", "errors")),
        *(f"{ENGINE}.{name}" for name in ("packet", "permessage_deflate", "websocket_frames")),
    },
    f"{ENGINE}.ends": {f"{CORE}.errors", f"{CORE}.runtime"},
    f"{ENGINE}.flow": set(),
    f"{ENGINE}.heartbeat": {
        *(f"{CORE}.{name}" for name in ("config", "errors", "observers", "timers")),
        *(f"{ENGINE}.{name}" for name in ("encoded", "flow")),
    },
    f"{ENGINE_CLIENT}.url": set(),
    f"{ENGINE_CLIENT}.tunnel": {"h11", f"{CORE}.errors", f"{ENGINE_CLIENT}.url"},
    f"{ENGINE_CLIENT}.cookies": set(),
    f"{ENGINE_CLIENT}.states": {f"{CORE}.transitions"},
    f"{ENGINE_CLIENT}.ends": {
        f"{CORE}.errors",
        *(f"{ENGINE_CLIENT}.{name}" for name in ("http", "websocket")),
        f"{ENGINE}.encoded",
    },
    f"{ENGINE_CLIENT}.handshake": CODECS | {f"{CORE}.errors"},
    f"{ENGINE_CLIENT}.http": {"h11", f"{CORE}.errors", f"{ENGINE}.chunked"},
    f"{ENGINE_CLIENT}.outbox": {
        f"{CORE}.client_config",
        *(f"{ENGINE}.{name}" for name in ("encoded", "flow")),
    },
    # A client's session does not know what carries its packets.
    f"{ENGINE_CLIENT}.session": {
        *(f"{CORE}.{name}" for name in ("client_config", "errors", "observers", "timers")),
        f"{CORE}.transitions",
        *(f"{ENGINE_CLIENT}.{name}" for name in ("ends", "handshake", "outbox", "states")),
        *(f"{ENGINE}.{name}" for name in ("encoded", "events", "packet")),
    },
    f"{ENGINE}.peer": CODECS,
    # HTTP is h11's and WebSocket is wsproto's, behind one door each; wsproto's extension
    # is a side door.
    f"{ENGINE}.chunked": {f"{CORE}.errors"},
    f"{ENGINE}.http": {
        *(f"{CORE}.{name}" for name in ("errors", "request")),
        *(f"{ENGINE}.{name}" for name in ("chunked", "http_answers", "http_heads")),
    },
    f"{ENGINE}.http_answers": {f"{CORE}.errors"},
    f"{ENGINE}.http_heads": CODECS | {"h11", f"{CORE}.errors", f"{CORE}.request"},
    f"{ENGINE}.permessage_deflate": {"wsproto"},
    f"{ENGINE}.websocket": {
        *("wsproto", f"{CORE}.errors", f"{ENGINE}.permessage_deflate"),
        f"{ENGINE}.websocket_frames",
    },
    f"{ENGINE}.websocket_frames": {"wsproto", f"{CORE}.errors"},
    f"{ENGINE_CLIENT}.websocket": {"wsproto", CORE},
    # The message seam: a session does not know what carries its messages.
    f"{ENGINE}.session": {
        *CODECS,
        *(f"{CORE}.{name}" for name in ("config", "errors", "observable", "observers")),
        *(f"{CORE}.{name}" for name in ("request", "timers", "transitions")),
        *(f"{ENGINE}.{name}" for name in ("encoded", "ends", "events", "heartbeat")),
        *(f"{ENGINE}.{name}" for name in ("packet", "peer", "states")),
    },
    f"{SOCKET}.rooms": set(),
    f"{SOCKET}.acks": {f"{CORE}.errors", f"{CORE}.timers"},
    f"{SOCKET}.packet": CODECS | {f"{CORE}.errors"},
}

# What the core leaves to its driver, or takes as an argument.
OUTSIDE: set[str] = {
    # event loops and threads
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "threading", "_thread"),
    # input and output; `logging` is both, and brings in `threading`
    *("http.client", "http.server", "logging", "mmap", "os", "pathlib", "select", "selectors"),
    *("shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile"),
    *("urllib.request",),
    # clocks and chance
    *("random", "secrets", "time", "uuid"),
    # imports that this test could not see
    *("importlib", "pkgutil", "runpy"),
}

# Types of what an application gives, and the core hands through.
HANDED_THROUGH = {"ssl.SSLContext"}

# What is forbidden all the same.
MAY_NOT_IMPORT: dict[str, set[str]] = {
    "sansocket.trio_backend": {"asyncio"},
    CORE: OUTSIDE | {TESTING},  # the simulator drives the core, and is no part of it
    # The Engine.IO document knows nothing of the Socket.IO document.
    ENGINE: OUTSIDE | {SOCKET, TESTING},
    # What it leaves to chance follows from a seed: it is the entropy that the core is given.
    TESTING: OUTSIDE - {"random"},
}

# Files that may be longer than LINES, each with the reason why it still holds one idea.
LONGER: dict[str, str] = {
    "tests/test_architecture.py": "one table says who may import whom, and grows with the house",
}
LINES = 400


@dataclass(frozen=True)
class Import:
    """One import: the full name of what is imported, and how it was written."""

    target: str
    line: int
    relative: bool
    type_only: bool


def python_files(folder: str = "") -> Iterator[Path]:
    """Yield the Python files of the repository, relative to it; links are not followed."""
    for at, folders, files in os.walk(ROOT / folder):
        skipped = {"__pycache__", "node_modules", "build", "dist"}
        folders[:] = sorted(f for f in folders if f not in skipped and f[0] != ".")
        yield from (
            Path(at, file).relative_to(ROOT) for file in sorted(files) if file[-3:] == ".py"
        )


def module_name(path: Path) -> str:
    """Return the name under which a source file is imported."""
    parts = path.with_suffix("").parts
    return ".".join((FOLDERS[parts[0]], *parts[1:])).removesuffix(".__init__")


def imports(source: str, module: str, *, package: bool = False) -> list[Import]:
    """List what the source of `module` imports, wherever in it the import stands."""
    tree = ast.parse(source)
    type_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
            relative = False
        elif isinstance(node, ast.ImportFrom):
            relative = node.level > 0
            base = module.split(".")
            base = base[: len(base) - node.level + package] if relative else []
            base += node.module.split(".") if node.module else []
            # `from .packet import decode` imports `packet`; `from . import packet` does too.
            full = [".".join([*base, alias.name]) for alias in node.names]
            ours = is_module(".".join(base))
            targets = [n if is_module(n) or not ours else ".".join(base) for n in full]
        else:
            continue
        found += [Import(t, node.lineno, relative, id(node) in type_only) for t in targets]
    return found


def is_module(name: str) -> bool:
    """Is this the name of one of our own modules or packages?"""
    for folder, prefix in sorted(FOLDERS.items(), key=lambda item: -len(item[1])):
        if within(name, {prefix}):
            path = ROOT.joinpath(folder, *name[len(prefix) :].split(".")[1:])
            return path.is_dir() or path.with_suffix(".py").is_file()
    return False


def within(name: str, prefixes: set[str]) -> bool:
    """Is `name` one of these modules, or inside of one?"""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def rule(table: dict[str, set[str]], module: str) -> set[str]:
    """Return what the table says of a module: the entry with the longest name rules."""
    names = [name for name in table if within(module, {name})]
    return table[max(names, key=len)] if names else set()


def folder_of(module: str) -> str:
    """Return the import name of the top-level folder that a module of ours stands in."""
    return max((name for name in FOLDERS.values() if within(module, {name})), key=len, default="")


def broken_rules(source: str, module: str, *, package: bool = False) -> list[str]:
    """Hold the imports of one module against the tables: a line for each that breaks them."""
    folder = module if package else module.rpartition(".")[0]
    broken: list[str] = []
    for found in imports(source, module, package=package):
        target = found.target
        here = folder_of(target) == folder_of(module)
        # A type of a neighbour costs nothing at run time.
        neighbour = found.type_only and within(target, {folder})
        if found.type_only and target in HANDED_THROUGH:
            allowed = True
        elif within(target, rule(MAY_NOT_IMPORT, module)):
            allowed = target in ("os", "os.urandom") and only_entropy(source)
        else:
            standard = target.partition(".")[0] in sys.stdlib_module_names
            allowed = standard or neighbour or within(target, rule(MAY_IMPORT, module))
        if not allowed:
            broken.append(f"line {found.line}: {module} may not import {target}")
        if found.relative and not here:
            broken.append(f"line {found.line}: {target} stands in another folder: absolutely")
        if not found.relative and here and folder_of(module) != "sansocket":
            broken.append(f"line {found.line}: {target} stands in the same folder: relatively")
    return broken


def only_entropy(source: str) -> bool:
    """Does `os.urandom` stand only where a test can replace it: as the default of `entropy`?"""
    tree = ast.parse(source)
    defaults: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args]
            pairs = [*zip(reversed(named), reversed(node.defaults), strict=False)]
            pairs += [(a, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d]
            defaults += [default for argument, default in pairs if argument.arg == "entropy"]
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "entropy":
            defaults.append(node.value)
    harmless = {
        id(name)
        for default in defaults
        if default and ast.unparse(default) in ("urandom", "os.urandom")
        for name in ast.walk(default)
    }
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return all(id(name) in harmless for name in names if name.id in ("os", "urandom"))


SOURCES = [path for folder in FOLDERS for path in python_files(folder)]
EVERYTHING = list(python_files())


def test_finds_the_files() -> None:
    """No file found would make every rule below hold."""
    assert Path("sansio/errors.py") in SOURCES
    assert Path("tests/test_architecture.py") in EVERYTHING
    assert len(EVERYTHING) == len({path.resolve() for path in EVERYTHING})


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports(path: Path) -> None:
    """Who may import whom, and in which form."""
    package = path.name == "__init__.py"
    broken = broken_rules((ROOT / path).read_text(), module_name(path), package=package)
    assert not broken, "\n".join([str(path), *broken])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (f"{ENGINE}.session", "import asyncio"),
        (f"{ENGINE}.session", "from concurrent.futures import Future"),
        (f"{ENGINE}.session", "def later() -> None:\n    from time import monotonic"),
        (f"{ENGINE}.session", "import os\nurandom = os.urandom"),
        (f"{ENGINE}.session", "from os import urandom\nurandom(9)"),
        (f"{ENGINE}.session", "from os import path"),
        (f"{ENGINE}.session", "import trio"),
        (f"{ENGINE}.session", "if TYPE_CHECKING:\n    from ssl import SSLSocket"),
        (f"{ENGINE}.session", "from . import http"),
        (f"{ENGINE}.session", "from .http import Request"),
        (f"{ENGINE}.session", "from sansocket.sansio.errors import Reason"),
        (f"{ENGINE}.server", "from ..socketio import packet"),
        (f"{ENGINE}.server", "from ..socketio.packet import Packet"),
        (f"{ENGINE}.server", "if TYPE_CHECKING:\n    from ..socketio.packet import Packet"),
        (f"{ENGINE}.server", "from ..testing import Simulation"),
        (f"{TESTING}.network", "import secrets"),
        (f"{SOCKET}.server", "from sansocket.trio_backend import Server"),
        (f"{SOCKET}.server", "from ...trio_backend import Server"),
        ("sansocket.trio_backend.server", "import asyncio"),
        ("sansocket.trio_backend.server", "import anyio"),
        ("sansocket.trio_backend.server", "from ..sansio import Server"),
        ("sansocket.trio_backend.server", "from sansocket.trio_backend.client import connect"),
        ("sansocket.trio_backend.server", "from sansocket.asyncio_backend import Server"),
        ("sansocket.asyncio_backend.server", "import trio"),
        ("sansocket.__main__", "from .sansio import errors"),
    ],
)
def test_forbidden_imports_are_seen(module: str, source: str) -> None:
    """Each sentence of the tables, broken once."""
    assert broken_rules(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (f"{ENGINE}.session", "from ..errors import Reason\nfrom .packet import Packet"),
        (f"{ENGINE}.session", "if TYPE_CHECKING:\n    from .http import Request"),
        (f"{ENGINE}.session", "if TYPE_CHECKING:\n    from ssl import SSLContext"),
        (
            f"{ENGINE}.server",
            "import os\nclass S:\n    def __init__(self, *, entropy=os.urandom): ...",
        ),
        (f"{ENGINE}.server", "from os import urandom\ndef f(a, entropy=urandom, b=1): ..."),
        (f"{SOCKET}.server", "from ..engineio import packet\nfrom urllib.parse import parse_qs"),
        (
            "sansocket.trio_backend.server",
            "import socket, trio\nfrom sansocket.sansio import errors",
        ),
        ("sansocket.asyncio_backend.server", "import asyncio\nfrom .client import connect"),
    ],
)
def test_allowed_imports_pass(module: str, source: str) -> None:
    assert not broken_rules(source, module)


def test_libraries_are_declared() -> None:
    """What the tables allow from outside is what pyproject.toml installs, no more and no less."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def declared(requirements: list[str]) -> set[str]:
        return {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in requirements}

    def allowed(prefix: str) -> set[str]:
        names = {n for module, may in MAY_IMPORT.items() if within(module, {prefix}) for n in may}
        return {name for name in names if not within(name, {"sansocket"})}

    required = declared(project["dependencies"])
    trio, socks = (declared(project["optional-dependencies"][name]) for name in ("trio", "socks"))
    # asyncio is there without an extra, and so is what its backend needs.
    assert allowed(CORE) | allowed("sansocket.asyncio_backend") == required | socks
    assert allowed("sansocket.trio_backend") == trio | socks
    cli = declared(project["optional-dependencies"]["cli"])
    assert allowed("sansocket.command_line") - {"benchmarks"} == trio | cli


@pytest.mark.parametrize("path", list(python_files("sansio")), ids=str)
def test_core_reads_no_clock(path: Path) -> None:
    """A date may be a value that is sent; which day it is, the core is told."""
    assert not re.search(r"\b(date|datetime)\.(now|utcnow|today)\b", (ROOT / path).read_text())


def state_assignments(source: str) -> list[str]:
    """The lines that give something a state elsewhere than where it is made, or in its `step`."""
    tree = ast.parse(source)
    doors = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "step")
    ]
    return [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if node.attr == "state" and not any(node.lineno in door for door in doors)
    ]


@pytest.mark.parametrize("path", list(python_files("sansio")), ids=str)
def test_state_changes_by_its_table(path: Path) -> None:
    """`step` is the only door: its one assignment is what the table says."""
    assert not state_assignments((ROOT / path).read_text())


def test_state_assignments_are_seen() -> None:
    """In a method of another name, in any form of assignment, on any object."""
    aside = "def aside(self):\n    {}"
    for statement in ("self.state = DONE", "self.peer.state: State = DONE", "a, b.state = c"):
        assert state_assignments(aside.format(statement)) == ["line 2"]
        assert not state_assignments(aside.format(statement).replace("aside", "step"))


@pytest.mark.parametrize("path", EVERYTHING, ids=str)
def test_linked_folders_have_one_name(path: Path) -> None:
    """With the repository on the path, `import sansio` would be a second copy of every class."""
    found = imports((ROOT / path).read_text(), "here.module")
    assert not [f for f in found if not f.relative and within(f.target, LINKED)]


@pytest.mark.parametrize("path", EVERYTHING, ids=str)
def test_file(path: Path) -> None:
    """A file says what it is, has a name to show, and holds one idea."""
    source = (ROOT / path).read_text()
    assert ast.get_docstring(ast.parse(source)), f"{path} has no docstring"
    assert not re.search(r"(^|/)_(?!_init__|_main__)", str(path)), f"{path} hides behind a _"
    lines = source.count("\n")
    if str(path) in LONGER:
        assert lines > LINES, f"{path} is short again: strike it from LONGER"
    else:
        assert lines <= LINES, f"{path} has {lines} lines: split it, or give the reason in LONGER"


def test_exceptions_exist() -> None:
    assert {Path(path) for path in LONGER} <= set(EVERYTHING)


def test_each_core_module_has_its_tests() -> None:
    """`sansio/engineio/http.py` answers to `tests/sansio/engineio/test_http.py`."""
    modules = [path for path in python_files("sansio") if path.name != "__init__.py"]
    wanted = {Path("tests", path).with_name(f"test_{path.name}") for path in modules}
    missing = sorted(str(path) for path in wanted - set(EVERYTHING))
    assert not missing, "missing test modules: " + ", ".join(missing)
