"""Tables of databases, read and written by Apache Spark's JDBC."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tauro.engines.capabilities import database_of, driver_class
from tauro.errors import NodeError, nearest
from tauro.io.fits import without_void
from tauro.io.predicates import filtered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig
    from tauro.io.formats import Target
    from tauro.io.location import Location

# The last part of a table's name, quoted as one of the databases does it.
_LAST_PART = r"(\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|[^.\"`\[\]]+)$"
# How a table without rows is made that has the columns of another; the rest say it as PostgreSQL does.
_EMPTY_COPY = "CREATE TABLE {copy} AS SELECT * FROM {table} WHERE 1 = 0"
_EMPTY_COPIES = {
    "derby": "CREATE TABLE {copy} AS SELECT * FROM {table} WITH NO DATA",
    "db2": "CREATE TABLE {copy} AS (SELECT * FROM {table}) WITH NO DATA",
    "sqlserver": "SELECT * INTO {copy} FROM {table} WHERE 1 = 0",
}
# What tells Spark how a table is emptied or made has no meaning where rows are added to one.
_OF_OVERWRITES = frozenset({"truncate", "cascadetruncate"})


# Classes of SQL states: connections, transactions that others won, resources, and servers that end.
_PASSING = ("08", "40", "53", "57")


class DatabaseError(NodeError):
    """What a database has refused.

    Args:
        message: In its words.
        transient: Whether it may be over when the same is tried again.
    """

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True, slots=True)
class JdbcFormat:
    """A table, or for reading a query, of a database.

    Spark itself empties a table, or drops it, before it sends the rows that replace others, each in a transaction
    of its own. Here they are sent to a table beside it first, and take their place in one transaction.
    """

    name = "jdbc"
    modes = frozenset({"append", "overwrite"})

    def exists(self, location: Location) -> bool:
        """Return True: only the database knows."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:  # noqa: ARG002
        """Return the table as a DataFrame; conditions are computed by the database."""
        reader = session.read.format("jdbc").options(**_options(dataset))
        return filtered(reader.load(), dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:
        """Add all rows in one transaction, or replace those that are there; or leave the table as it was.

        Raises:
            NodeError: The frame has a column that the table has not, or the database refuses the rows.
        """
        options = {key: value for key, value in _options(target.dataset).items() if key.lower() not in _OF_OVERWRITES}
        # Each partition has a transaction of its own: of several, some could be there and others not.
        frame = without_void(frame).coalesce(1)
        with _told(target.dataset.name):
            if target.dataset.write_mode == "overwrite":
                _replace(frame, options, target.dataset.name)
            else:
                _add(frame, options)
        return None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return None: counting would ask the database."""
        return None


def _options(dataset: DatasetConfig) -> dict[str, Any]:
    """Return the options of a dataset with the driver's class: Java finds none by the address that came after it."""
    named = {key.lower(): value for key, value in dataset.options.items()}
    known = driver_class(str(named.get("url", "")))
    return {**dataset.options, **({} if "driver" in named or known is None else {"driver": known})}


def _add(frame: DataFrame, options: dict[str, Any]) -> None:
    frame.write.format("jdbc").options(**options).mode("append").save()


def _replace(frame: DataFrame, options: dict[str, Any], name: str) -> None:
    """Put the rows of a frame in the place of those of a table, which keeps its columns, indexes and rights."""
    key = next(key for key in options if key.lower() == "dbtable")
    table = str(options[key])
    with _connected(frame.sparkSession, options) as database:
        stored = database.columns(table)
        if stored is None:
            _add(frame, options)
            return
        columns = ", ".join(database.quoted(_found(column, stored, name)) for column in frame.columns)
        copy = _beside(table)
        form = _EMPTY_COPIES.get(database.kind, _EMPTY_COPY)
        database.execute([form.format(copy=copy, table=table)])
        try:
            _add(frame, {**options, key: copy})
            database.execute(
                [f"DELETE FROM {table}", f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {copy}"]  # noqa: S608
            )
        finally:
            database.drop(copy)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what a database says in the block below Java's and Spark's words about it."""
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    try:
        yield
    except Py4JJavaError as error:
        found, cause = None, error.java_exception
        while cause is not None:
            # The outer ones, of batches, quote every value of a row.
            found = cause if _is_sql(cause) else found
            cause = cause.getCause()
        if found is None:
            raise
        state = found.getSQLState() or ""
        said = str(found.getMessage()).partition("\n")[0]
        raise DatabaseError(f"The database of '{name}': {said}", transient=state.startswith(_PASSING)) from error


def _is_sql(error: Any) -> bool:
    kind = error.getClass()
    while kind is not None and kind.getName() != "java.sql.SQLException":
        kind = kind.getSuperclass()
    return kind is not None


def _found(column: str, stored: Sequence[str], name: str) -> str:
    """Return how a table writes the name of a frame's column."""
    if column in stored:
        return column
    found = next((other for other in stored if other.casefold() == column.casefold()), None)
    if found is None:
        near = nearest(column, stored)
        raise NodeError(
            f"The table of '{name}' has no column '{column}'",
            looked_up=tuple(stored),
            nearest=near,
            hint=f"Did you mean '{near[0]}'?" if near else "Leave it out, or add it to the table.",
        )
    return found


def _beside(table: str) -> str:
    """Return a name for a table in the same schema that nobody else has."""
    name = f"tauro_{uuid4().hex[:12]}"
    return re.sub(_LAST_PART, name, table)


class _Database:
    """A connection to a database, as Spark's driver has it.

    Args:
        kind: What stands behind ``jdbc:`` in its URL.
        connection: The ``java.sql.Connection``.
        dialect: What Spark knows of such databases.
    """

    def __init__(self, kind: str, connection: Any, dialect: Any) -> None:
        self.kind = kind
        self._connection = connection
        self._dialect = dialect

    def columns(self, table: str) -> list[str] | None:
        """Return the names of a table's columns, None where there is no such table."""
        from py4j.protocol import Py4JJavaError

        statement = self._connection.createStatement()
        try:
            described = statement.executeQuery(self._dialect.getSchemaQuery(table)).getMetaData()
        except Py4JJavaError as error:
            if self._dialect.isObjectNotFoundException(error.java_exception):
                return None
            raise
        else:
            return [described.getColumnLabel(number + 1) for number in range(described.getColumnCount())]
        finally:
            statement.close()

    def quoted(self, column: str) -> str:
        """Return a column's name as the database's SQL has it."""
        return str(self._dialect.quoteIdentifier(column))

    def execute(self, statements: Sequence[str]) -> None:
        """Execute statements in one transaction: all of them, or none."""
        self._connection.setAutoCommit(False)
        try:
            statement = self._connection.createStatement()
            for one in statements:
                statement.execute(one)
            self._connection.commit()
        finally:
            if not self._connection.isClosed():
                self._connection.rollback()  # nothing, where it was committed

    def drop(self, table: str) -> None:
        """Remove a table; where the connection is gone it stays behind."""
        if not self._connection.isClosed():
            self.execute([f"DROP TABLE {table}"])


@contextmanager
def _connected(session: SparkSession, options: dict[str, Any]) -> Iterator[_Database]:
    """Yield a connection to the database of these options, as Spark opens its own."""
    jvm: Any = session._jvm  # noqa: SLF001 - pyspark has no other way to its driver
    spark_sql = jvm.org.apache.spark.sql
    given = {key: str(value) for key, value in options.items()}
    parsed = spark_sql.execution.datasources.jdbc.JDBCOptions(jvm.PythonUtils.toScalaMap(given))
    dialect = spark_sql.jdbc.JdbcDialects.get(parsed.url())
    connection = dialect.createConnectionFactory(parsed).apply(-1)
    try:
        yield _Database(database_of(parsed.url()), connection, dialect)
    finally:
        connection.close()
