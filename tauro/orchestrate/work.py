"""What a supervisor gives to its worker."""

from __future__ import annotations

import json
from typing import NamedTuple, Self


class Work(NamedTuple):
    """An attempt at a run, as its worker needs to know it.

    Attributes:
        root: The project's folder.
        env: The environment.
        pipeline: The pipeline.
        record: The id of the attempt's record, and the mark of its processes.
        first_run: The run by whose name writes know their own again, through every attempt and retry.
        earlier: Runs whose records tell what is done already: this one, and those that it takes up again.
        repeats: True when an earlier attempt may have stored something.
        start_date: First date, None for the project's own.
        end_date: Last date, None for the project's own.
        max_concurrency: How many nodes run at once, None for the project's own.
        config_type: ``yaml``, ``json`` or ``dsl``, where the project has several settings indexes.
    """

    root: str
    env: str
    pipeline: str
    record: str
    first_run: str
    earlier: tuple[str, ...]
    repeats: bool = False
    start_date: str | None = None
    end_date: str | None = None
    max_concurrency: int | None = None
    config_type: str | None = None

    def to_json(self) -> bytes:
        """Return it as a message."""
        return json.dumps(self._asdict()).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return what :meth:`to_json` was called of."""
        found = cls(**json.loads(text))
        return found._replace(earlier=tuple(found.earlier))
