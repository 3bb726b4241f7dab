"""Files behind URIs that engines do not read themselves: fetched by fsspec into a private folder, and read there."""

from __future__ import annotations

import posixpath
import shutil
import weakref
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from tauro.engines.dialect import is_local
from tauro.errors import DatasetNotFound, DependencyError, NodeError, Unsupported
from tauro.io.location import Location, filepath_place, scheme_of

if TYPE_CHECKING:
    from polars import LazyFrame
    from pyspark.sql import DataFrame, SparkSession

    from tauro.config.model import DatasetConfig, ProjectConfig
    from tauro.io.formats import DatasetFormat, DirectFormat, Target, Written

SCHEMES = frozenset({"memory", "http", "https", "ftp", "sftp", "ssh", "smb", "github"})
# What fsspec itself needs for a scheme.
_NEEDS = {
    "http": "aiohttp requests",
    "https": "aiohttp requests",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "smb": "smbprotocol",
    "github": "requests",
}
_PATTERN = "*?["


class FetchedFormat:
    """Reads a format of files from elsewhere. The files are fetched once, and kept as long as this is.

    Args:
        inner: What reads the files when they are here.
        direct: What reads them without Spark, if anything does.
        uri: Where they are.
    """

    modes = frozenset[str]()

    def __init__(self, inner: DatasetFormat, direct: DirectFormat | None, uri: str) -> None:
        self.name = inner.name
        self._inner = inner
        self._direct = direct
        self._uri = uri
        self._lock = Lock()
        self._home: Location | None = None

    def exists(self, location: Location) -> bool:
        """Return True: whether there is data is seen when it is fetched."""
        return location.path is None

    def read(self, session: SparkSession, location: Location, dataset: DatasetConfig) -> DataFrame:
        """Return the data as a DataFrame."""
        return self._inner.read(session, self.local(location, dataset), dataset)

    def write(self, frame: DataFrame, target: Target) -> int | None:  # noqa: ARG002 - the protocol's
        """Refuse: what is elsewhere is only read.

        Raises:
            NodeError: Always.
        """
        raise NodeError(f"Dataset '{target.dataset.name}' is only read")

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:  # noqa: ARG002 - the protocol's
        """Return how many rows were fetched, where that is cheap to know."""
        return None if self._home is None else self._inner.rows(self._home, dataset)

    @property
    def direct(self) -> DirectFetched | None:
        """What reads it without Spark."""
        return None if self._direct is None else DirectFetched(self, self._direct)

    def local(self, location: Location, dataset: DatasetConfig) -> Location:
        """Return where the files are now; the first call fetches them.

        Raises:
            DatasetNotFound: There are none.
        """
        with self._lock:
            if self._home is None:
                from tempfile import mkdtemp

                folder = Path(mkdtemp(prefix="tauro-"))
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self._home = _fetched(self._uri, folder, location.shown, dataset)
            return self._home


class DirectFetched:
    """Reads files from elsewhere without Spark.

    Args:
        format: What fetches them.
        direct: What reads them when they are here.
    """

    def __init__(self, format_: FetchedFormat, direct: DirectFormat) -> None:
        self._format = format_
        self._direct = direct

    def reads(self, location: Location, dataset: DatasetConfig) -> bool:
        """Say whether the settings ask for nothing that only Spark can read."""
        return self._direct.reads(location._replace(path=Path(location.shown)), dataset)

    def writes(self, location: Location, dataset: DatasetConfig) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: what is elsewhere is only read."""
        return False

    def scan(self, location: Location, dataset: DatasetConfig) -> LazyFrame | None:
        """Return the data as a lazy frame; None where only Spark can read it."""
        return self._direct.scan(self._format.local(location, dataset), dataset)

    def write(self, frame: LazyFrame, target: Target) -> Written | None:  # noqa: ARG002 - the protocol's
        """Return None: what is elsewhere is only read."""
        return None

    def rows(self, location: Location, dataset: DatasetConfig) -> int | None:
        """Return how many rows there are, where that is cheap to know."""
        return self._direct.rows(self._format.local(location, dataset), dataset)


def check_fetchable(config: ProjectConfig, dataset: DatasetConfig) -> None:
    """Refuse what cannot be fetched, before anything runs.

    Raises:
        Unsupported: It is written, is no format of plain files, or is read by other machines.
        DependencyError: A package is missing.
    """
    scheme = scheme_of(dataset.filepath or "") or ""
    place = filepath_place(config, dataset)
    settings = config.settings
    on_cluster = settings.mode == "spark" and not is_local(settings.spark_master or "local")
    if on_cluster or settings.mode in ("connect", "databricks"):
        raise Unsupported(
            f"What is behind {scheme}:// is fetched to this machine, where the cluster does not see it",
            place=place,
            hint="Copy the files to where the cluster reads, such as s3, gs, abfs or hdfs.",
        )
    if dataset.section == "output" or dataset.format == "delta":
        what = "written" if dataset.section == "output" else "read as delta"
        raise Unsupported(
            f"What is behind {scheme}:// cannot be {what}",
            place=place,
            hint="Give a path, or a URI of s3, gs, abfs or hdfs; what is elsewhere is only read, as plain files.",
        )
    try:
        from fsspec import get_filesystem_class

        get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        needs = " ".join(filter(None, ("fsspec", _NEEDS.get(scheme))))
        raise DependencyError(
            f"{dataset.name}: Files behind {scheme}:// are fetched by fsspec, and something is not installed: {error}",
            place=place,
            hint=f"pip install {needs}",
        ) from None


def _fetched(uri: str, folder: Path, shown: str, dataset: DatasetConfig) -> Location:
    """Fetch the files behind a URI into a folder, and return where they are."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(uri)
        found = _files(system, path)
        for source, name in found:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            system.get_file(source, str(target))
    except FileNotFoundError:
        found = []
    if not found:
        raise DatasetNotFound(f"Dataset '{dataset.name}' has no data", looked_up=(shown,), hint="Mend its filepath.")
    is_file = len(found) == 1 and not _is_pattern(path) and "/" not in found[0][1]
    home = folder / found[0][1] if is_file else folder
    return Location(str(home), home, shown)


def _files(system: Any, path: str) -> list[tuple[str, str]]:
    """Return the files that a path stands for, each with the name that it gets here."""
    if _is_pattern(path):
        # As engines do it, the folders of a pattern are no partitions.
        return [(file, f"{index:06d}-{_name(file)}") for index, file in enumerate(system.glob(path))]
    if system.isfile(path):
        return [(path, _name(path))]
    base = path.rstrip("/") + "/"
    inside = [(file, file.partition(base)[2]) for file in system.find(path)]
    return [(file, name) for file, name in inside if name and ".." not in name.split("/")]


def _is_pattern(path: str) -> bool:
    return any(letter in path.partition("?")[0] if "://" in path else letter in path for letter in _PATTERN)


def _name(path: str) -> str:
    """Return a file's name in plain letters; its ending tells readers whether it is packed."""
    name = posixpath.basename(path.partition("?")[0]) if "://" in path else posixpath.basename(path)
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name).lstrip("._") or "data"
