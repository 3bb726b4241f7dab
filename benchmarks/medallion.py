"""What Tauro adds to a Medallion project: the generated pipelines against scripts written by hand.

Both compute the same tables from the same files on the same engine, and every run starts without
them. Bronze, silver and gold are compared each as a process of its own, and all three in one
process: the generated ``src/pipelines/medallion.py`` against the script that does it by hand. The
scripts stand in ``benchmarks/plain``. They check no data, so the project's checks are taken away;
what checks cost is measured by ``checks.py``.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable
from measure import (
    Fact,
    Figure,
    arguments,
    console_script,
    environment,
    fastest,
    generated_project,
    in_child,
    report,
    scratch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINES = {
    "bronze": "bronze_batch_ingestion",
    "silver": "silver_transformation",
    "gold": "gold_aggregation",
}
BOUND = 1.15
_PLAIN = Path(__file__).resolve().parent / "plain"


def main() -> int:
    """Measure, print, and return the exit code."""
    options = arguments(__doc__, runs=9)
    with scratch() as folder:
        project = without_checks(generated_project(folder))
        tauro = console_script(folder, "tauro", "tauro.cli.cli")
        ours, theirs = project / "data" / "output" / "dev", folder / "by_hand"
        candidates: dict[str, Callable[[], float]] = {}
        for layer, pipeline in PIPELINES.items():
            run = [*tauro, "run", "--env", "dev", "--pipeline", pipeline]
            candidates[f"tauro {layer}"] = in_child(run, cwd=project, prepare=_without(ours / layer))
            script = [sys.executable, _PLAIN / f"{layer}.py", project, theirs]
            candidates[f"plain {layer}"] = in_child(script, cwd=project, prepare=_without(theirs / layer))
        times = fastest(candidates, options.runs)
        facts = same_tables(ours, theirs)
        times |= fastest(
            {
                "tauro in one process": in_child(
                    [sys.executable, project / "src" / "pipelines" / "medallion.py"],
                    cwd=project,
                    prepare=_without(ours),
                ),
                "plain in one process": in_child(
                    [sys.executable, _PLAIN / "medallion.py", project, theirs], cwd=project, prepare=_without(theirs)
                ),
            },
            options.runs,
        )
    figures = [
        Figure(name, times[f"tauro {name}"], times[f"plain {name}"], BOUND) for name in (*PIPELINES, "in one process")
    ]
    return report(figures, facts, as_json=options.json)


def without_checks(project: Path) -> Path:
    """Take the checks of the project's outputs away, by a layer of its dev environment."""
    shown = json.loads(_tauro(project, "config", "show", "--section", "output", "--output", "json"))
    checked = {name: {"checks": None} for name, output in shown["sections"]["output"].items() if "checks" in output}
    (project / "config/dev/output.json").write_text(json.dumps(checked), encoding="utf-8")
    (index,) = project.glob("settings*.json")
    settings = json.loads(index.read_text(encoding="utf-8"))
    settings["env_config"]["dev"]["output_config_path"] = "config/dev/output.json"
    index.write_text(json.dumps(settings), encoding="utf-8")
    return project


def _tauro(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "tauro", *arguments]
    return subprocess.run(command, cwd=project, env=environment(), check=True, capture_output=True, text=True).stdout


def _without(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def same_tables(ours: Path, theirs: Path) -> list[Fact]:
    """Compare what both have made, table by table."""
    names = {tuple(path.parts[-3:]) for root in (ours, theirs) for path in root.glob("*/*/*")}
    different = [
        "/".join(name) for name in sorted(names) if _rows(ours.joinpath(*name)) != _rows(theirs.joinpath(*name))
    ]
    return [Fact(f"both made the same {len(names)} tables", bool(names) and not different, ", ".join(different))]


def _rows(table: Path) -> list[str] | None:
    """Return the rows of a table in an order that only they decide, None where there is no table."""
    if not table.is_dir():
        return None
    rows: list[dict[str, Any]] = []
    if (table / "_delta_log").is_dir():
        rows = DeltaTable(table).to_pyarrow_table().to_pylist()
    else:
        for path in table.rglob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                rows += csv.DictReader(file)
    return sorted(repr(sorted(row.items())) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
