"""Where the official browser client is looked for, and under which names it is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from sansocket.command_line import browser_client
from sansocket.command_line.browser_client import ClientNotFound, find, served_files


def install(folder: Path, *names: str) -> Path:
    """Put an npm package with these files in dist/ into a folder."""
    package = folder / "node_modules" / "socket.io-client"
    (package / "dist").mkdir(parents=True)
    for name in names:
        (package / "dist" / name).write_text(f"// {name}")
    return package


@pytest.fixture(autouse=True)
def installed_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the module stand in a place that is no checkout."""
    monkeypatch.setattr(browser_client, "__file__", str(tmp_path / "a" / "b" / "c" / "module.py"))


def test_finds_the_package_of_the_nearest_folder(tmp_path: Path) -> None:
    outer = install(tmp_path, "socket.io.js")
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    assert find(project / "src") == outer
    inner = install(project, "socket.io.min.js")
    assert find(project / "src") == inner


def test_passes_over_a_package_without_the_files(tmp_path: Path) -> None:
    outer = install(tmp_path, "socket.io.js")
    install(tmp_path / "project", "index.js")
    assert find(tmp_path / "project") == outer


def test_finds_nothing(tmp_path: Path) -> None:
    assert find(tmp_path) is None


def test_falls_back_to_the_checkout(tmp_path: Path) -> None:
    package = install(tmp_path / "a" / "tests" / "interop", "socket.io.js")
    assert find(tmp_path) is None
    (tmp_path / "a" / "pyproject.toml").touch()
    assert find(tmp_path) == package


@pytest.mark.parametrize("folder", [".", "dist"])
def test_serves_a_package_or_its_dist_folder(tmp_path: Path, folder: str) -> None:
    """Only the names of the table are served, whatever else lies there (security rule 33)."""
    names = ("socket.io.js", "socket.io.js.map", "socket.io.msgpack.min.js")
    package = install(tmp_path, *names, "secret.js", "socket.io.min.js.bak")
    assert served_files(package / folder) == {name: package / "dist" / name for name in names}


def test_serves_one_file_under_both_names(tmp_path: Path) -> None:
    file = tmp_path / "my-build.js"
    file.touch()
    assert served_files(file) == {"socket.io.js": file, "socket.io.min.js": file}


@pytest.mark.parametrize("path", ["nowhere", "node_modules/socket.io-client"])
def test_refuses_a_path_without_a_client(tmp_path: Path, path: str) -> None:
    """A source map alone is no client either."""
    install(tmp_path, "socket.io.js.map")
    with pytest.raises(ClientNotFound, match=path):
        served_files(tmp_path / path)
