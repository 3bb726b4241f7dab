"""What a supervisor gives to its worker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Work(NamedTuple):
    """One start of a stream, as its worker needs to know it.

    Attributes:
        root: The project's folder.
        state: The program's state folder.
        execution_id: The stream.
        epoch: The claim of its supervisor.
        mark: What its processes carry.
        pipeline: The pipeline.
        env: The environment.
        config: The settings as ``--config`` names them, None for the project's own.
        config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
        model_version: Version of the model.
        hyperparams: Hyperparameters of the model.
        reset: True when the checkpoints are to be moved aside before.
        with_batch: False when the batch nodes of a hybrid pipeline have been run.
        repeats: True when an earlier start may have run some of them.
    """

    root: str
    state: str
    execution_id: str
    epoch: int
    mark: str
    pipeline: str
    env: str
    config: str | None = None
    config_type: str | None = None
    model_version: str | None = None
    hyperparams: Mapping[str, Any] | None = None
    reset: bool = False
    with_batch: bool = True
    repeats: bool = False

    def to_json(self) -> bytes:
        """Return it as a message."""
        return json.dumps(self._asdict()).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return what :meth:`to_json` was called of."""
        return cls(**json.loads(text))
