"""The facets of OpenLineage that say more of a run, a job or a dataset than its name."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tauro.config.dates import Window
    from tauro.config.model import NodeConfig
    from tauro.exec.results import Failure
    from tauro.io.checks.report import CheckReport
    from tauro.io.stored import StoredDataset
    from tauro.lineage.naming import Id

_VERSION = version("tauro")
PRODUCER = f"urn:tauro:{_VERSION}"
_SPEC = "https://openlineage.io/spec"
RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_KINDS = MappingProxyType(
    {"delta": "TABLE", "table": "TABLE", "unity_catalog": "TABLE", "jdbc": "TABLE", "query": "VIEW"}
)

Facet = dict[str, Any]


def _facet(version: str, name: str, /, **fields: Any) -> Facet:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **fields}


def nominal_time(window: Window) -> Facet:
    """Return the dates that a run is for; its end is the first moment that is not meant any more."""
    first, behind = (
        datetime.combine(day, time(), UTC).isoformat() for day in (window.start, window.end + timedelta(days=1))
    )
    return _facet("1-0-1", "NominalTimeRunFacet", nominalStartTime=first, nominalEndTime=behind)


def engine() -> Facet:
    """Return the program that runs the job."""
    return _facet("1-1-1", "ProcessingEngineRunFacet", name="Tauro", version=_VERSION)


def tags(values: Mapping[str, str]) -> Facet:
    """Return what people look runs up by."""
    found = [{"key": key, "value": value, "source": "TAURO"} for key, value in values.items()]
    return _facet("1-0-0", "TagsRunFacet", tags=found)


def parent(run: str, job: Id) -> Facet:
    """Return the run that a node's run belongs to."""
    return _facet("1-0-1", "ParentRunFacet", run={"runId": run}, job=job._asdict())


def error_message(failure: Failure) -> Facet:
    """Return why a run failed."""
    text = failure.message if failure.place is None else f"{failure.message} ({failure.place})"
    trace = {"stackTrace": failure.traceback} if failure.traceback else {}
    return _facet("1-0-0", "ErrorMessageRunFacet", message=text, programmingLanguage="PYTHON", **trace)


def job_type(kind: str) -> Facet:
    """Return what a job is: ``PIPELINE`` or ``NODE``."""
    return _facet("2-0-3", "JobTypeJobFacet", processingType="BATCH", integration="TAURO", jobType=kind)


def job_documentation(text: str) -> Facet:
    """Return what a job is for."""
    return _facet("1-0-1", "DocumentationJobFacet", description=text)


def source_code(node: NodeConfig, root: Path) -> Facet | None:
    """Return where a node's function is, None where it is in no file of the project."""
    from tauro.config.functions import find_module

    file = find_module(root, node.target[0]) if node.target is not None else None
    if file is None:
        return None
    path = file.relative_to(root).as_posix()
    return _facet("1-0-1", "SourceCodeLocationJobFacet", type="file", url=file.absolute().as_uri(), path=path)


def schema(columns: Mapping[str, str | None]) -> Facet:
    """Return the columns of a dataset."""
    fields = [{"name": name, "type": kind} if kind else {"name": name} for name, kind in columns.items()]
    return _facet("1-1-1", "SchemaDatasetFacet", fields=fields)


def stored_facets(stored: StoredDataset, alias: Id) -> dict[str, Facet]:
    """Return what is always known of a stored dataset: its name in the project, kind, storage and description."""
    form = stored.format.name
    names = [{**alias._asdict(), "type": "TABLE"}]
    found = {"symlinks": _facet("1-0-1", "SymlinksDatasetFacet", identifiers=names)}
    of_files = stored.location.path is not None or "://" in stored.location.uri
    kind = _KINDS.get(form, "FILE" if of_files else None)
    if kind is not None:
        found["datasetType"] = _facet("1-0-0", "DatasetTypeDatasetFacet", datasetType=kind)
    if of_files:
        layer, files = ("delta", "parquet") if form == "delta" else ("file", form)
        found["storage"] = _facet("1-0-1", "StorageDatasetFacet", storageLayer=layer, fileFormat=files)
    if stored.config.description:
        text = stored.config.description
        found["documentation"] = _facet("1-0-1", "DocumentationDatasetFacet", description=text)
    return found


def memory_facets() -> dict[str, Facet]:
    """Return what is known of a value that nodes hand on in memory."""
    return {"datasetType": _facet("1-0-0", "DatasetTypeDatasetFacet", datasetType="JOB_OUTPUT", subType="MEMORY")}


def assertions(report: CheckReport) -> Facet:
    """Return what checks have found; one whose failures are only warned of has not succeeded."""
    found = [{"assertion": result.name, "success": result.passed} for result in report.results]
    return _facet("1-0-1", "DataQualityAssertionsDatasetFacet", assertions=found)


def output_statistics(rows: int) -> Facet:
    """Return how many rows were written."""
    return _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rowCount=rows)
