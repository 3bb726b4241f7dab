"""Which formats there are. Each is imported when a dataset of its kind is met.

Formats of other packages are entry points of the group ``tauro.datasets``: docs/datasets.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.model import canonical
from tauro.config.plugins import GROUP
from tauro.config.views import datasets_behind
from tauro.engines.capabilities import nobody_serves
from tauro.errors import DependencyError, Unsupported, ValidationError
from tauro.io.location import scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.io.formats import DatasetFormat, DirectFormat, ValueFormat
    from tauro.io.stored import StoredDataset

FILES = ("csv", "json", "parquet", "text", "avro", "orc", "xml")
BUILT_IN = (*FILES, "delta", "table", "unity_catalog", "jdbc", "query", "python", "pickle")
_DIRECT_FILES = ("csv", "json", "parquet", "text")
_SERVED = ("name", "modes", "exists", "read", "write", "rows")


def format_of(config: ProjectConfig, dataset: DatasetConfig, opened: Callable[[str], StoredDataset]) -> DatasetFormat:
    """Return the format of a dataset.

    Args:
        config: The project's configuration.
        dataset: The dataset.
        opened: Gives the datasets that it reads itself, by their names.

    Raises:
        DependencyError: The package that brings it is broken.
        Unsupported: Neither this version of Tauro nor another package serves it.
        ValidationError: It is a query that reads itself.
    """
    if dataset.format == "query":
        from tauro.io.query import QueryFormat

        if canonical(dataset.name) in datasets_behind(config, canonical(dataset.name)):
            place = config.place(dataset.section, dataset.name, "views")
            raise ValidationError(f"{dataset.name}: The query reads itself", place=place, hint="Remove it from views.")
        return QueryFormat({view: opened(name) for view, name in dataset.views}, config.window)
    if dataset.format == "python":
        from tauro.io.python import PythonFormat

        return PythonFormat(config.window)
    if dataset.format == "pickle":
        from tauro.io.pickles import PickleFormat

        return PickleFormat(config.root)
    chosen = format_named(dataset.format or "")
    uri = dataset.filepath or ""
    if chosen.name not in (*FILES, "delta") or (scheme_of(uri) or "file") == "file":
        return chosen
    from tauro.io.fetched import SCHEMES, FetchedFormat, check_fetchable

    if scheme_of(uri) not in SCHEMES:
        return chosen
    check_fetchable(config, dataset)
    return FetchedFormat(chosen, direct_format(chosen), uri)


def format_named(name: str) -> DatasetFormat:
    """Return the format of that name.

    Raises:
        DependencyError: The package that brings it is broken.
        Unsupported: Neither this version of Tauro nor another package serves it.
    """
    if name in FILES:
        from tauro.io.files import FileFormat

        return FileFormat(name)
    if name == "delta":
        from tauro.io.delta.format import DeltaFormat

        return DeltaFormat()
    if name == "table":
        from tauro.io.tables import TableFormat

        return TableFormat()
    if name == "unity_catalog":
        from tauro.io.tables import UnityFormat

        return UnityFormat()
    if name == "jdbc":
        from tauro.io.jdbc import JdbcFormat

        return JdbcFormat()
    plugins = _plugins(name)
    if plugins:
        return _loaded(name, plugins)
    why = nobody_serves(name)
    told = f"Format '{name}' is not available in this version of Tauro"
    raise Unsupported(told if why is None else f"{told}: {why}", looked_up=BUILT_IN)


def direct_format(chosen: DatasetFormat) -> DirectFormat | None:
    """Return what reads and writes a format without Spark, None where nothing does."""
    if hasattr(chosen, "direct"):
        direct: DirectFormat | None = chosen.direct
        return direct
    if chosen.name == "delta":
        from tauro.io.direct.delta import DirectDelta

        return DirectDelta()
    if chosen.name in _DIRECT_FILES:
        from tauro.io.direct.files import direct_files

        return direct_files(chosen.name)
    return None


def value_format(chosen: DatasetFormat) -> ValueFormat | None:
    """Return what reads a format whose data is whatever Python makes of it, None for the others."""
    return chosen if hasattr(chosen, "load") else None  # type: ignore[return-value]


def _plugins(name: str) -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return list(entry_points(group=GROUP, name=name))


def _loaded(name: str, plugins: list[EntryPoint]) -> DatasetFormat:
    """Return the format that an entry point stands for: the object, or what its class makes without arguments."""
    owners = [f"{plugin.dist.name if plugin.dist else '?'} ({plugin.value})" for plugin in plugins]
    if len(plugins) > 1:
        raise DependencyError(
            f"Format '{name}' is brought by several packages: {', '.join(owners)}",
            looked_up=tuple(owners),
            hint="Uninstall all of them but one.",
        )
    try:
        found: Any = plugins[0].load()
        served = found() if isinstance(found, type) else found
    except Exception as error:
        raise DependencyError(
            f"Format '{name}' is brought by {owners[0]}, which cannot be loaded: {type(error).__name__}: {error}",
            hint="Mend or uninstall that package.",
        ) from error
    missing = [member for member in _SERVED if not hasattr(served, member)]
    if missing:
        raise DependencyError(
            f"Format '{name}' is brought by {owners[0]}, which lacks: {', '.join(missing)}",
            hint="docs/datasets.md says what a format serves.",
        )
    return served  # type: ignore[no-any-return]
