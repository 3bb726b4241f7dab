"""The archive of a project's code: what nodes can import, workers can import, and nothing else is in it."""

import subprocess
import sys
from zipfile import ZipFile

import pytest

from tauro.engines.shipping import pack


@pytest.fixture
def root(tmp_path):
    """A project with code in all places, and with what is no code."""
    files = {
        "src/nodes.py": "from deep.inner.tool import VALUE\nfrom _own import OWN\nimport words, beside\n",
        "src/_own.py": "OWN = 1\n",
        "src/deep/inner/tool.py": "VALUE = 2\n",
        "src/words.py": "WHO = 'src'\n",
        "lib/words.py": "WHO = 'lib'\n",
        "src/queries/all.sql": "SELECT 1\n",
        "beside.py": "HERE = 3\n",
        "package/__init__.py": "",
        "package/module.py": "HERE = 4\n",
        "src/json.py": "raise ImportError\n",
        "src/.env": "SECRET=1\n",
        "src/__pycache__/nodes.cpython-311.pyc": "x",
        "data/rows.py": "raise ImportError\n",
        "config/base/input.json": "{}",
        ".tauro/runs/x.py": "",
    }
    for name, text in files.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "project/src/large.bin").write_bytes(bytes((4 << 20) + 1))
    return tmp_path / "project"


def test_modules_are_found_in_the_archive_as_in_the_project(root, tmp_path):
    archive = pack(root, tmp_path)
    code = (
        "import nodes, words, beside, package.module, src.nodes, json, pkgutil\n"
        "print(nodes.VALUE, nodes.OWN, words.WHO, beside.HERE, package.module.HERE, json.dumps(1))"
    )
    program = f"import sys; sys.path.insert(1, {str(archive)!r})\n{code}"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "1", "src", "3", "4", "1"]


def test_nothing_is_shipped_that_is_no_code(root, tmp_path):
    names = set(ZipFile(pack(root, tmp_path)).namelist())
    assert "queries/all.sql" in names
    assert {
        name for name in names if any(word in name for word in ("data", "config", "tauro", "env", "cache"))
    } == set()
    assert "json.py" not in names
    assert "large.bin" not in names


def test_the_name_of_an_archive_changes_with_its_content_alone(root, tmp_path):
    first = pack(root, tmp_path)
    assert pack(root, tmp_path) == first
    (root / "src/_own.py").write_text("OWN = 5\n")
    assert pack(root, tmp_path).name != first.name


def test_a_project_without_code_has_no_archive(tmp_path):
    assert pack(tmp_path / "nowhere", tmp_path) is None
