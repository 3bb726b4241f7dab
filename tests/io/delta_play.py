"""Plays writes on one engine; Apache Spark does so in a process of its own."""

from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from tauro.config.dates import Window
from tauro.config.model import DatasetConfig
from tauro.config.report import Report, SectionReport
from tauro.config.schema import build
from tauro.errors import TauroError
from tauro.io.delta.commits import WriteId, history
from tauro.io.delta.format import DeltaFormat
from tauro.io.formats import Target
from tauro.io.location import Location

JANUARY = Window(date(2025, 1, 1), date(2025, 1, 31))
DELTA = DeltaFormat()


def play(session, step, path):
    """Write, and return how many rows were told, or the error; or execute a statement of the engine's own."""
    if "sql" in step:
        session.sql(step["sql"].replace("TABLE_HERE", f"delta.`{path}`")).collect()
        return None
    config = build(DatasetConfig, step["settings"], (), SectionReport(Report({}), "output"), name="t", section="output")
    local = Location(str(path), path, "t")
    location = local if not step.get("elsewhere") else Location(f"file://{path}", None, "t")
    write = WriteId(step.get("id", f"{step}"), step.get("repeats", False))
    target = Target(location, config, JANUARY, write)
    try:
        return DELTA.write(session.sql(step["rows"]), target)
    except TauroError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - the engine's own
        return f"{type(error).__name__}: outside" if "outside of what" in str(error) else f"{error}"


def table(path):
    frame = pl.from_arrow(DeltaTable(path).to_pyarrow_table())
    frame = frame.select(sorted(frame.columns))
    kinds = {name: str(kind) for name, kind in frame.schema.items()}
    return {"columns": kinds, "rows": sorted(map(list, frame.rows()), key=repr)}


def play_all(engine, cases, folder):
    """Return for each case what its steps were told, and what has become of its table."""
    session, results = engine.session(), {}
    for case, steps in cases.items():
        path = Path(folder) / case
        told = [play(session, step, path) for step in steps]
        newest = history(Location(str(path), path, "t"), 1)[0]
        own = {} if "sql" in steps[0] else table(path)  # other readers do not know all that the engine makes
        results[case] = {"told": told, "newest": newest.operation, "path": str(path), **own}
    return results
