"""A project on disk, made of the texts of its files."""

import json
from textwrap import dedent

import pytest

# A project without faults: each test changes what it is about.
SOUND = {
    "settings.json": '{"env_config": {}}',
    "config/base/pipelines.yaml": "p: {nodes: [a]}\n",
    "config/base/nodes.yaml": "a: {function: m.f, input: i, output: o}\n",
    "config/base/input.yaml": "i: {format: csv, filepath: data/i.csv}\n",
    "config/base/output.yaml": "o: {format: parquet, filepath: data/o}\n",
    "src/m.py": "def f(frame):\n    return frame\n",
}
SECTIONS = ("global_settings", "pipelines", "nodes", "input", "output")


@pytest.fixture
def project(tmp_path):
    """Return a function that writes a project and returns its folder.

    Its keyword arguments replace section files of ``base``; ``files`` adds or replaces any file, None leaves one out.
    """

    def write(files=None, **sections):
        texts = dict(SOUND)
        for section, text in sections.items():
            assert section in SECTIONS
            texts[f"config/base/{section}.yaml"] = text
        texts.update(files or {})
        for name, text in texts.items():
            if text is None:
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text) if isinstance(text, str) else json.dumps(text))
        return tmp_path

    return write
