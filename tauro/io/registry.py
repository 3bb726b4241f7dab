"""Which formats there are. Each is imported when a dataset of its kind is met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import Unsupported

if TYPE_CHECKING:
    from tauro.io.formats import DatasetFormat


def format_named(name: str) -> DatasetFormat:
    """Return the format of that name.

    Raises:
        Unsupported: This version of Tauro does not serve it.
    """
    if name in ("csv", "json", "parquet"):
        from tauro.io.files import FileFormat

        return FileFormat(name)
    if name == "delta":
        from tauro.io.delta import DeltaFormat

        return DeltaFormat()
    raise Unsupported(
        f"Format '{name}' is not available in this version of Tauro", looked_up=("csv", "json", "parquet", "delta")
    )
