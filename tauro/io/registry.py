"""Which formats there are. Each is imported when a dataset of its kind is met.

Formats of other packages are entry points of the group ``tauro.datasets``: docs/datasets.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.plugins import GROUP
from tauro.errors import DependencyError, Unsupported

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from tauro.io.formats import DatasetFormat, DirectFormat

BUILT_IN = ("csv", "json", "parquet", "delta")
_SERVED = ("name", "modes", "exists", "read", "write", "rows")


def format_named(name: str) -> DatasetFormat:
    """Return the format of that name.

    Raises:
        DependencyError: The package that brings it is broken.
        Unsupported: Neither this version of Tauro nor another package serves it.
    """
    if name in ("csv", "json", "parquet"):
        from tauro.io.files import FileFormat

        return FileFormat(name)
    if name == "delta":
        from tauro.io.delta.format import DeltaFormat

        return DeltaFormat()
    plugins = _plugins(name)
    if plugins:
        return _loaded(name, plugins)
    raise Unsupported(f"Format '{name}' is not available in this version of Tauro", looked_up=BUILT_IN)


def direct_format(chosen: DatasetFormat) -> DirectFormat | None:
    """Return what reads and writes a format without Spark, None where nothing does."""
    if chosen.name == "delta":
        from tauro.io.direct.delta import DirectDelta

        return DirectDelta()
    if chosen.name in BUILT_IN:
        from tauro.io.direct.files import direct_files

        return direct_files(chosen.name)
    direct: DirectFormat | None = getattr(chosen, "direct", None)
    return direct


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
