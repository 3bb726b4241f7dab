"""The typed model of a project's configuration: five sections, every key with its type and meaning."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.checks import CHECKS, VALIDATION
from tauro.config.dates import Window, parse_date
from tauro.config.merge import MergeClause, MergeClauses
from tauro.config.plugins import formats_of_packages
from tauro.config.schema import (
    Anything,
    Boolean,
    Choice,
    Date,
    Free,
    Group,
    Invalid,
    Names,
    Number,
    Settings,
    Text,
    describe,
    option,
)
from tauro.config.streams import NO_STREAM, Stream
from tauro.config.views import Views
from tauro.errors import ValidationError
from tauro.security.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from tauro.config.check_rules import Check
    from tauro.config.document import KeyPath
    from tauro.config.overlay import Layered
    from tauro.errors import Place

MODES = ("local", "spark", "connect", "databricks")
PIPELINE_TYPES = ("batch", "streaming", "hybrid", "ml")
READ_FORMATS = (
    "csv", "json", "parquet", "delta", "orc", "avro", "text", "xml", "jdbc", "table", "query",
    "pickle", "kafka", "rate", "unity_catalog", "python", "socket", "delta_stream", "file_stream", "kinesis",
)  # fmt: skip
WRITE_FORMATS = (
    "csv", "json", "parquet", "delta", "orc", "avro", "text", "jdbc", "table", "kafka", "unity_catalog", "python",
    "console", "memory", "foreach_batch",
)  # fmt: skip
# Files that can be read as a stream.
STREAMED_FILES = ("csv", "json", "parquet", "text", "orc", "avro")
FORMATS = tuple(dict.fromkeys(READ_FORMATS + WRITE_FORMATS))
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("text", "json")
# What a mapping is when nothing is given; nobody can put anything in.
NOTHING: Mapping[str, Any] = MappingProxyType({})

WRITE_MODES = ("overwrite", "append", "ignore", "error", "merge")


class Dependencies:
    """Names of nodes: a name, a list, or the mappings that the original reads."""

    def parse(self, value: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        names: list[str] = []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                name = item.get("name")
                names.extend([name] if isinstance(name, str) else item)
            elif isinstance(item, str):
                names.append(item)
            else:
                path: KeyPath = (index,) if isinstance(value, list) else ()
                raise Invalid(f"Expected the name of a node, found {describe(item)}", path=path)
        return tuple(names)

    def json_schema(self) -> dict[str, Any]:
        item = {"type": ["string", "object"]}
        return {"anyOf": [item, {"type": "array", "items": item}]}


class NodeList:
    """The nodes of a pipeline: names, or mappings that hold a node's settings beside its ``name``."""

    def parse(self, value: Any) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        items = value if isinstance(value, list) else [value]
        nodes: list[tuple[str, Mapping[str, Any]]] = []
        for index, item in enumerate(items):
            if isinstance(item, str):
                nodes.append((item, {}))
            elif isinstance(item, dict) and isinstance(item.get("name"), str):
                nodes.append((item["name"], {key: inner for key, inner in item.items() if key != "name"}))
            else:
                path: KeyPath = (index,) if isinstance(value, list) else ()
                raise Invalid(
                    f"Expected the name of a node, found {describe(item)}", "Write a name, or {name: ...}.", path
                )
        return tuple(nodes)

    def json_schema(self) -> dict[str, Any]:
        inline = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
        item = {"anyOf": [{"type": "string"}, inline]}
        return {"anyOf": [item, {"type": "array", "items": item}]}


class LoggingSettings(Settings):
    """What the log file holds when no option says it."""

    level: str = option(Choice(LOG_LEVELS), "Lowest level of its records.", default="INFO")
    format: str = option(Choice(LOG_FORMATS), "Whether a record is a line of text or of JSON.", default="text")


class GlobalSettings(Settings):
    """Settings of the whole project."""

    project_name: str | None = option(Text(), "Name of the project.")
    mode: str = option(
        Choice(MODES, {"distributed": "spark"}),
        "Which engine computes: local is the embedded one.",
        default="local",
        also=("execution_mode",),
    )
    input_path: str = option(Text(), "Folder of input data.", default="data/input")
    output_path: str = option(Text(), "Folder of output data.", default="data/output")
    start_date: str | None = option(Date(), "First date of a run that is given none.")
    end_date: str | None = option(Date(), "Last date of a run that is given none.")
    layer: str | None = option(Text(), "Layer that the project stands for.")
    max_parallel_nodes: int = option(Number(1), "How many nodes run at once.", default=4)
    spark_master: str | None = option(Text(), "Master of Apache Spark in mode spark; local[*] if not given.")
    spark_config: Mapping[str, Any] = option(Free(), "Settings of the Spark session.", default=NOTHING)
    logging: LoggingSettings = option(Group(LoggingSettings), "Level and format of logs.", default=LoggingSettings())
    lineage: str | None = option(
        Text(), "File below the project that gets the OpenLineage events of every run; --lineage names another one."
    )
    fail_on_error: bool = option(Boolean(), "Whether a failed node fails the run.", default=True)
    fill_none_on_error: bool = option(
        Boolean(), "Whether a node gets None, with a warning, for a stored input that is not there or cannot be read.",
        default=False,
    )  # fmt: skip
    max_retries: int = option(Number(), "Retries of a node after a transient error.", default=0)
    retry_delay: float = option(
        Number(whole=False), "Seconds before the first retry; doubled for each further one.", default=0
    )
    node_timeout_seconds: float | None = option(Number(0.001, whole=False), "Longest time of a node, in seconds.")
    execution_timeout_seconds: float | None = option(Number(0.001, whole=False), "Longest time of a run, in seconds.")
    connect_url: str | None = option(Text(), "Address of a Spark Connect server in mode connect: sc://HOST:15002.")
    format_policy: Any = option(Anything(), "Which formats are allowed.", planned=True)
    default_model_version: str | None = option(Text(), "Model version of ml pipelines.")
    default_hyperparams: Mapping[str, Any] = option(Free(), "Hyperparameters of ml pipelines.", default=NOTHING)
    model_registry_path: str | None = option(Text(), "Folder of model artefacts.")
    checkpoints_base: str | None = option(Text(), "Folder of streaming checkpoints.")
    max_streaming_pipelines: int = option(Number(1), "How many streams run at once.", default=5)
    variables: Mapping[str, Any] = NOTHING

    def window(self, start: str | None, end: str | None, *, today: date) -> Window:
        """Return the dates of a run: what is given, else the settings', else today.

        Raises:
            ValidationError: Not a date, or the start is after the end.
        """
        # An empty date that was given is a mistake, such as --start-date "$UNSET"; it is no wish for the settings'.
        first = parse_date(self.start_date or "today" if start is None else start, today=today)
        last = parse_date(self.end_date or "today" if end is None else end, today=today)
        if first > last:
            origins = [_origin(start, self.start_date), _origin(end, self.end_date)]
            raise ValidationError(
                f"The start date {first} ({origins[0]}) is after the end date {last} ({origins[1]})",
                hint="Give both --start-date and --end-date, in order.",
            )
        return Window(first, last)


def _origin(option: str | None, setting: str | None) -> str:
    """Say where a date of a run comes from."""
    return "as given" if option is not None else "from global_settings" if setting else "today"


class PipelineConfig(Settings):
    """A pipeline: which nodes belong together."""

    name: str
    description: str | None = option(Text(), "What the pipeline is for.")
    type: str = option(Choice(PIPELINE_TYPES), "batch, streaming, hybrid or ml.", default="batch")
    node_list: tuple[tuple[str, Mapping[str, Any]], ...] = option(NodeList(), "Its nodes.", default=(), key="nodes")
    tags: tuple[str, ...] = option(Names(), "Words to find it by.", default=())
    inputs: tuple[str, ...] = option(Names(), "Datasets it takes, for its readers.", default=())
    outputs: tuple[str, ...] = option(Names(), "Datasets it makes, for its readers.", default=())
    max_parallel_nodes: int | None = option(Number(1), "How many of its nodes run at once.")
    spark_config: Mapping[str, Any] = option(
        Free(), "Settings of its Spark session; they win over those of global_settings.", default=NOTHING
    )
    model_version: str | None = option(Text(), "Model version.")
    hyperparams: Mapping[str, Any] = option(Free(), "Hyperparameters.", default=NOTHING)
    streaming: Stream = option(Group(Stream), "Settings of its streams.", default=NO_STREAM)
    retries: int | None = option(Number(), "Retries of each node after a transient error.")
    timeout_seconds: float | None = option(Number(0.001, whole=False), "Longest time of a run, in seconds.")

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of its nodes, in the order of the file."""
        return tuple(name for name, _ in self.node_list)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Where each node stands in the list, for the first time."""
        return {name: index for index, (name, _) in reversed(list(enumerate(self.node_list)))}


class NodeConfig(Settings):
    """A node: a function, what it reads and what it writes."""

    name: str
    module: str | None = option(Text(), "Module of the function, below src/, the root or lib/.")
    function: str | None = option(Text(), "Function, or its dotted path with the module.")
    inputs: tuple[str, ...] = option(
        Names(), "Datasets it is handed, in order.", default=(), key="input", also=("inputs",)
    )
    outputs: tuple[str, ...] = option(Names(), "Datasets it returns.", default=(), key="output", also=("outputs",))
    dependencies: tuple[str, ...] = option(Dependencies(), "Nodes that must be done before.", default=())
    description: str | None = option(Text(), "What the node is for.")
    tags: tuple[str, ...] = option(Names(), "Words to find it by.", default=())
    params: Mapping[str, Any] = option(Free(), "Values for the function's parameter 'params'.", default=NOTHING)
    fail_fast: bool = option(Boolean(), "Stop the run when this node fails.", default=False)
    retries: int | None = option(Number(), "Retries of this node after a transient error.")
    retry_delay: float | None = option(
        Number(whole=False), "Seconds before the first retry; doubled for each further one."
    )
    timeout_seconds: float | None = option(Number(0.001, whole=False), "Longest time of the node, in seconds.")
    hyperparams: Mapping[str, Any] = option(Free(), "Hyperparameters.", default=NOTHING)
    metrics: Any = option(Anything(), "Metrics of an ml node, for its code, in ml_context['node_config'].")
    streaming: Stream = option(Group(Stream), "Settings of its stream.", default=NO_STREAM)

    @property
    def target(self) -> tuple[str, str] | None:
        """Module and name of its function, or None when the settings do not say both."""
        return _target(self.module, self.function)


def _target(module: str | None, function: str | None) -> tuple[str, str] | None:
    if function is None or module is not None:
        return None if function is None or module is None else (module, function)
    module, _, name = function.rpartition(".")
    return (module, name) if module else None


class DatasetConfig(Settings):
    """A dataset of the catalog: where it is, in which format, and how it is written."""

    name: str
    section: str
    format: str | None = option(Choice(FORMATS, more=formats_of_packages), "Its format.")
    filepath: str | None = option(Text(), "Where it is: below the project, absolute, or a URI.", also=("path",))
    file_format: str | None = option(Choice(STREAMED_FILES), "Format of the files of a file_stream.")
    options: Mapping[str, Any] = option(Free(), "Options of the reader or writer.", default=NOTHING)
    schema: str | None = option(Text(), "Its columns, as DDL; beside table_name the folder of its schema.")
    table_name: str | None = option(
        Text(), "Last part of its place below output_path, where no filepath is given; name of format table."
    )
    sub_folder: str | None = option(Text(), "Part of its place between schema and table_name.")
    catalog_name: str | None = option(Text(), "Catalog of a table, before schema and table_name.")
    description: str | None = option(Text(), "What it holds.")
    version: int | None = option(Number(), "Version of a delta table to read.")
    timestamp: str | None = option(Text(), "Time of a delta table to read.")
    write_mode: str = option(Choice(WRITE_MODES), "How it is written.", default="overwrite", also=("mode",))
    partition_by: tuple[str, ...] = option(
        Names(),
        "Columns it is partitioned by.",
        default=(),
        also=("partition", "partition_col", "partition_columns", "partitioned_by"),
    )
    overwrite_strategy: str | None = option(
        Choice(("replaceWhere", "dynamic", "full")),
        "Which part is overwritten: rows of a predicate or of the run's dates, the partitions of the new rows, or all.",
    )
    replace_predicate: str | None = option(Text(), "The rows that replaceWhere overwrites; else the run's dates.")
    overwrite_schema: bool = option(Boolean(), "An overwrite may change the columns.", default=False)
    merge_schema: bool = option(Boolean(), "New columns are added.", default=False)
    validation: tuple[Check, ...] = option(VALIDATION, "Checks, in the original's form.", default=())
    checks: tuple[Check, ...] = option(
        CHECKS,
        "Checks of its rows as they are read or written; each entry has one, and what to do about rows that fail it.",
        default=(),
    )
    merge_keys: tuple[str, ...] = option(Names(), "Columns by which a merge knows a row again.", default=())
    merge_condition: str | None = option(
        Text(), "What else must hold for a row to be known, as SQL over source and target."
    )
    when_matched: tuple[MergeClause, ...] | None = option(
        MergeClauses(("update", "delete")),
        "What a merge does with known rows: update, if not given. A mapping has condition, and delete: true or update "
        "with the columns and their SQL over source and target. Of a list, the first that holds is done.",
    )
    when_not_matched: tuple[MergeClause, ...] | None = option(
        MergeClauses(("insert",)),
        "What a merge does with new rows: insert, if not given. A mapping has condition, and insert with the columns "
        "and their SQL over source.",
    )
    partition_filter: str | None = option(Text(), "Which partitions are read, as a condition in SQL.")
    query: str | None = option(Text(), "The query of format query: one SELECT, or WITH and a SELECT.")
    views: tuple[tuple[str, str], ...] = option(
        Views(),
        "Datasets that a query sees: a mapping of names in the query to datasets, or datasets by their own names, of "
        "which the last part counts.",
        default=(),
    )
    params: Mapping[str, Any] = option(
        Free(),
        "Values for a query, where :name stands, and for the parameter 'params' of a function of format python or "
        "foreach_batch.",
        default=NOTHING,
        also=("parameters",),
    )
    module: str | None = option(Text(), "Module of the function of format python or foreach_batch.")
    function: str | None = option(
        Text(), "Function of format python or foreach_batch, or its dotted path with the module."
    )
    allow_untrusted_pickle: bool = option(
        Boolean(), "Allow format pickle: to read a pickle executes what stands in it.", default=False
    )
    optimize: bool = option(Boolean(), "Join small files of a delta table after writing.", default=False)
    zorder_by: tuple[str, ...] = option(Names(), "Columns by which its files are ordered after writing.", default=())
    vacuum: bool = option(Boolean(), "Remove files of old versions after writing.", default=False)
    vacuum_retention_hours: float = option(
        Number(whole=False), "How old a version's files must be for vacuum to remove them.", default=168
    )

    @property
    def target(self) -> tuple[str, str] | None:
        """Module and name of its function, or None when the settings do not say both."""
        return _target(self.module, self.function)

    @property
    def columns(self) -> str | None:
        """Its columns as DDL, or None."""
        return self.schema if self.table_name is None else None

    @property
    def all_checks(self) -> tuple[Check, ...]:
        """Its checks, those in the original's form too."""
        return (*self.validation, *self.checks)

    @property
    def table_path(self) -> tuple[str, ...] | None:
        """Where it is stored below the output path, or None: schema, sub-folder and table.

        They are given by keys, as the original reads them, or by a name such as ``bronze.sales.raw``;
        what stands before a colon in a name is the original's way to tell two of them apart.
        """
        if self.table_name is not None:
            return tuple(part for part in (self.schema, self.sub_folder, self.table_name) if part)
        parts = canonical(self.name).rpartition(":")[2].split(".")
        return tuple(parts) if len(parts) == 3 and all(parts) else None


def canonical(dataset: str) -> str:
    """Return a dataset's name in its one form: the original's ``bronze/sales/raw`` is ``bronze.sales.raw``."""
    return dataset.replace("/", ".")


class ProjectConfig(NamedTuple):
    """Everything that a project's files say for one environment.

    Attributes:
        root: The project's folder.
        env: The environment.
        layers: The layers it is made of, lowest first.
        settings: The global settings.
        pipelines: Pipelines by name.
        nodes: Nodes by name.
        inputs: Datasets of the input section, by canonical name.
        outputs: Datasets of the output section, by canonical name.
        window: The dates that it was resolved for.
        uses_dates: True when some value depends on these dates.
        sections: The files behind it, for places and origins.
        secrets: Values that must never be shown.
        inline: Nodes that a pipeline describes itself, by pipeline and name.
        values: What each section says, with its references resolved; as plain data.
        broken: Sections of which a file could not be read.
    """

    root: Path
    env: str
    layers: tuple[str, ...]
    settings: GlobalSettings
    pipelines: Mapping[str, PipelineConfig]
    nodes: Mapping[str, NodeConfig]
    inputs: Mapping[str, DatasetConfig]
    outputs: Mapping[str, DatasetConfig]
    window: Window
    uses_dates: bool
    sections: Mapping[str, Layered]
    secrets: frozenset[str] = frozenset()
    inline: Mapping[str, Mapping[str, NodeConfig]] = NOTHING
    values: Mapping[str, Mapping[str, Any]] = NOTHING
    broken: frozenset[str] = frozenset()

    def place(self, section: str, *path: str | int, key: bool = False) -> Place | None:
        """Return where a value of a section is written."""
        layered = self.sections.get(section)
        return layered.place(path, key=key) if layered is not None else None

    def node(self, pipeline: PipelineConfig, name: str) -> NodeConfig | None:
        """Return a node as the pipeline sees it: its own inline settings laid over the section's."""
        return self.inline.get(pipeline.name, {}).get(name) or self.nodes.get(name)

    def nodes_of(self, pipeline: PipelineConfig) -> dict[str, NodeConfig]:
        """Return the nodes of a pipeline by name, in its order; names without a node are left out."""
        return {name: node for name in pipeline.nodes if (node := self.node(pipeline, name)) is not None}

    def dataset(self, name: str) -> DatasetConfig | None:
        """Return the dataset that is read under ``name``: an input, else an output."""
        return self.inputs.get(name) or self.outputs.get(name)

    @property
    def redact(self) -> Redactor:
        """Hides this project's secrets in a text."""
        return Redactor(self.secrets)
