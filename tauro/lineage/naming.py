"""What lineage tools call jobs, runs and datasets: two programs that mean the same must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from tauro.exec.plan import RunPlan
    from tauro.io.location import Location

_RUNS = UUID("6f0c3c1e-5d0b-5f7a-9a55-2f6a3a0f7c11")
_ONE_NAME = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "wasb": "wasbs", "abfs": "abfss"}
# Object stores have keys, which begin with no slash; the part before an @ is a container, not a user.
_STORES = frozenset({"s3", "gs", "abfss", "wasbs"})
_CONTAINERS = frozenset({"abfss", "wasbs"})
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


def dataset_id(location: Location) -> Id:
    """Return what a stored dataset is called, by the rules at https://openlineage.io/docs/spec/naming.

    A pattern is named by the folder that it starts in: that is what whoever writes the files calls it.
    Users, passwords and queries of URIs are left out.
    """
    if location.path is not None:
        return Id("file", _before_pattern(location.path.as_posix()))
    address = urlsplit(location.uri)
    scheme = _ONE_NAME.get(address.scheme, address.scheme)
    authority = address.netloc if scheme in _CONTAINERS else address.netloc.rpartition("@")[2]
    name = _before_pattern(address.path)
    return Id(f"{scheme}://{authority}", (name.strip("/") or "/") if scheme in _STORES else name or "/")


def _before_pattern(path: str) -> str:
    parts = path.split("/")
    plain = next((number for number, part in enumerate(parts) if any(letter in part for letter in _PATTERN)), None)
    return path if plain is None else "/".join(parts[:plain]) or "/"
