"""How long eight independent nodes of one second take on four slots, beyond the start of the program."""

from __future__ import annotations

import json
import sys

from measure import Fact, Figure, arguments, console_script, fastest, in_child, report, scratch, write_files

NODES, SLOTS, SECONDS = 8, 4, 1.0
BOUND = 2.1
_CODE = f"""\
from time import sleep


def wait():
    sleep({SECONDS})


def nothing():
    pass
"""


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=3)
    names = [f"wait_{number}" for number in range(NODES)]
    sections = {
        "global_settings": {"max_parallel_nodes": SLOTS},
        "nodes": {name: {"function": "nodes.wait"} for name in names} | {"nothing": {"function": "nodes.nothing"}},
        "pipelines": {"wait": {"nodes": names}, "start": {"nodes": ["nothing"]}},
    }
    files = {f"config/base/{name}.json": json.dumps(section) for name, section in sections.items()}
    with scratch() as folder:
        project = write_files(folder / "project", {"settings.json": "{}", "src/nodes.py": _CODE, **files})
        run = [*console_script(folder, "tauro", "tauro.cli.cli"), "run", "--pipeline"]
        times = fastest({name: in_child([*run, name], cwd=project) for name in ("wait", "start")}, options.runs)
    beyond = times["wait"] - times["start"]
    least = NODES / SLOTS * SECONDS
    figure = Figure(f"{NODES} nodes of {SECONDS:g} s on {SLOTS} slots", beyond, least, BOUND / least)
    return report([figure], [Fact(f"at most {BOUND:g} s beyond the start", beyond <= BOUND)], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
