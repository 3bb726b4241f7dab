"""One batch of a stream, for a function that writes it: what it stores by this is stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.model import canonical
from tauro.errors import DatasetNotFound, Unsupported, nearest
from tauro.io.delta.commits import WriteId
from tauro.io.formats import Target
from tauro.io.stored import stored_dataset

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tauro.config.dates import Window
    from tauro.config.model import ProjectConfig


class Batch:
    """A batch that a query hands to a function, by a parameter named ``batch``.

    A batch whose process ends before Spark has noted that it is done comes again, with the same rows and the
    same number. So what is written must be known again by the query and the number.

    Attributes:
        id: Its number.
        query_id: The query; a new checkpoint makes a new one.
        repeats: True when it may have been written before: the first batch of a query that was started.

    Args:
        config: The project, for the datasets of its output section.
        query_id: The query.
        batch_id: Its number.
        repeats: Whether it may have been written before.
    """

    def __init__(self, config: ProjectConfig, query_id: str, batch_id: int, *, repeats: bool) -> None:
        self.id = batch_id
        self.query_id = query_id
        self.repeats = repeats
        self._config = config

    @property
    def options(self) -> dict[str, str]:
        """Options for a Delta write of one's own, by which Delta passes over a batch that it has already.

        One batch can write to one table by them once.
        """
        return {"txnAppId": self.query_id, "txnVersion": str(self.id)}

    @property
    def window(self) -> Window:
        """The dates of the run."""
        return self._config.window

    def write_id(self, name: str) -> WriteId:
        """Return what tells the write of this batch to a dataset from all others."""
        return WriteId(f"{self.query_id}/{self.id}/{canonical(name)}", repeats=self.repeats)

    def append(self, name: str, frame: DataFrame) -> None:
        """Add rows to a dataset of the output section, once.

        Args:
            name: The dataset: a Delta table, or files on this machine.
            frame: The rows.

        Raises:
            DatasetNotFound: The output section has none of that name.
            NodeError: The rows do not fit it.
            Unsupported: It could not be done once.
        """
        self._write(name, frame, "append")

    def merge(self, name: str, frame: DataFrame) -> None:
        """Merge rows into a Delta table of the output section, by its ``merge_keys``. Arguments as :meth:`append`."""
        self._write(name, frame, "merge")

    def _write(self, name: str, frame: DataFrame, mode: str) -> None:
        outputs = self._config.outputs
        dataset = outputs.get(canonical(name))
        if dataset is None:
            near = nearest(name, outputs)
            raise DatasetNotFound(f"Dataset '{name}' is not in the output section", nearest=near)
        stored = stored_dataset(self._config, dataset).with_mode(mode)
        if mode not in stored.format.modes or (stored.format.name != "delta" and stored.location.path is None):
            raise Unsupported(
                f"Dataset '{name}' of format {stored.format.name} cannot be written once by '{mode}'",
                hint="Use a Delta table, or files on this machine.",
            )
        stored.format.write(frame, Target(stored.location, stored.config, self._config.window, self.write_id(name)))
