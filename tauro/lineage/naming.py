"""What lineage tools call jobs, runs and datasets: two programs that mean the same must say the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from tauro.exec.plan import RunPlan
    from tauro.io.location import Location
    from tauro.io.stored import StoredDataset

_RUNS = UUID("6f0c3c1e-5d0b-5f7a-9a55-2f6a3a0f7c11")
_ONE_NAME = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "wasb": "wasbs", "abfs": "abfss"}
# Object stores have keys, which begin with no slash; the part before an @ is a container, not a user.
_STORES = frozenset({"s3", "gs", "abfss", "wasbs"})
_CONTAINERS = frozenset({"abfss", "wasbs"})
# What the rules call a database, its usual port, and the schema of a table that names none.
_DATABASES: Mapping[str, tuple[str, int | None, str | None]] = MappingProxyType(
    {
        "postgresql": ("postgres", 5432, "public"),
        "mysql": ("mysql", 3306, None),
        "mariadb": ("mysql", 3306, None),
    }
)
_PATTERN = "*?[{"


class Id(NamedTuple):
    """What a job or a dataset is called: unique by both together."""

    namespace: str
    name: str


def job_id(plan: RunPlan, node: str | None = None) -> Id:
    """Return what a pipeline's job is called, or that of one of its nodes: ``shop/prod``, ``sales.load``."""
    config = plan.config
    namespace = f"{config.settings.project_name or config.root.name}/{config.env}"
    return Id(namespace, plan.pipeline.name if node is None else f"{plan.pipeline.name}.{node}")


def run_uuid(plan: RunPlan, run_id: str, node: str | None = None) -> str:
    """Return the UUID of a run, or of a node's run in it; it is always the same."""
    parts = (job_id(plan).namespace, run_id) if node is None else (job_id(plan).namespace, run_id, node)
    return str(uuid5(_RUNS, "\n".join(parts)))


def dataset_id(stored: StoredDataset, own: Id) -> Id:
    """Return what a stored dataset is called, by the rules at https://openlineage.io/docs/spec/naming.

    Args:
        stored: The dataset.
        own: What it is called where no rule says anything: its name in the project.
    """
    found = table_id(stored.config.options) if stored.format.name == "jdbc" else place_id(stored.location)
    return found or own


def table_id(options: Mapping[str, Any]) -> Id | None:
    """Return what a table of a database is called, None where the options of its reader do not tell.

    Users, passwords and properties of its URL are left out.
    """
    given = {key.lower(): str(value) for key, value in options.items()}
    address = urlsplit(given.get("url", "").removeprefix("jdbc:"))
    table = given.get("dbtable", "").strip()
    database = address.path.strip("/").partition(";")[0]
    if not (address.hostname and database and table) or " " in table:
        return None
    scheme, port, schema = _DATABASES.get(address.scheme, (address.scheme, None, None))
    parts = table.replace('"', "").replace("`", "").split(".")
    if schema is not None and len(parts) == 1:
        parts = [schema, *parts]
    number = _port_of(address) or port
    host = address.hostname if number is None else f"{address.hostname}:{number}"
    return Id(f"{scheme}://{host}", ".".join((database, *parts)))


def _port_of(address: SplitResult) -> int | None:
    try:
        return address.port
    except ValueError:
        return None


def place_id(location: Location) -> Id | None:
    """Return what files at a place are called, None where it is no place of files.

    A pattern is named by the folder that it starts in: that is what whoever writes the files calls it.
    Users, passwords and queries of URIs are left out.
    """
    if location.path is not None:
        return Id("file", _before_pattern(location.path.as_posix()))
    address = urlsplit(location.uri)
    if not address.scheme:
        return None
    scheme = _ONE_NAME.get(address.scheme, address.scheme)
    authority = address.netloc if scheme in _CONTAINERS else address.netloc.rpartition("@")[2]
    name = _before_pattern(address.path)
    return Id(f"{scheme}://{authority}", (name.strip("/") or "/") if scheme in _STORES else name or "/")


def _before_pattern(path: str) -> str:
    parts = path.split("/")
    plain = next((number for number, part in enumerate(parts) if any(letter in part for letter in _PATTERN)), None)
    return path if plain is None else "/".join(parts[:plain]) or "/"
