"""The examples of docs/testing.md run, as they are written, in a generated project."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tauro.scaffold.generator import generate

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_page_pass(tmp_path):
    node, pipeline, conftest = BLOCKS
    made = generate("medallion_basic", "shop", tmp_path)
    tests = made.path / "tests"
    for file in tests.iterdir():
        file.unlink()
    (tests / "conftest.py").write_text(conftest)
    (tests / "test_node.py").write_text(node)
    (tests / "test_pipeline.py").write_text(pipeline)
    (tests / "test_env.py").write_text("def test_env(tauro_project): assert tauro_project.env == 'dev'\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TAURO"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=made.path, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
