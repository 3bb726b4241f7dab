"""What all benchmarks share: taking times side by side, and telling them against a bound.

The candidates of a comparison run in turn, round after round, so that whatever else the machine
does falls on all of them alike; of each candidate the fastest run counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# What pip writes for an entry of [project.scripts].
_SCRIPT = """\
import sys
from {module} import {function}
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit({function}())
"""
# What the kernel says of a process's memory includes what its parent had: a small process starts it.
_STARTER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(1 if status else 0)
"""


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its reference.

    Attributes:
        name: What was measured.
        measured: How long it took, in seconds; or its unit.
        reference: What it is held against, in the same.
        bound: The largest ratio of the two that is good; None for a figure that is only told.
        note: What a reader should know.
        unit: ``s`` or ``MiB``.
    """

    name: str
    measured: float
    reference: float
    bound: float | None
    note: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """The measured figure in units of its reference."""
        return self.measured / self.reference

    @property
    def good(self) -> bool:
        """True when the bound is held."""
        return self.bound is None or self.ratio <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as JSON data."""
        return {**asdict(self), "ratio": round(self.ratio, 4), "good": self.good}


@dataclass(frozen=True)
class Fact:
    """Something that must hold beside the figures."""

    name: str
    holds: bool
    note: str = ""


def interleaved(candidates: Mapping[str, Callable[[], float]], runs: int) -> dict[str, list[float]]:
    """Run every candidate ``runs`` times in turn, once more before to warm up, and return their times.

    The order turns round after each round: nobody always runs behind the same neighbour.

    Args:
        candidates: Each measures one run of its own, in seconds.
        runs: How many runs of each count.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()
    for number in range(runs):
        for name in list(candidates) if number % 2 == 0 else reversed(candidates):
            times[name].append(candidates[name]())
    return times


def fastest(candidates: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Return the time of each candidate's fastest run. Arguments as :func:`interleaved`."""
    return {name: min(times) for name, times in interleaved(candidates, runs).items()}


def in_process(work: Callable[[], object]) -> Callable[[], float]:
    """Return a candidate that calls ``work`` in this process."""

    def run() -> float:
        started = perf_counter()
        work()
        return perf_counter() - started

    return run


def in_child(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    prepare: Callable[[], object] = lambda: None,
    peaks: list[float] | None = None,
) -> Callable[[], float]:
    """Return a candidate that runs ``command`` as a process of its own, from start to exit.

    Its stdout goes to /dev/null. A process that fails ends the benchmark with what it said.

    Args:
        command: Program and arguments.
        cwd: Where it runs.
        prepare: Called before each run, outside of its time.
        peaks: Gets the most memory that each run has had, in MiB.
    """

    def run() -> float:
        prepare()
        with tempfile.TemporaryFile() as said, tempfile.NamedTemporaryFile("r") as peak:
            starter = [] if peaks is None else [sys.executable, "-S", "-c", _STARTER, peak.name]
            started = perf_counter()
            done = subprocess.run(
                [*starter, *command], cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=said, check=False
            )
            seconds = perf_counter() - started
            if done.returncode:
                said.seek(0)
                sys.exit(f"{' '.join(map(str, command))} left with {done.returncode}:\n{said.read().decode()}")
            if peaks is not None:
                peaks.append(int(peak.read()) / 1024)
        return seconds

    return run


def environment() -> dict[str, str]:
    """Return this process's environment without what would change how a child starts."""
    unwanted = ("TAURO_", "PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def console_script(folder: Path, name: str, module: str, function: str = "main") -> list[str | Path]:
    """Write a console script as pip does, and return the command that runs it in this interpreter."""
    script = folder / name
    script.write_text(_SCRIPT.format(module=module, function=function), encoding="utf-8")
    return [sys.executable, script]


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write texts to paths below ``folder``, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def generated_project(folder: Path) -> Path:
    """Return the project that ``tauro template`` makes in ``folder``."""
    command = ["-m", "tauro", "template", "--template", "medallion_basic", "--project-name", "demo_project"]
    subprocess.run([sys.executable, *command], cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
    return folder / "demo_project"


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a temporary folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tauro-benchmark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def arguments(description: str | None, *, runs: int, rows: int | None = None) -> argparse.Namespace:
    """Read the command line that all benchmarks have: ``--json`` and ``--runs``; with ``rows`` also ``--rows``."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--runs", type=int, default=runs, help="runs of each candidate (default: %(default)s)")
    if rows is not None:
        parser.add_argument("--rows", type=int, default=rows, help="rows of the input (default: %(default)s)")
    return parser.parse_args()


def report(figures: Sequence[Figure], facts: Sequence[Fact] = (), *, as_json: bool) -> int:
    """Print what was measured, and return the exit code: 0 when every bound is held, else 1."""
    good = all(figure.good for figure in figures) and all(fact.holds for fact in facts)
    if as_json:
        data = {
            "good": good,
            "python": sys.version.split()[0],
            "figures": [figure.to_dict() for figure in figures],
            "facts": [asdict(fact) for fact in facts],
        }
        print(json.dumps(data, indent=2))
    else:
        print(_table(figures))
        for fact in facts:
            print(f"{'ok' if fact.holds else 'MISSED':<8}{fact.name}{': ' + fact.note if fact.note else ''}")
    return 0 if good else 1


def _table(figures: Sequence[Figure]) -> str:
    lines = [("", "Figure", "Measured", "Reference", "Ratio", "Bound", "")]
    lines += [
        (
            "" if figure.bound is None else "ok" if figure.good else "MISSED",
            figure.name,
            _amount(figure.measured, figure.unit),
            _amount(figure.reference, figure.unit),
            f"{figure.ratio:.2f}",
            "-" if figure.bound is None else f"{figure.bound:g}",
            figure.note,
        )
        for figure in figures
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _amount(number: float, unit: str) -> str:
    if unit != "s":
        return f"{number:,.0f} {unit}"
    seconds = number
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.{1 if seconds >= 0.01 else 3}f} ms"
