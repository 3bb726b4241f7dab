"""From text to a type, as the embedded engine reads the fields of a CSV file: what does not fit is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from polars import DataType, Series

_DAYS = ("%Y-%m-%d", "%Y%m%d")
_LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")


class Unreadable(Exception):
    """A text that is no value of its type.

    Attributes:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def is_readable(kind: DataType) -> bool:
    """Say whether values of a type can be written as one field of text."""
    return type(kind).__name__ in _READERS


def parsed(texts: Series, kind: DataType) -> Series:
    """Return texts as values of a type; null stays null.

    Raises:
        Unreadable: One is no value of the type, or has more decimals than it keeps.
    """
    found = _READERS[type(kind).__name__](texts, kind)
    if found.null_count() != texts.null_count():
        raise Unreadable(str(texts.filter(found.is_null() & texts.is_not_null())[0]))
    return found


def _text(texts: Series, _kind: DataType) -> Series:
    return texts


def _number(texts: Series, kind: DataType) -> Series:
    found = texts.cast(kind, strict=False)
    return texts.str.strip_chars(" ").cast(kind, strict=False) if found.null_count() != texts.null_count() else found


def _decimal(texts: Series, kind: DataType) -> Series:
    """Return decimals. Polars rounds what has more digits than the type keeps, and the engine cuts it off."""
    scale = getattr(kind, "scale", 0)
    too_fine = texts.str.contains(rf"\.\d{{{scale}}}\d*[1-9]|[eE]-")
    if too_fine.any():
        raise Unreadable(str(texts.filter(too_fine)[0]))
    return texts.cast(kind, strict=False)


def _boolean(texts: Series, _kind: DataType) -> Series:
    return texts.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=_kind)


def _date(texts: Series, _kind: DataType) -> Series:
    def times(left: Series) -> Series:
        return _moment(left, None).dt.date()

    readers = [lambda left, day=day: left.str.to_date(day, strict=False) for day in _DAYS]
    return _first_that_reads(_dated(texts), [*readers, times])


def _datetime(texts: Series, kind: DataType) -> Series:
    return _moment(_dated(texts), getattr(kind, "time_zone", None))


def _dated(texts: Series) -> Series:
    """Return texts without those that Polars would take for a date, and the engine does not: signs, blanks."""
    return texts.set(texts.str.contains(r"^\D").fill_null(value=False), None)


def _moment(texts: Series, zone: str | None) -> Series:
    """Return times; those without an offset are in UTC."""
    import polars

    def zoned(left: Series, form: str) -> Series:
        return left.str.to_datetime(form, strict=False, time_unit="us").dt.convert_time_zone("UTC")

    def local(left: Series, form: str) -> Series:
        return left.str.to_datetime(form, strict=False, time_unit="us").dt.replace_time_zone("UTC")

    def day(left: Series) -> Series:
        return left.str.to_date(_DAYS[0], strict=False).cast(polars.Datetime("us", "UTC"))

    readers = [
        *(lambda left, form=form: zoned(left, form) for form in _ZONED),
        *(lambda left, form=form: local(left, form) for form in _LOCAL),
        day,
    ]
    return _first_that_reads(texts, readers).cast(polars.Datetime("us", zone))


def _first_that_reads(texts: Series, readers: Iterable[Callable[[Series], Series]]) -> Series:
    """Return what the readers make of texts; each is asked for those that no other before it could read."""
    found: Series | None = None
    for read in readers:
        left = texts if found is None else texts.set(found.is_not_null(), None)
        more = read(left)
        found = more if found is None else found.zip_with(found.is_not_null(), more)
        if found.null_count() == texts.null_count():
            break
    return texts if found is None else found


_READERS: dict[str, Callable[[Series, DataType], Series]] = {
    "String": _text,
    "Boolean": _boolean,
    "Decimal": _decimal,
    "Date": _date,
    "Datetime": _datetime,
    **dict.fromkeys(("Int8", "Int16", "Int32", "Int64", "Float32", "Float64"), _number),
}
