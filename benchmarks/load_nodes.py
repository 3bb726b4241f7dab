"""How long a large project takes to load and validate: 2,000 nodes, and 20,000.

Measured in this process, from the first byte read to the last check: ``Project.inspect`` and
``Project.validate``. Beside the two bounds it tells which part takes the time.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

from measure import Figure, arguments, fastest, in_process, interleaved, report, scratch, write_files

from tauro.config.discovery import read_index, section_files
from tauro.config.formats import parse_document
from tauro.config.loading import read_sources, resolve
from tauro.config.overlay import overlay
from tauro.config.validation import check_project
from tauro.project import Project
from tauro.security.paths import read_beneath

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE = 2_000, 20_000
BOUND_SMALL_SECONDS = 0.3
BOUND_GROWTH = 11.0
_NODES_OF_A_PIPELINE = 100
_ENV = "dev"


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=5)
    with scratch() as folder:
        projects = {size: write_project(folder / str(size), size) for size in (SMALL, LARGE)}
        times = fastest(
            {str(size): in_process(lambda root=root: load(root)) for size, root in projects.items()}, options.runs
        )
        parts = {size: parts_of(root, options.runs) for size, root in projects.items()}
    figures = [
        Figure(f"load {SMALL:,} nodes", times[str(SMALL)], BOUND_SMALL_SECONDS, 1.0),
        Figure(f"load {LARGE:,} nodes", times[str(LARGE)], times[str(SMALL)], BOUND_GROWTH),
    ]
    for size, seconds in parts.items():
        figures += [
            Figure(f"  {part} of {size:,}", value, times[str(size)], None, "share of the whole")
            for part, value in seconds.items()
        ]
    return report(figures, as_json=options.json)


def load(root: Path) -> None:
    """Load and validate a project as ``tauro config validate`` does; it must have no fault."""
    project, of_values = Project.inspect(root, _ENV, environ={})
    faults = [*of_values, *project.validate()]
    if faults:
        sys.exit(f"The generated project has {len(faults)} faults, the first: {faults[0]}")


def parts_of(root: Path, runs: int) -> dict[str, float]:
    """Return the time of each part of loading: read, parse, overlay, model and checks."""
    index = read_index(root)
    files = {
        (layer, section): path
        for layer in ("base", _ENV)
        for section, path in section_files(root, index, layer)[0].items()
    }
    raw = {path: read_beneath(root, path) for path in files.values()}
    documents = {place: parse_document(raw[path], path) for place, path in files.items()}
    sections = sorted({section for _, section in files})
    sources = read_sources(root, _ENV)
    config, _ = resolve(sources, environ={}, today=date(2025, 1, 1))
    times = interleaved(
        {
            "read": in_process(lambda: [read_beneath(root, path) for path in raw]),
            "parse": in_process(lambda: [parse_document(text, path) for path, text in raw.items()]),
            "overlay": in_process(
                lambda: [
                    overlay(section, [found for (_, name), found in documents.items() if name == section])
                    for section in sections
                ]
            ),
            "model": in_process(lambda: resolve(sources, environ={}, today=date(2025, 1, 1))),
            "checks": in_process(lambda: check_project(config)),
        },
        runs,
    )
    return {part: min(seconds) for part, seconds in times.items()}


def write_project(root: Path, size: int) -> Path:
    """Write a project of ``size`` nodes in pipelines of a hundred.

    Each node has a function in a module of its pipeline, reads what the node before it writes, and
    depends on it; the first one of a pipeline reads a file, and every tenth stores what it makes.
    """
    pipelines, nodes, inputs, outputs = [], [], [], []
    code: dict[str, str] = {}
    for first in range(0, size, _NODES_OF_A_PIPELINE):
        number = first // _NODES_OF_A_PIPELINE
        names = [f"node_{index:05}" for index in range(first, min(first + _NODES_OF_A_PIPELINE, size))]
        pipelines.append(
            f"pipeline_{number:03}:\n  description: Pipeline {number}\n  type: batch\n  nodes:\n"
            + "".join(f"    - {name}\n" for name in names)
        )
        inputs.append(f"raw_{number:03}:\n  format: csv\n  filepath: data/input/raw_{number:03}.csv\n")
        for index, name in enumerate(names):
            source = f"made_{names[index - 1]}" if index else f"raw_{number:03}"
            nodes.append(
                f"{name}:\n  description: Node {name}\n  module: pipelines.part_{number:03}\n  function: {name}\n"
                f"  input: [{source}]\n  output: [made_{name}]\n"
                + (f"  dependencies: [{names[index - 1]}]\n" if index else "")
            )
            if index % 10 == 9:
                outputs.append(f"made_{name}:\n  format: delta\n  filepath: data/output/made_{name}\n")
        code[f"src/pipelines/part_{number:03}.py"] = "\n\n".join(
            f"def {name}(frame):\n    return frame\n" for name in names
        )
    return write_files(
        root,
        {
            "settings_yml.json": '{"base_path": ".", "env_config": {"base": {}, "dev": {}}}',
            "config/base/global_settings.yaml": "project_name: large\nmode: local\n",
            "config/base/pipelines.yaml": "".join(pipelines),
            "config/base/nodes.yaml": "".join(nodes),
            "config/base/input.yaml": "".join(inputs),
            "config/base/output.yaml": "".join(outputs),
            "config/dev/global_settings.yaml": "output_path: data/dev\n",
            **code,
        },
    )


if __name__ == "__main__":
    sys.exit(main())
