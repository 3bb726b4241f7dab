"""Text, of which every line is a row, read and written by Polars."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tauro.errors import NodeError
from tauro.io.direct.ddl import columns_of
from tauro.io.direct.options import Options
from tauro.io.direct.partitions import with_partitions
from tauro.io.lines import COLUMN, IS_NULL, IS_SEVERAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polars import DataType, LazyFrame, Series

    from tauro.config.model import DatasetConfig
    from tauro.io.direct.found import Found


class LinesCodec:
    """Reads and writes lines by Polars, which splits them at LF and CR LF; Spark does at CR, too."""

    keeps_types = False

    def reads(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else: a schema may only rename the column."""
        columns = {COLUMN: None} if dataset.columns is None else columns_of(dataset.columns)
        is_text = dataset.columns is None or (
            columns is not None and [type(kind).__name__ for kind in columns.values()] == ["String"]
        )
        return is_text and Options(dataset.options).all_known

    def writes(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        return Options(dataset.options).all_known

    def scan(self, found: Found, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the lines as a lazy frame, None where only Spark knows them: a CR at the end of a file is no row."""
        from polars import col, scan_lines

        if any(map(_ends_with_return, found.files)):
            return None
        schema = None if dataset.columns is None else columns_of(dataset.columns)
        name = next(iter(schema)) if schema else COLUMN
        if name in found.keys or (schema is not None and found.keys):
            return None

        def scan(files: Sequence[Path]) -> LazyFrame:
            lines = scan_lines(list(files), name=name, glob=False)
            return lines.with_columns(col(name).str.split("\r")).explode(name)

        return with_partitions(found, scan, None)

    def columns(self, found: Found, _dataset: DatasetConfig) -> Mapping[str, DataType] | None:
        """Return the columns that added lines must have."""
        from polars import String

        return {COLUMN: String(), **dict.fromkeys(found.keys, String())}

    def takes(self, schema: Mapping[str, DataType]) -> bool:
        """Say whether it is one column of text; what else is given, Spark's way refuses by name."""
        return {name: type(kind).__name__ for name, kind in schema.items()} == {COLUMN: "String"}

    def sink(self, frame: LazyFrame, to: Any, _inside: Mapping[str, DataType], dataset: DatasetConfig) -> None:
        """Write the lines to a file, or to the files of a partitioning.

        Raises:
            NodeError: One would not be read back as it is.
        """
        from polars import String, col

        def checked(values: Series) -> Series:
            if values.has_nulls():
                raise NodeError(f"A value for '{dataset.name}' is {IS_NULL}")
            if values.str.contains("[\r\n]").any():
                raise NodeError(f"A value for '{dataset.name}' {IS_SEVERAL}")
            return values

        lines = frame.with_columns(col(COLUMN).map_batches(checked, return_dtype=String, is_elementwise=True))
        lines.sink_csv(to, include_header=False, quote_style="never", mkdir=True)


def _ends_with_return(file: Path) -> bool:
    with file.open("rb") as content:
        size = content.seek(0, os.SEEK_END)
        content.seek(max(size - 1, 0))
        return content.read(1) == b"\r"
