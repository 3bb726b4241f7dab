"""What Tauro adds on Apache Spark: beside a script by hand, beside the embedded engine, and by rows and executors.

- The Medallion pipeline of ``large_medallion.py`` on local Spark, against ``plain/spark_medallion.py``. Both are
  processes of their own, with the same settings, and make Delta tables.
- The generated project, cold: bronze, silver and gold on local Spark against the embedded engine.
- The same pipeline on clusters of one to four executors (``local-cluster``), with the time in which Tauro and Python
  are at work and no call of Spark is open: Tauro's own share.

The connectors of Delta are installed into a folder of its own first: from ~/.m2 or Maven Central.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from large_medallion import NODES
from measure import (
    Fact,
    Figure,
    console_script,
    environment,
    fastest,
    generated_project,
    in_child,
    report,
    scratch,
    write_files,
)
from medallion import PIPELINES, without_checks
from sales import PLAIN, make_project, same_tables, without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


BOUND, SHARE_BOUND = 1.05, 0.02
MEMORY = "4g"
LARGE = 10_000_000
_OWN = Path(__file__).with_name("own_share.py")
_SPARK = {"mode": "spark", "spark_config": {"spark.driver.memory": MEMORY}}


def main() -> int:
    """Measure, print, and return the exit code."""
    options = _options()
    figures: list[Figure] = []
    facts: list[Fact] = []
    with scratch() as folder:
        os.environ["XDG_CACHE_HOME"] = str(folder / "caches")
        command = [sys.executable, "-m", "tauro", "engine", "install", "--delta"]
        subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)
        if "script" in options.parts:
            compare(folder / "script", options.rows, options.runs, figures, facts)
        if "cold" in options.parts:
            figures += start_cold(folder / "cold", options.runs)
        if "scale" in options.parts:
            figures += scale(folder / "scale", options.sizes, options.executors)
    return report(figures, facts, as_json=options.json)


def compare(folder: Path, rows: int, runs: int, figures: list[Figure], facts: list[Fact]) -> None:
    """Measure Tauro on local Spark against the script."""
    project = _project(folder, rows)
    ours, theirs = project / "data" / "output", folder / "by_hand"
    jars = sorted((folder.parent / "caches" / "tauro" / "jars").glob("*.jar"))
    os.environ |= {"JARS": ",".join(map(str, jars)), "MASTER": "local[*]", "MEMORY": MEMORY}
    run = [*console_script(folder, "tauro", "tauro.cli.cli"), "run", "--pipeline", "medallion"]
    script = [sys.executable, PLAIN / "spark_medallion.py", project, theirs]
    times = fastest(
        {
            "tauro": in_child(run, cwd=project, prepare=without(ours)),
            "plain": in_child(script, cwd=project, prepare=without(theirs)),
        },
        runs,
    )
    figures.append(Figure(f"{rows:,} rows, local[*]", times["tauro"], times["plain"], BOUND, "a script by hand"))
    facts += same_tables(ours / "base", theirs)


def start_cold(folder: Path, runs: int) -> list[Figure]:
    """Measure the generated project on local Spark against the embedded engine."""
    candidates: dict[str, Callable[[], float]] = {}
    for engine in ("local", "spark"):
        home = write_files(folder / engine, {})
        home.mkdir(parents=True)
        project = without_checks(generated_project(home))
        settings = project / "config" / "base" / "global_settings.yaml"
        settings.write_text(settings.read_text().replace("mode: local", f"mode: {engine}"))
        tauro = console_script(home, "tauro", "tauro.cli.cli")
        layers = [
            in_child([*tauro, "run", "--env", "dev", "--pipeline", name], cwd=project) for name in PIPELINES.values()
        ]
        tables = without(project / "data" / "output")
        candidates[engine] = lambda layers=layers, tables=tables: (tables(), sum(layer() for layer in layers))[1]
    times = fastest(candidates, runs)
    note = "the embedded engine; three processes each"
    return [Figure("generated project, cold, local Spark", times["spark"], times["local"], None, note)]


def scale(folder: Path, sizes: Sequence[int], executors: Sequence[int]) -> list[Figure]:
    """Measure Tauro's own share of a run by its rows and executors."""
    figures = []
    for rows in sizes:
        project = _project(folder / str(rows), rows)
        for count in executors:
            without(project / "data" / "output")()
            settings = {**_SPARK, "spark_master": f"local-cluster[{count},1,1024]"}
            _configure(project, settings)
            command = [sys.executable, "-P", _OWN, project]  # -P: its own medallion is another one
            done = subprocess.run(command, env=environment(), check=False, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{rows:,} rows on {count} executors failed:\n{done.stderr}")
            told = json.loads(done.stdout.splitlines()[-1])
            name = f"Tauro's own time, {rows:,} rows, {count} executor{'s' * (count > 1)}"
            bound = SHARE_BOUND if rows >= LARGE else None
            figures.append(Figure(name, told["own"], told["whole"], bound, "of the whole run"))
    return figures


def _project(folder: Path, rows: int) -> Path:
    project = make_project(folder / "project", rows, NODES)
    _configure(project, {**_SPARK, "spark_master": "local[*]"})
    return project


def _configure(project: Path, settings: dict[str, Any]) -> None:
    dates = {"start_date": "2025-01-01", "end_date": "2025-01-31"}
    (project / "config" / "base" / "global_settings.json").write_text(json.dumps({**dates, **settings}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parts = ["script", "cold", "scale"]
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what is measured (default: all)")
    parser.add_argument("--runs", type=int, default=2, help="runs of each candidate (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows beside the script (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, LARGE], help="rows on clusters")
    parser.add_argument("--executors", type=int, nargs="+", default=[1, 2, 4], help="executors of the clusters")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
