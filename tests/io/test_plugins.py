"""Formats of other packages: found by their entry points, served as Tauro's own, and told when they are broken."""

import re
from pathlib import Path

import polars as pl
import pytest

from tauro.errors import DependencyError, Unsupported
from tauro.io.registry import format_named

PAGE = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"
CODE = """
    def by_spark(frame):
        return frame.selectExpr("id + 1 AS id")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package with one module and one entry point."""

    def install_(name, module, text, entry_points):
        folder = tmp_path / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(folder)

    return install_


def test_the_package_that_the_documents_show_serves_its_format(install, open_project):
    """The code and the entry point stand in docs/datasets.md as they are used here."""
    page = PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (toml,) = re.findall(r'```toml\n\[project.entry-points."tauro.datasets"\]\n(.*?)```', page, re.DOTALL)
    install("tauro-arrow", "tauro_arrow", code, f"[tauro.datasets]\n{toml.replace(chr(34), '')}")
    datasets = {name: {"format": "arrow", "filepath": f"data/{name}.arrow"} for name in ("a", "b")}
    nodes = {"by_spark": {"input": "a", "output": "b"}}
    project = open_project(CODE, nodes, input={"a": datasets["a"]}, output={"b": datasets["b"]})
    root = project.config.root
    (root / "data").mkdir()
    pl.DataFrame({"id": [1, 2]}).write_ipc(root / "data/a.arrow")
    assert list(project.validate()) == []
    assert project.run("p").state == "completed"
    assert sorted(pl.read_ipc(root / "data/b.arrow")["id"]) == [2, 3]


def test_a_package_that_cannot_be_imported_is_named(install):
    install("broken", "broken_format", "import nowhere\n", "[tauro.datasets]\nbroken = broken_format:Format\n")
    with pytest.raises(DependencyError, match=r"brought by broken \(broken_format:Format\), which cannot be loaded"):
        format_named("broken")


def test_a_format_without_all_that_one_serves_is_refused_with_what_it_lacks(install):
    install(
        "half", "half_format", "class Format:\n    name = 'half'\n", "[tauro.datasets]\nhalf = half_format:Format\n"
    )
    with pytest.raises(DependencyError, match="lacks: modes, exists, read, write, rows") as caught:
        format_named("half")
    assert caught.value.hint == "docs/datasets.md says what a format serves."


def test_a_format_of_two_packages_is_refused_with_both(install):
    for name in ("one", "two"):
        install(name, f"{name}_format", "", f"[tauro.datasets]\ntwice = {name}_format:Format\n")
    with pytest.raises(DependencyError, match=r"several packages: .*one.*two|several packages: .*two.*one"):
        format_named("twice")


def test_a_format_of_nobody_is_refused(install):
    with pytest.raises(Unsupported, match="Format 'nobodys' is not available"):
        format_named("nobodys")
