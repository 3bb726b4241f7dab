"""Makes the checks of datasets that are in memory."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tauro.config.model import canonical
from tauro.io.checks import CheckFailed, Outcome, Scope, check_read, needs_spark, side_table
from tauro.io.frames import SPARK, convert, kind_of_frame, to_lazy, to_spark
from tauro.testing.alone import RUN

if TYPE_CHECKING:
    from tauro.config.check_rules import Check
    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.errors import Place
    from tauro.io.catalog import Catalog

_LOGGER = logging.getLogger(__name__)


def passed(config: ProjectConfig, dataset: DatasetConfig, value: Any, catalog: Catalog) -> dict[str, Any]:
    """Return the rows of a dataset that pass its checks, by its name; and those for a side table, by the table's.

    Freshness is measured from the end of the run's dates.

    Args:
        config: The project's configuration.
        dataset: The dataset.
        value: A frame.
        catalog: The datasets in memory, for checks that compare with others.

    Raises:
        CheckFailed: A check whose failures are errors does not pass.
        NodeError: The value is no frame, or a check does not fit it.
    """
    __tracebackhide__ = True  # pytest shows the test
    kind = kind_of_frame(value)
    try:
        outcome = _outcome(config, dataset, value, catalog)
    except CheckFailed as failure:
        raise failure.with_traceback(None) from None
    for warning in outcome.report.warnings:
        _LOGGER.warning("%s", warning)
    found = {canonical(dataset.name): convert(outcome.frame, kind, catalog.session, catalog.spool)}
    side = side_table(config, dataset)
    if side is not None and outcome.quarantine is not None:
        found[canonical(side.name)] = convert(outcome.quarantine, kind, catalog.session, catalog.spool)
    return found


def _outcome(config: ProjectConfig, dataset: DatasetConfig, value: Any, catalog: Catalog) -> Outcome:
    lazy = None if kind_of_frame(value) == SPARK else to_lazy(value)
    by_spark = lazy is None or needs_spark(lazy, dataset.all_checks)
    frame = to_spark(value, catalog.session(), catalog.spool) if by_spark else lazy

    def place(check: Check) -> Place | None:
        return config.place(dataset.section, dataset.name, *check.path)

    scope = Scope(
        dataset=canonical(dataset.name),
        run=RUN,
        now=datetime.combine(catalog.window.end + timedelta(days=1), time(), UTC),
        folder=catalog.spool / "checks",
        reference=partial(_reference, catalog),
        redact=config.redact.__call__,
        place=place,
    )
    return check_read(frame, dataset.all_checks, scope)


def _reference(catalog: Catalog, name: str, kind: str) -> Any:
    return catalog.read(name, kind).value
