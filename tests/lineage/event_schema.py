"""What the specification of OpenLineage 2-0-2 demands of the events that Tauro tells, as a JSON Schema.

Written from the specification for exactly these events: what Tauro never tells is not in it, and nothing beyond it
may be told without a change here.
"""

from jsonschema import Draft202012Validator, FormatChecker

TEXT = {"type": "string", "minLength": 1}
UUID = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
URI = {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:[^ ]+$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
COUNT = {"type": "integer", "minimum": 0}


def of(required, optional=None):
    """Return the schema of an object with these keys and no others."""
    properties = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def facet(name, required, optional=None):
    """Return the schema of a facet: each says who made it, and where its own schema is."""
    url = {"type": "string", "pattern": rf"^https://openlineage\.io/spec/facets/\d-\d-\d/{name}\.json#/\$defs/{name}$"}
    return of({"_producer": URI, "_schemaURL": url, **required}, optional)


def facets(**known):
    return {"type": "object", "properties": known, "additionalProperties": False}


def items(one):
    return {"type": "array", "items": one}


JOB = {"namespace": TEXT, "name": TEXT}
RUN_FACETS = facets(
    nominalTime=facet("NominalTimeRunFacet", {"nominalStartTime": TIME}, {"nominalEndTime": TIME}),
    processing_engine=facet("ProcessingEngineRunFacet", {"version": TEXT}, {"name": TEXT}),
    parent=facet("ParentRunFacet", {"run": of({"runId": UUID}), "job": of(JOB)}),
    errorMessage=facet(
        "ErrorMessageRunFacet", {"message": TEXT, "programmingLanguage": TEXT}, {"stackTrace": {"type": "string"}}
    ),
    tags=facet("TagsRunFacet", {"tags": items(of({"key": TEXT, "value": TEXT}, {"source": TEXT}))}),
)
JOB_FACETS = facets(
    jobType=facet("JobTypeJobFacet", {"processingType": TEXT, "integration": TEXT}, {"jobType": TEXT}),
    documentation=facet("DocumentationJobFacet", {"description": TEXT}),
    sourceCodeLocation=facet("SourceCodeLocationJobFacet", {"type": TEXT, "url": URI}, {"path": TEXT}),
)
DATASET_FACETS = facets(
    symlinks=facet("SymlinksDatasetFacet", {"identifiers": items(of({"namespace": TEXT, "name": TEXT, "type": TEXT}))}),
    datasetType=facet("DatasetTypeDatasetFacet", {"datasetType": TEXT}, {"subType": TEXT}),
    storage=facet("StorageDatasetFacet", {"storageLayer": TEXT}, {"fileFormat": TEXT}),
    documentation=facet("DocumentationDatasetFacet", {"description": TEXT}),
    schema=facet("SchemaDatasetFacet", {"fields": items(of({"name": TEXT}, {"type": TEXT}))}),
)
ASSERTIONS = facet(
    "DataQualityAssertionsDatasetFacet",
    {"assertions": items(of({"assertion": TEXT, "success": {"type": "boolean"}}, {"column": TEXT}))},
)
OUTPUT_FACETS = facets(
    outputStatistics=facet("OutputStatisticsOutputDatasetFacet", {"rowCount": COUNT}),
    dataQualityAssertions=ASSERTIONS,
)
INPUT_FACETS = facets(dataQualityAssertions=ASSERTIONS)
EVENT = of(
    {
        "eventType": {"enum": ["START", "COMPLETE", "FAIL", "ABORT"]},
        "eventTime": TIME,
        "producer": URI,
        "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        "run": of({"runId": UUID, "facets": RUN_FACETS}),
        "job": of({**JOB, "facets": JOB_FACETS}),
        "inputs": items(of({**JOB, "facets": DATASET_FACETS}, {"inputFacets": INPUT_FACETS})),
        "outputs": items(of({**JOB, "facets": DATASET_FACETS}, {"outputFacets": OUTPUT_FACETS})),
    }
)
VALIDATOR = Draft202012Validator(EVENT, format_checker=FormatChecker())
