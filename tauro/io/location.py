"""Where a dataset's data is."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tauro.engines.dialect import is_sail
from tauro.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import SparkSession

    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.errors import Place

_NEVER = "%#\\"
_PATTERN = "*?[]{}"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def address(path: Path, session: SparkSession) -> str:
    """Return what an engine is given to find a path of this machine.

    Apache Spark may have another file system in mind where none is named: that of its Hadoop.
    """
    return str(path) if is_sail(session) else f"file://{path}"


class Location(NamedTuple):
    """A path on this machine, or a URI elsewhere.

    Attributes:
        uri: The path or the URI.
        path: The local path, None for data elsewhere.
        shown: What a person is shown: relative to the project where it is inside.
    """

    uri: str
    path: Path | None
    shown: str

    @property
    def is_pattern(self) -> bool:
        """True when it stands for several files by ``*``, ``?``, ``[`` or ``{``."""
        return self.path is not None and any(letter in str(self.path) for letter in "*?[{")

    def address(self, session: SparkSession) -> str:
        """Return what an engine is given to find it."""
        return self.uri if self.path is None else address(self.path, session)

    def files(self) -> list[Path]:
        """Return the local files or folders that it stands for, those that exist."""
        if self.path is None:
            return []
        if self.is_pattern:
            return _matches(str(self.path))
        return [self.path] if self.path.exists() else []


def locate(config: ProjectConfig, dataset: DatasetConfig) -> Location:
    """Return where a dataset is.

    A relative ``filepath`` starts at the project's root. Without one, a name of three parts is
    stored at ``<output_path>/<env>/<schema>/<sub_folder>/<table>``. What is in no file needs neither.

    Raises:
        ValidationError: It has neither, or climbs out of the project.
    """
    elsewhere = _WITHOUT_PATH.get(dataset.format)
    return _at_path(config, dataset) if elsewhere is None else elsewhere(dataset)


def _at_path(config: ProjectConfig, dataset: DatasetConfig) -> Location:
    if dataset.filepath is not None:
        text = dataset.filepath
    elif dataset.table_path is not None:
        text = "/".join((config.settings.output_path.rstrip("/"), config.env, *dataset.table_path))
    else:
        place = config.place(dataset.section, dataset.name, key=True)
        raise ValidationError(f"Dataset '{dataset.name}' has no filepath", place=place, hint="Give filepath.")
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() != "file":
        return Location(text, None, _without_secrets(text))
    if scheme is not None:
        text = "/" + text[scheme.end() :].lstrip("/")
    if ".." in text.split("/"):
        raise _invalid(config, dataset, f"climbs by '..': {text}", "Give its whole path.")
    if text.startswith("~"):
        fault = f"starts with '~', which stands for no folder here: {text}"
        raise _invalid(config, dataset, fault, "Write ${HOME} in its place.")
    path = config.root / text
    if config.root.is_relative_to(path):
        fault = f"is the project's own folder, or one that holds it: {path}"
        raise _invalid(config, dataset, fault, "Give it a folder of its own.")
    # Engines take these for escapes, fragments or patterns: some would write to another folder.
    reads_pattern = dataset.section == "input" and dataset.format != "delta"
    found = _refused(str(path), _NEVER if reads_pattern else _NEVER + _PATTERN)
    if found is None and path.is_relative_to(config.root):
        found = _refused(str(config.root), _PATTERN)
    if found is not None:
        fault = f"has a {found!r}, which engines do not take as it is: {path}"
        raise _invalid(config, dataset, fault, "Rename the file or folder.")
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    return Location(str(path), path, shown.as_posix())


def _table(dataset: DatasetConfig) -> Location:
    """Return the place of a table: its name as SQL has it, by its three keys, else the dataset's own name."""
    if dataset.table_name is not None:
        parts = [part for part in (dataset.catalog_name, dataset.schema, dataset.table_name) if part]
    else:
        parts = [dataset.name.replace("/", ".")]
    names = ".".join(parts).split(".")
    return Location(".".join("`" + name.replace("`", "``") + "`" for name in names), None, ".".join(names))


def _in_unity(dataset: DatasetConfig) -> Location:
    """Return the place of a table of Unity Catalog, whose name has three parts."""
    found = _table(dataset)
    if len(found.shown.split(".")) != 3:
        raise ValidationError(
            f"Dataset '{dataset.name}' is '{found.shown}', and a table of Unity Catalog is catalog.schema.table",
            hint="Give catalog_name, schema and table_name, or the dataset a name of three parts.",
        )
    return found


def _in_database(dataset: DatasetConfig) -> Location:
    options = {key.lower(): str(value) for key, value in dataset.options.items()}
    return Location("", None, options.get("dbtable", "a query of a database"))  # never its URL: that has passwords


# What is not in files.
_WITHOUT_PATH: Mapping[str | None, Callable[[DatasetConfig], Location]] = {
    "table": _table,
    "unity_catalog": _in_unity,
    "jdbc": _in_database,
    "query": lambda dataset: Location("", None, ", ".join(name for _, name in dataset.views) or "a query"),
    "python": lambda dataset: Location("", None, ".".join(dataset.target or ())),
}


def scheme_of(uri: str) -> str | None:
    """Return the scheme of a URI in lower case, None for a path."""
    scheme = _SCHEME.match(uri)
    return scheme[1].lower() if scheme is not None else None


def _without_secrets(uri: str) -> str:
    """Return a URI without what stands before the host and in its query: both may be a password."""
    head, slashes, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if ":" in user:
        user = "***"
    path, mark, query = path.partition("?")
    hidden = "***" if query and scheme_of(uri) in ("http", "https") else query
    return f"{head}{slashes}{user}{at}{host}{slash}{path}{mark}{hidden}"


def filepath_place(config: ProjectConfig, dataset: DatasetConfig) -> Place | None:
    """Return where a dataset's path is written, by whichever of its keys."""
    layered = config.sections[dataset.section]
    key = next((key for key in ("filepath", "path") if layered.origin((dataset.name, key)) is not None), "filepath")
    return layered.place((dataset.name, key))


def _invalid(config: ProjectConfig, dataset: DatasetConfig, fault: str, hint: str) -> ValidationError:
    message = f"The path of dataset '{dataset.name}' {fault}"
    return ValidationError(message, place=filepath_place(config, dataset), hint=hint)


def _refused(text: str, letters: str) -> str | None:
    return next((letter for letter in text if letter in letters or not letter.isprintable()), None)


def _matches(pattern: str) -> list[Path]:
    """Return what a pattern stands for as engines read it: with ``{a,b}``, ``[^a]`` and ``**``; nothing twice."""
    found: set[Path] = set()
    for plain in _without_braces(pattern.replace("[^", "[!")):
        # Path.glob would need the part before the first pattern taken off.
        found.update(Path(match) for match in glob.glob(plain, recursive=True))  # noqa: PTH207
    return sorted(path for path in found if found.isdisjoint(path.parents))


def _without_braces(pattern: str) -> list[str]:
    """Return the patterns that one with ``{a,b}`` stands for."""
    inner = re.search(r"\{([^{}]*)\}", pattern)
    if inner is None:
        return [pattern]
    return [
        expanded
        for choice in inner[1].split(",")
        for expanded in _without_braces(pattern[: inner.start()] + choice + pattern[inner.end() :])
    ]
