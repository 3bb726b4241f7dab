"""Plays cases on an engine, and reads what is stored by readers that have no part in it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import polars as pl
from deltalake import DeltaTable

from suite.model import Case, Played, Refusal
from tauro.config.dates import Window
from tauro.errors import TauroError
from tauro.exec.preflight import check_engine
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.frames import SPARK, convert, to_spark
from tauro.io.stored import stored_dataset
from tauro.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tauro.engines import Engine

JANUARY = Window(date(2025, 1, 1), date(2025, 1, 31))


class Player(NamedTuple):
    """What plays cases.

    Attributes:
        mode: The ``mode`` of the projects.
        engine: Their engine.
        kind: The kind of frames that are written and read.
    """

    mode: str
    engine: Engine
    kind: str = SPARK


def play(case: Case, root: Path, player: Player) -> Played:
    """Play a case in a project of its own, at ``root``."""
    for name, text in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    writes = []
    for step in case.writes:
        settings = {"t": {"format": case.format, "filepath": case.place, **step.settings}}
        frame = of_kind(step.frame, player)
        writes.append(attempt(lambda: catalog(root, "output", settings, player).write("t", frame).rows))  # noqa: B023
    stored = attempt(lambda: told(root / case.place, case.format)) if case.writes else None
    return Played(tuple(writes), stored, reads(case, root, player))


def reads(case: Case, root: Path, player: Player) -> tuple[Any, ...]:
    """Return what a case's reads give, each as a pyarrow.Table or a Refusal."""
    return tuple(attempt(lambda: read(case, step.settings, root, player)) for step in case.reads)  # noqa: B023


def read(case: Case, settings: Mapping[str, Any], root: Path, player: Player) -> Any:
    """Return what one read gives as a frame of the player's kind, Spark's as a pyarrow.Table."""
    stored = {"format": case.format, "filepath": case.place}
    name = "q" if settings.get("format") == "query" else "t"
    described = {"t": stored, "q": settings} if name == "q" else {"t": {**stored, **settings}}
    value = catalog(root, "input", described, player).read(name, player.kind).value
    if player.kind == "polars.LazyFrame":
        return value.collect()
    return convert(value, "pyarrow.Table", player.engine.session) if player.kind == SPARK else value


def catalog(root: Path, section: str, settings: Mapping[str, Any], player: Player) -> Catalog:
    """Return the catalog of a project with these datasets, as a run has it when it starts."""
    folder = root / "config" / "base"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "settings.json").write_text('{"env_config": {"base": {}}}')
    given = {"global_settings": {"mode": player.mode}, "input": {}, "output": {}, section: settings}
    for name, data in given.items():
        (folder / f"{name}.json").write_text(json.dumps(data, default=str))
    config = Project.open(root, environ={}).config
    datasets = {name: stored_dataset(config, config.dataset(name)) for name in settings}
    check_engine(config, player.engine, *((datasets, {}) if section == "input" else ({}, datasets)))
    return Catalog(datasets, datasets, MemoryDatasets({}), player.engine.session, JANUARY, root / "spool")


def attempt(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or why it does not."""
    try:
        return call()
    except TauroError as error:
        return Refusal(error.exit_code, error.message)
    except Exception as error:  # noqa: BLE001 - the engine's own; a node that meets it has failed
        return Refusal(4, f"{type(error).__name__}: {error}")


def of_kind(frame: pl.DataFrame, player: Player) -> Any:
    """Return a frame of Polars as one of the player's kind."""
    if player.kind == "pandas.DataFrame":
        return frame.to_pandas(use_pyarrow_extension_array=True)
    if player.kind == SPARK:
        return to_spark(frame, player.engine.session())
    return convert(frame, player.kind, player.engine.session)


def told(path: Path, format_: str) -> Any:
    """Return columns, types, rows and partitions of what is stored; None where nothing is."""
    if format_ == "delta":
        return _told_by_delta_rs(path)
    files = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
    if not files:
        return None
    if format_ == "text":
        return sorted(line for file in files for line in file.read_bytes().split(b"\n")[:-1])
    if format_ == "csv":  # of one with nothing but a header DuckDB does not know that it is one
        files = [file for file in files if file.read_bytes().count(b"\n") > 1] or files
    return _told_by_duckdb([str(file) for file in files], format_)


def _told_by_delta_rs(path: Path) -> Any:
    if not DeltaTable.is_deltatable(str(path)):
        return None
    delta = DeltaTable(path)
    frame = pl.DataFrame(delta.to_pyarrow_table())
    keys = sorted({repr(sorted(part.items())) for part in delta.partitions()})
    columns = [(name, str(kind)) for name, kind in frame.schema.items()]
    return columns, in_order(frame.rows()), delta.metadata().partition_columns, keys


def _told_by_duckdb(files: list[str], format_: str) -> Any:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if format_ == "parquet":
            found = connection.read_parquet(files, hive_partitioning=True)
        elif format_ == "csv":
            found = connection.read_csv(files, all_varchar=True, hive_partitioning=True, header=True, quotechar='"')
        else:
            found = connection.read_json(files, hive_partitioning=True)
        # Which of several files of JSON is read first, and gives the order of columns, is chance.
        columns = [f'"{name}"' for name in (sorted(found.columns) if format_ == "json" else found.columns)]
        found = found.project(", ".join(columns))
        kinds = [(name, str(kind)) for name, kind in zip(found.columns, found.types, strict=True)]
        return kinds, in_order(found.fetchall())


def in_order(rows: Any) -> list[Any]:
    """Return rows in an order that does not depend on who wrote them."""
    return sorted(rows, key=repr)
