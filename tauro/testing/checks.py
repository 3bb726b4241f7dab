"""Makes the checks of datasets that are in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tauro.config.model import canonical
from tauro.io.checks import CheckFailed, Outcome, Scope, check_read, needs_spark, side_table
from tauro.io.frames import SPARK, convert, kind_of_frame, to_arrow, to_lazy, to_spark
from tauro.testing.alone import RUN
from tauro.testing.calling import computed

if TYPE_CHECKING:
    from tauro.config.check_rules import Check
    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.errors import Place
    from tauro.io.catalog import Catalog
    from tauro.io.stored import StoredDataset

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class MemoryChecks:
    """Makes the checks of one run.

    Attributes:
        config: The project's configuration.
        catalog: The datasets in memory, for checks that compare with others.
        aside: Rows that were put aside, by the canonical name of their side table.
    """

    config: ProjectConfig
    catalog: Catalog
    aside: dict[str, Any] = field(default_factory=dict)

    def passed(self, section: str, stored: StoredDataset | None, value: Any) -> Any:
        """Return the rows of a dataset that pass its checks. Freshness is measured from the end of the run's dates.

        Args:
            section: ``input`` where it is given, ``output`` where a node returned it.
            stored: The dataset, where the settings describe it.
            value: Its frame.

        Raises:
            CheckFailed: A check whose failures are errors does not pass.
            NodeError: The value is no frame, or a check does not fit it.
        """
        __tracebackhide__ = True  # pytest shows the test
        if stored is None or not stored.is_checked_as(section):
            return value
        kind = kind_of_frame(value)
        try:
            outcome = self._outcome(stored.config, value)
        except CheckFailed as failure:
            raise failure.with_traceback(None) from None
        for warning in outcome.report.warnings:
            _LOGGER.warning("%s", warning)
        side = side_table(self.config, stored.config)
        if side is not None and outcome.quarantine is not None:
            self._put_aside(canonical(side.name), outcome.quarantine, kind)
        return computed(convert(outcome.frame, kind, self.catalog.session, self.catalog.spool))

    def _outcome(self, dataset: DatasetConfig, value: Any) -> Outcome:
        lazy = None if kind_of_frame(value) == SPARK else to_lazy(value)
        by_spark = lazy is None or needs_spark(lazy, dataset.all_checks)
        frame = to_spark(value, self.catalog.session(), self.catalog.spool) if by_spark else lazy

        def place(check: Check) -> Place | None:
            return self.config.place(dataset.section, dataset.name, *check.path)

        scope = Scope(
            dataset=canonical(dataset.name),
            run=RUN,
            now=datetime.combine(self.catalog.window.end + timedelta(days=1), time(), UTC),
            folder=self.catalog.spool / "checks",
            reference=partial(_reference, self.catalog),
            redact=self.config.redact.__call__,
            place=place,
        )
        return check_read(frame, dataset.all_checks, scope)

    def _put_aside(self, name: str, rows: Any, kind: str) -> None:
        """Add rows to a side table; several datasets may have one."""
        import pyarrow

        tables = [to_arrow(frame, kind_of_frame(frame)) for frame in (self.aside.get(name), rows) if frame is not None]
        joined = pyarrow.concat_tables(tables, promote_options="permissive")
        self.aside[name] = convert(joined, kind, self.catalog.session, self.catalog.spool)


def _reference(catalog: Catalog, name: str, kind: str) -> Any:
    return catalog.read(name, kind).value
