"""What a node costs that does nothing: chains of 1,000 and 10,000 nodes, each waiting for the one before.

Measured are whole processes, ``tauro run`` from start to exit, less that of a chain of one node.
So the figure holds everything a node costs: reading and checking its settings, planning, calling,
events, the run's record. The same chain in kedro and in dagster stands beside it where they are
installed.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from measure import Figure, arguments, console_script, fastest, in_child, report, scratch, write_files

if TYPE_CHECKING:
    from pathlib import Path

ONE, SHORT, LONG = 1, 1_000, 10_000
BOUND_NODE_SECONDS = 0.0003
BOUND_GROWTH = 1.2

_KEDRO = """\
import sys
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner

def nothing(value):
    return value

size = int(sys.argv[1])
steps = [node(nothing, f"step_{i}", f"step_{i + 1}", name=f"node_{i}") for i in range(size)]
SequentialRunner().run(pipeline(steps), DataCatalog({"step_0": MemoryDataset(0)}))
"""
_DAGSTER = """\
import sys
from dagster import DagsterInstance, In, Nothing, Out, op, job

@op(ins={"before": In(Nothing)}, out=Out(Nothing))
def nothing():
    pass

@op(out=Out(Nothing))
def first():
    pass

@job
def chain():
    before = first.alias("node_0")()
    for index in range(1, int(sys.argv[1])):
        before = nothing.alias(f"node_{index}")(before=before)

chain.execute_in_process(instance=DagsterInstance.ephemeral())
"""


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=11)
    with scratch() as folder:
        tauro = console_script(folder, "tauro", "tauro.cli.cli")
        command = [*tauro, "run", "--env", "dev", "--pipeline", "chain"]
        times = fastest(
            {str(size): in_child(command, cwd=write_chain(folder / str(size), size)) for size in (ONE, SHORT, LONG)},
            options.runs,
        )
        short, long = _per_node(times, SHORT), _per_node(times, LONG)
        figures = [
            Figure(f"a node of {SHORT:,}", short, BOUND_NODE_SECONDS, 1.0),
            Figure(f"a node of {LONG:,}", long, short, BOUND_GROWTH),
            Figure(f"process of {SHORT:,} nodes", times[str(SHORT)], times[str(ONE)], None, "against one node"),
            Figure(f"process of {LONG:,} nodes", times[str(LONG)], times[str(ONE)], None, "against one node"),
        ]
        figures += others(folder, short)
    return report(figures, as_json=options.json)


def _per_node(times: dict[str, float], size: int) -> float:
    return (times[str(size)] - times[str(ONE)]) / (size - ONE)


def others(folder: Path, ours: float) -> list[Figure]:
    """Measure the same chain of 1,000 nodes in the alternatives that can be imported."""
    programs = {name: text for name, text in (("kedro", _KEDRO), ("dagster", _DAGSTER)) if find_spec(name) is not None}
    write_files(folder, {f"chain_in_{name}.py": text for name, text in programs.items()})
    figures = []
    for name in programs:
        script = folder / f"chain_in_{name}.py"
        times = fastest(
            {str(size): in_child([sys.executable, script, str(size)], cwd=folder) for size in (ONE, SHORT)}, runs=3
        )
        figures.append(Figure(f"a node of {SHORT:,} in {name}", _per_node(times, SHORT), ours, None, "against Tauro's"))
    return figures


def write_chain(root: Path, size: int) -> Path:
    """Write a project whose one pipeline is a chain of ``size`` nodes without data."""
    names = [f"node_{index:05}" for index in range(size)]
    nodes = [
        f"{name}:\n  module: chain\n  function: nothing\n"
        + (f"  dependencies: [{names[index - 1]}]\n" if index else "")
        for index, name in enumerate(names)
    ]
    return write_files(
        root,
        {
            "settings_yml.json": '{"base_path": ".", "env_config": {"base": {}, "dev": {}}}',
            "config/base/global_settings.yaml": "project_name: chain\nmode: local\n",
            "config/base/pipelines.yaml": "chain:\n  type: batch\n  nodes:\n" + "".join(f"    - {n}\n" for n in names),
            "config/base/nodes.yaml": "".join(nodes),
            "config/dev/global_settings.yaml": "layer: dev\n",
            "src/chain.py": "def nothing():\n    pass\n",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
