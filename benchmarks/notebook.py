"""What a notebook's magics cost beside what they stand for, in a real kernel.

``%tauro run`` runs in turn with ``Project.run`` on the same warm session, with the picture that it draws. A person
waits for the extension and for completions: these are bounded in seconds.
"""

from __future__ import annotations

import json
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel
from load_nodes import write_project
from measure import Fact, Figure, arguments, environment, generated_project, report, scratch, write_files

if TYPE_CHECKING:
    from pathlib import Path

BOUND_LOAD_SECONDS = 0.03
BOUND_RUN_SECONDS = 0.02
BOUND_COMPLETION_SECONDS = 0.05
_NODES = 2_000
_HEAVY = ("pyspark", "pysail", "pandas", "polars", "pyarrow", "numpy", "ipywidgets", "click", "rich", "loguru")
_LOADING = """
    import sys
    from time import perf_counter
    shell, times, loaded = get_ipython(), [], set()
    for _ in range(RUNS):
        shell.extension_manager.unload_extension("tauro_magics")
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tauro", "tauro_magics")]:
            del sys.modules[name]
        started = perf_counter()
        shell.extension_manager.load_extension("tauro_magics")
        times.append(perf_counter() - started)
        loaded = set(sys.modules)
    tell(seconds=min(times), loaded=sorted(name.partition(".")[0] for name in loaded))
"""
_RUNNING = """
    project = shell.magics_manager.registry["TauroMagics"].session.project("dev")
    times = {"magic": [], "python": []}
    def magic():
        shell.run_line_magic("tauro", "run --env dev --pipeline count")
    def python():
        project.run("count")
    for number in range(RUNS + 1):
        pair = [("magic", magic), ("python", python)]
        for name, work in pair if number % 2 else pair[::-1]:
            started = perf_counter()
            work()
            times[name].append(perf_counter() - started)
    tell(**{name: min(taken[1:]) for name, taken in times.items()})
"""
_COMPLETING = """
    from IPython.core.completer import provisionalcompleter
    def complete(text):
        with provisionalcompleter():
            return list(shell.Completer.completions(text, len(text)))
    def took(text):
        times = []
        for _ in range(RUNS + 1):
            started = perf_counter()
            assert complete(text), text
            times.append(perf_counter() - started)
        return min(times[1:])
    tell(**{text: took(text) for text in TEXTS})
"""
_COUNTING = {
    "config/dev/pipelines.yaml": "count: {nodes: [count, tell]}\n",
    "config/dev/nodes.yaml": "count: {function: counting.count, output: counted}\n"
    "tell: {function: counting.tell, input: counted}\n",
    "src/counting.py": "def count(spark):\n    return [spark.range(3).count()]\n\n\n"
    "def tell(counted):\n    assert counted == [3]\n",
}
_TEXTS = {
    "an option": "%tauro run --pi",
    "--pipeline": "%tauro run --env dev --pipeline ",
    "--node": "%tauro run --env dev --node ",
}


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=15)
    with scratch() as folder:
        # Beside the settings of a whole project a run that computes, and takes no time: the disk's would hide the rest.
        project = write_files(generated_project(folder), _COUNTING)
        write_project(folder / "large", _NODES)
        loading, running = _in_kernel(project, options.runs, _LOADING, _RUNNING)
        _, completing = _in_kernel(
            folder / "large", options.runs, _LOADING, f"TEXTS = {list(_TEXTS.values())}", _COMPLETING
        )
    beyond = running["magic"] - running["python"]
    figures = [
        Figure("%load_ext tauro_magics", loading["seconds"], BOUND_LOAD_SECONDS, 1.0),
        Figure("%tauro run", running["magic"], running["python"], None, "Project.run"),
        Figure("%tauro run beyond Project.run", max(beyond, 0.0), BOUND_RUN_SECONDS, 1.0),
        *(
            Figure(f"completion of {name}, {_NODES:,} nodes", completing[text], BOUND_COMPLETION_SECONDS, 1.0)
            for name, text in _TEXTS.items()
        ),
    ]
    heavy = sorted(set(_HEAVY) & set(loading["loaded"]))
    facts = [Fact("%load_ext tauro_magics loads nothing heavy", not heavy, ", ".join(heavy))]
    return report(figures, facts, as_json=options.json)


def _in_kernel(folder: Path, runs: int, *cells: str) -> list[Any]:
    """Execute cells in a new kernel, and return what each of them tells that tells anything."""
    manager, client = start_new_kernel(cwd=str(folder), env=environment())
    try:
        prologue = f"import json\nRUNS = {runs}\ndef tell(**facts): print('TOLD', json.dumps(facts))"
        return [told for cell in (prologue, *cells) for told in _told(client, dedent(cell))]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _told(client: Any, cell: str) -> list[Any]:
    said: list[str] = []
    reply = client.execute_interactive(cell, timeout=300, output_hook=lambda message: said.append(_text(message)))
    if reply["content"]["status"] != "ok":
        sys.exit("\n".join(reply["content"]["traceback"]))
    lines = "".join(said).splitlines()
    return [json.loads(line.removeprefix("TOLD ")) for line in lines if line.startswith("TOLD ")]


def _text(message: Any) -> str:
    return str(message["content"]["text"]) if message["msg_type"] == "stream" else ""


if __name__ == "__main__":
    sys.exit(main())
