"""What the wheel holds, and that the folders of the tree and the list of packages agree.

The distribution is built from a copy, so that a run leaves nothing in the tree, and without
network: the build backend is a tool of development, and a fresh environment borrows the
libraries that this one has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS: Final[dict[str, Any]] = PROJECT["tool"]["setuptools"]
FOLDERS: Final[dict[str, str]] = SETUPTOOLS["package-dir"]
LINKED: Final = ("sansio", "trio_backend", "asyncio_backend")

# What imports every module of the installed distribution, `__main__` excepted: it is run below.
IMPORT_ALL = """
import importlib, pkgutil, sansocket
names = [m.name for m in pkgutil.walk_packages(sansocket.__path__, "sansocket.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(sansocket.__file__, *names, sep="\\n")
"""


def shipped_files() -> dict[str, Path]:
    """Map every file that the wheel should hold to its place in the tree."""
    found: dict[str, Path] = {}
    for package, folder in FOLDERS.items():
        prefix = PurePosixPath(*package.split("."))
        # `os.walk` leaves the links alone: what they lead to is mapped by its own folder.
        for at, inner, files in os.walk(ROOT / folder):
            inner[:] = [name for name in inner if name != "__pycache__"]
            for file in files:
                path = Path(at, file)
                found[str(prefix / path.relative_to(ROOT / folder).as_posix())] = path
    return found


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command; return what it wrote, or fail with it."""
    done = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and from it the wheel, as a release does; return their folder."""
    tree = tmp_path_factory.mktemp("packaging") / "tree"
    made = shutil.ignore_patterns(
        ".*", "*.egg-info", "__pycache__", "node_modules", "build", "dist"
    )
    shutil.copytree(ROOT, tree, symlinks=True, ignore=made)
    output = run(sys.executable, "-m", "build", "--no-isolation", cwd=tree)
    assert "Warning" not in output, output
    return tree / "dist"


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own; return the folder of its scripts."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, symlinks=True)
    scripts = home / "bin"
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python")
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home)
    (site,) = home.glob("lib/python*/site-packages")
    # A line in a .pth file lends the libraries; the editable install beside them stays asleep.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


def test_every_folder_of_modules_is_listed() -> None:
    """setuptools leaves an unlisted package out of the wheel without a word."""
    modules = [PurePosixPath(name) for name in shipped_files() if name.endswith(".py")]
    packages = {".".join(path.parent.parts) for path in modules}
    assert packages == set(SETUPTOOLS["packages"])
    assert len(packages) == len(SETUPTOOLS["packages"])
    marked = {".".join(path.parent.parts) for path in modules if path.name == "__init__.py"}
    assert packages == marked, "a folder of modules without an __init__.py"


def test_wheel_holds_the_tree(wheel: Path) -> None:
    """Every file of every package, byte for byte, and nothing else."""
    wanted = {name: path.read_bytes() for name, path in shipped_files().items()}
    with zipfile.ZipFile(wheel) as archive:
        held = {n: archive.read(n) for n in archive.namelist() if ".dist-info/" not in n}
    assert held.keys() == wanted.keys()
    assert held == wanted
    assert "sansocket/py.typed" in held


def test_sdist_holds_the_house(dist: Path) -> None:
    """Who unpacks the sdist finds the tests and the papers, and nothing that was installed."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    papers = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"}
    assert held >= papers | {"pyproject.toml", "tests/test_packaging.py", "sansio/errors.py"}
    assert not [name for name in held if "node_modules" in name or "__pycache__" in name]


def test_wheel_installs_and_imports(fresh: Path) -> None:
    """In a fresh environment, with warnings as errors, and out of reach of the tree."""
    output = run(fresh / "python", "-I", "-W", "error", "-c", IMPORT_ALL, cwd=fresh)
    file, *names = output.splitlines()
    assert Path(file).is_relative_to(fresh.parent)
    assert set(SETUPTOOLS["packages"]) - {"sansocket"} <= set(names)


@pytest.mark.parametrize("command", [("sansocket",), ("python", "-m", "sansocket")], ids=" ".join)
def test_command_is_installed(fresh: Path, command: tuple[str, ...]) -> None:
    output = run(fresh / command[0], *command[1:], "--help", cwd=fresh)
    assert "usage: " in output


@pytest.mark.parametrize("folder", LINKED)
def test_link(folder: str) -> None:
    """Type checkers follow the links; a link that names a place works in one checkout only."""
    link = ROOT / "sansocket" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("..", folder)
    assert link.is_dir()


def test_links_and_map_agree() -> None:
    mapped = {f"sansocket.{folder}": folder for folder in LINKED}
    assert mapped | {"sansocket": "sansocket"} == FOLDERS
    links = {path.name for path in (ROOT / "sansocket").iterdir() if path.is_symlink()}
    assert links == set(LINKED)


def test_type_checkers_see_every_folder() -> None:
    """A checker that is not told of a folder finds no error in it, and says success."""
    tops = {path.parent for path in ROOT.glob("*/__init__.py")}
    tops |= {ROOT / name for name in ("tests", "fuzz", "examples", "benchmarks")}
    holding = {path.name for path in tops if next(path.rglob("*.py"), None)}
    assert holding <= set(PROJECT["tool"]["pyright"]["include"])
    assert holding - set(LINKED) <= set(PROJECT["tool"]["mypy"]["files"])
