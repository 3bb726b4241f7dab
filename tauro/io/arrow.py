"""Types of Arrow tables: as Spark has them, and those that Polars keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def narrow(table: Any) -> Any:
    """Return an Arrow table of Polars with the types of Spark's: texts and lists of ordinary size, where they are."""
    import pyarrow

    fields = [field.with_type(_narrow_type(field.type)) for field in table.schema]
    try:
        return table.cast(pyarrow.schema(fields))
    except pyarrow.ArrowInvalid:  # two gigabytes in a column
        return table


def _narrow_type(kind: Any) -> Any:
    import pyarrow

    types = pyarrow.types
    if types.is_large_string(kind):
        return pyarrow.string()
    if types.is_large_binary(kind):
        return pyarrow.binary()
    if types.is_large_list(kind):
        return pyarrow.list_(kind.value_field.with_name("element").with_type(_narrow_type(kind.value_type)))
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_narrow_type(field.type)) for field in kind])
    if types.is_map(kind):
        return pyarrow.map_(_narrow_type(kind.key_type), _narrow_type(kind.item_type))
    return kind


def with_spark_types(table: Any) -> Any:
    """Return an Arrow table without unsigned integers, which Spark does not have."""
    import pyarrow

    fields = [field.with_type(_spark_type(field.type)) for field in table.schema]
    wanted = pyarrow.schema(fields)
    return table if wanted.equals(table.schema) else table.cast(wanted)


def _spark_type(kind: Any) -> Any:
    """Return the smallest type of Spark that holds every value of an Arrow type."""
    import pyarrow

    types = pyarrow.types
    if types.is_unsigned_integer(kind):
        wider = {8: pyarrow.int16(), 16: pyarrow.int32(), 32: pyarrow.int64()}
        return wider.get(kind.bit_width, pyarrow.decimal128(20))
    if types.is_list(kind):
        return pyarrow.list_(_spark_type(kind.value_type))
    if types.is_large_list(kind):
        return pyarrow.large_list(_spark_type(kind.value_type))
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_spark_type(field.type)) for field in kind])
    return kind


def row_of_nulls(schema: Any) -> Any:
    """Return an Arrow table of one row without values."""
    import pyarrow

    return pyarrow.Table.from_arrays([pyarrow.nulls(1, field.type) for field in schema], names=schema.names)


def is_of_polars(kind: Any) -> bool:
    """Say whether Polars keeps every value of an Arrow type, under a type that Spark knows too."""
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(kind):
        return is_of_polars(kind.value_type)
    if types.is_nested(kind):
        known = types.is_struct(kind) or types.is_map(kind) or types.is_list(kind)
        known = known or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        return known and all(is_of_polars(kind.field(index).type) for index in range(kind.num_fields))
    if types.is_floating(kind):
        return bool(kind.bit_width >= 32)
    return any(is_kind(kind) for is_kind in _plain_kinds())


def _plain_kinds() -> tuple[Callable[[Any], bool], ...]:
    from pyarrow import types

    return (
        types.is_boolean,
        types.is_integer,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_binary,
        types.is_large_binary,
        types.is_fixed_size_binary,
        types.is_date32,
        types.is_timestamp,
        types.is_decimal128,
        types.is_null,
    )
