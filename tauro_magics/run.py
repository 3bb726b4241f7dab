"""The value of ``%tauro run``: how the run ended, its tables, and the way on."""

from __future__ import annotations

import json
from contextlib import chdir
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from tauro.errors import TauroError
from tauro.exec.results import RunResult
from tauro_magics.errors import told

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tauro.exec.plan import RunPlan
    from tauro.project import Project
    from tauro_magics.session import Session


@dataclass(frozen=True, slots=True, repr=False)
class Run(RunResult):
    """A run of this kernel.

    ``run["gold.sales.daily_revenue"]`` is a table that it read or wrote, ``run.resume()`` does what it has left undone.

    Attributes:
        plan: What it did.
        project: The project, as it was then.
        session: The kernel's session.
    """

    plan: RunPlan = field(kw_only=True, repr=False, compare=False)
    project: Project = field(kw_only=True, repr=False, compare=False)
    session: Session = field(kw_only=True, repr=False, compare=False)

    @classmethod
    def of(cls, result: RunResult, plan: RunPlan, project: Project, session: Session) -> Self:
        """Return a result with its plan and its project, on a session."""
        values = {each.name: getattr(result, each.name) for each in fields(RunResult)}
        return cls(**values, plan=plan, project=project, session=session)

    def __getitem__(self, dataset: str) -> DataFrame:
        """Return a stored dataset of the project, for the dates of this run.

        Raises:
            CellError: There is no such dataset, or it has no data.
        """
        from tauro.exec.imports import use_project
        from tauro.io.stored import open_dataset

        config, engine = self.plan.config, self.project.engine
        use_project(config.root)  # a function of its code may be what reads
        engine.revive()
        try:
            frame: DataFrame = open_dataset(config, dataset).read(engine.session())
        except TauroError as error:
            raise told(error, config.redact) from None
        return frame

    def _ipython_key_completions_(self) -> list[str]:
        """Return the datasets of the project, for ``TAB`` behind ``run["``; IPython's own protocol."""
        config = self.plan.config
        return list(dict.fromkeys([*config.inputs, *config.outputs]))

    def resume(self) -> Any:
        """Do what the run has left undone, as ``%tauro run --resume`` does, and return how that ended.

        Raises:
            CellError: It failed again, or could not begin.
        """
        from tauro_magics.line import Errand, carry_out
        from tauro_magics.tree import tree

        words = ["run", "--resume", self.run_id]
        if self.plan.ml.model_version is not None:
            words += ["--model-version", self.plan.ml.model_version]
        if self.plan.ml.hyperparams:
            words += ["--hyperparams", json.dumps(dict(self.plan.ml.hyperparams))]
        with chdir(self.plan.config.root):  # wherever the notebook is now
            return carry_out(Errand(self.session, tree), words)
