"""Calls one node function, of no project."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tauro.config.dates import Window, parse_date
from tauro.config.model import NodeConfig
from tauro.exec.ml import MlContext, MlOptions
from tauro.exec.needs import ReadySession
from tauro.exec.node import NodeCaller
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.frames import SPARK, kind_of
from tauro.testing.calling import returned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyspark.sql import SparkSession

FROZEN = date(2025, 1, 1)
"""The day of a run that is given none: what a test finds does not depend on the day on which it runs."""

RUN = "test"
"""The id of a test's run."""


def call_alone(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    dates: tuple[str | None, str | None],
    params: Mapping[str, Any],
    *,
    ml: MlOptions,
    spark: SparkSession | None,
) -> Any:
    """Return what a function returns that is called as a node, computed.

    Args:
        function: The function.
        inputs: Its inputs in their order.
        dates: The first and the last day, as people write them.
        params: Its parameters.
        ml: Model version and hyperparameters.
        spark: The Spark session, where one is given.
    """
    __tracebackhide__ = True
    names = tuple(f"input {number}" for number, _ in enumerate(inputs, 1))
    memory = MemoryDatasets(dict.fromkeys(names, 1))
    for name, value in zip(names, inputs, strict=True):
        memory.put(name, value)
    start, end = (parse_date(day, today=FROZEN) if day else FROZEN for day in dates)
    name = getattr(function, "__name__", type(function).__name__)
    node = NodeConfig(name=name, inputs=names, params=params)

    def session() -> SparkSession:
        theirs = (value.sparkSession for value in inputs if kind_of(value) == SPARK)
        return spark or next(theirs, None) or _open_session()

    with TemporaryDirectory(prefix="tauro-test-") as folder:
        context = MlContext(_ml_values(name, ml), session, Path(folder, "models"))
        caller = NodeCaller(
            catalog=Catalog({}, {}, memory, session, Window(start, end), Path(folder, "spool")),
            session=session,
            run_id=RUN,
            env=RUN,
            settings={},
            ml_context=lambda _node: context,
            load=lambda _module, _name: function,
        )
        return returned(caller, node, ("", name))


def _ml_values(name: str, ml: MlOptions) -> dict[str, Any]:
    return {
        "model_version": ml.model_version,
        "hyperparams": dict(ml.hyperparams or {}),
        "node_config": {"name": name},
        "pipeline_config": {},
        "execution_metadata": {"run_id": RUN, "env": RUN, "node": name},
    }


def _open_session() -> SparkSession:
    """Return the session that is open, else that of an embedded engine, which lives until the process ends."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        embedded = _embedded()
        embedded.prepare()
        session = embedded()
    return session


@cache  # the tests of a process share it
def _embedded() -> ReadySession:
    from tauro.engines import engine_for

    return ReadySession(engine_for("local", app_name="tests", spark_config={}))
