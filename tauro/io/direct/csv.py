"""CSV files. Fields are text unless a schema says more, as Spark reads them; a line with other fields is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.errors import NodeError
from tauro.io.direct.ddl import columns_of
from tauro.io.direct.options import Options
from tauro.io.direct.text import Unreadable, is_readable, parsed
from tauro.io.folders import check_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from polars import DataFrame, DataType, LazyFrame

    from tauro.config.model import DatasetConfig
    from tauro.io.direct.found import Found

_CHUNK = 1 << 20
_BLOCK = 1 << 22
_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


class Dialect(NamedTuple):
    """How the fields of a file are told apart.

    Attributes:
        header: Whether the first line holds the names.
        separator: What parts the fields.
        quote: What stands around a field that holds a separator.
        null: The text that stands for nothing, beside the empty one.
    """

    header: bool = True
    separator: str = ","
    quote: str = '"'
    null: str | None = None


class CsvCodec:
    """Reads CSV files by Polars, those with quotes by Arrow; writes them by Polars."""

    keeps_types = False

    def reads(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        if dataset.columns is not None:
            columns = columns_of(dataset.columns)
            if columns is None or not all(map(is_readable, columns.values())):
                return False
        return _dialect(dataset) is not None

    def writes(self, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing else."""
        dialect = _dialect(dataset)
        return dialect is not None and dialect.null is None

    def scan(self, found: Found, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the rows of the files as a lazy frame."""
        from polars import String
        from polars.io.plugins import register_io_source

        dialect = _dialect(dataset) or Dialect()
        columns = columns_of(dataset.columns) if dataset.columns is not None else None
        if columns is None:
            names = _names(found.files[0], dialect)
            if names is None or set(names) & set(found.keys):
                return None
            columns = dict.fromkeys((*names, *found.keys), String())
        source = _Source(found, dataset, dialect, columns)
        return register_io_source(source.batches, schema=columns, is_pure=True)

    def columns(self, found: Found, dataset: DatasetConfig) -> Mapping[str, DataType] | None:
        """Return the columns that added rows must have; none where files do not name theirs."""
        from polars import String

        dialect = _dialect(dataset) or Dialect()
        if not dialect.header:
            return {}
        names = _names(found.files[0], dialect)
        return None if names is None else dict.fromkeys((*names, *found.keys), String())

    def takes(self, schema: Mapping[str, DataType]) -> bool:
        """Say whether values of these types can be written as text that is read back."""
        return all(map(is_readable, schema.values()))

    def sink(self, frame: LazyFrame, to: Any, inside: Mapping[str, DataType], dataset: DatasetConfig) -> None:
        """Write the rows to a file, or to the files of a partitioning."""
        from polars import col

        dialect = _dialect(dataset) or Dialect()
        broken = [name for name, kind in inside.items() if kind.is_float()]
        # 1e+20 is 1e20 for the engine; who reads it as text would see two values.
        texts = (col(name).cast(str).str.replace("e+", "e", literal=True) for name in broken)
        frame.with_columns(texts).sink_csv(
            to,
            include_header=dialect.header,
            separator=dialect.separator,
            quote_char=dialect.quote,
            datetime_format=_TIME,
            # A line of one field without value would be blank, and no row for a reader.
            null_value=2 * dialect.quote if len(inside) == 1 else None,
            mkdir=True,
        )


def _dialect(dataset: DatasetConfig) -> Dialect | None:
    """Return what the options say, None where they say more."""
    options = Options(dataset.options)
    header = options.flag("header", default=True)
    options.flag("inferschema", default=False, only=False)
    separator = options.text("sep", options.text("delimiter", ",")) or ""
    quote = options.text("quote", '"') or ""
    options.text("escape", quote, only=quote)
    dialect = Dialect(header, separator, quote, options.text("nullvalue", None))
    single = all(len(sign) == 1 and sign.isascii() for sign in (separator, quote)) and separator != quote
    return dialect if single and options.all_known else None


class _Source(NamedTuple):
    """The rows of some files.

    Attributes:
        found: The files.
        dataset: What is read.
        dialect: How their fields are told apart.
        columns: The columns and their types, those of the partitions too.
    """

    found: Found
    dataset: DatasetConfig
    dialect: Dialect
    columns: Mapping[str, DataType]

    def batches(
        self, wanted: list[str] | None, predicate: Any, most: int | None, _size: int | None
    ) -> Iterator[DataFrame]:
        """Yield the rows, as Polars asks for them.

        Args:
            wanted: The columns, all if not given.
            predicate: Which rows, all if not given.
            most: How many rows at most, before the predicate.
        """
        columns = {name: self.columns[name] for name in wanted or self.columns}
        left = most
        for file, values in zip(self.found.files, self.found.values, strict=True):
            for texts in self._texts(file, columns):
                part = texts if left is None else texts.head(left)
                left = None if left is None else left - part.height
                part = self._typed(part, dict(zip(self.found.keys, values, strict=True)), columns, file)
                yield part if predicate is None else part.filter(predicate)
                if left == 0:
                    return

    def _texts(self, file: Path, columns: Mapping[str, DataType]) -> Iterator[DataFrame]:
        """Yield the fields of a file as text."""
        from polars.exceptions import PolarsError

        names = [name for name in self.columns if name not in self.found.keys]
        # A frame without columns has no rows either.
        inside = [name for name in names if name in columns] or names[:1]
        if not file.stat().st_size:
            return
        if self.dialect.header:
            header = _names(file, self.dialect) or []
            check_order(file, header, names, self.dataset)
        read = _plain if _is_plain(file, self.dialect, len(names)) else _strict
        try:
            yield from read(file, names, inside, self.dialect)
        except (PolarsError, ValueError) as error:  # Arrow's are ValueErrors
            reason = str(error).partition("\n")[0]
            raise NodeError(f"{file.name} of '{self.dataset.name}' cannot be read: {reason}") from error

    def _typed(
        self, texts: DataFrame, values: Mapping[str, str | None], columns: Mapping[str, DataType], file: Path
    ) -> DataFrame:
        """Return a frame of texts with the types of ``columns``, and the values of a partition beside them."""
        import polars

        series = []
        for name, kind in columns.items():
            text = texts[name] if name in texts.columns else polars.Series(name, [values[name]], polars.String)
            try:
                typed = parsed(text, kind)
            except Unreadable as error:
                raise NodeError(
                    f"A field of '{name}' in {file.name} of '{self.dataset.name}' cannot be read as "
                    f"{str(kind).upper()}: {error.text!r}",
                    hint="Mend the file, or the schema.",
                ) from None
            series.append(typed if name in texts.columns else typed.new_from_index(0, texts.height))
        return polars.DataFrame(series)


def _names(file: Path, dialect: Dialect) -> list[str] | None:
    """Return the names of a file's columns, None where they are not told or one stands twice."""
    import csv

    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        lines = csv.reader(text, delimiter=dialect.separator, quotechar=dialect.quote)
        first: Sequence[str] = next((line for line in lines if line), ())
    names = list(first) if dialect.header else [f"_c{index}" for index in range(len(first))]
    folded = {name.casefold() for name in names}
    return names if names and all(names) and len(folded) == len(names) and "\ufffd" not in "".join(names) else None


def _is_plain(file: Path, dialect: Dialect, width: int) -> bool:
    """Say whether every line of a file is a row of ``width`` fields, without quotes.

    Polars takes a line with fewer fields for one whose last ones are null. It refuses one with more, so
    that the sum tells.
    """
    separator, quote = dialect.separator.encode(), dialect.quote.encode()
    lines = separators = 0
    ended = True  # the chunk before ended with a line break
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            # A chunk that ends within a line break would hide a blank line.
            if chunk.endswith(b"\r"):
                chunk += data.read(1)
            blank = b"\n\n" in chunk or b"\n\r" in chunk or (ended and chunk[:1] in b"\r\n")
            if blank or quote in chunk or (b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")):
                return False
            lines += chunk.count(b"\n")
            separators += chunk.count(separator)
            ended = chunk.endswith(b"\n")
    return separators == (lines + (not ended)) * (width - 1)


def _plain(file: Path, names: Sequence[str], inside: Sequence[str], dialect: Dialect) -> Iterator[DataFrame]:
    """Yield the fields of a file without quotes."""
    from polars import scan_csv

    rows = scan_csv(
        file,
        has_header=dialect.header,
        separator=dialect.separator,
        quote_char=None,
        infer_schema=False,
        new_columns=names,
        null_values=None if dialect.null is None else ["", dialect.null],
        glob=False,
    )
    yield from rows.select(inside).collect_batches(maintain_order=True)


def _strict(file: Path, names: Sequence[str], inside: Sequence[str], dialect: Dialect) -> Iterator[DataFrame]:
    """Yield the fields of any file. Arrow refuses lines with fewer fields too, and passes over blank ones."""
    from polars import DataFrame
    from pyarrow import csv, string

    with file.open("rb") as data:
        _pass_over_blank_lines(data)
        batches = csv.open_csv(
            data,
            csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows_after_names=int(dialect.header)),
            csv.ParseOptions(
                delimiter=dialect.separator,
                quote_char=dialect.quote,
                newlines_in_values=True,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, string()),
                null_values=["", *([] if dialect.null is None else [dialect.null])],
                strings_can_be_null=True,
                include_columns=list(inside),
            ),
        )
        yield from map(DataFrame, batches)


def _pass_over_blank_lines(data: Any) -> None:
    mark = b"\xef\xbb\xbf"
    start = len(mark) if data.read(len(mark)) == mark else 0
    data.seek(start)
    while data.read(1) in (b"\r", b"\n"):
        start += 1
    data.seek(start)
