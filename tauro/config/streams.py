"""Settings of streams: when a stream computes, how it writes, where it keeps its place; options of its sources."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.schema import Choice, Free, Group, Invalid, Names, Settings, Text, describe, option
from tauro.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Mapping[str, Any] = MappingProxyType({})

OUTPUT_MODES = ("append", "update", "complete")
TRIGGERS = ("processing_time", "available_now", "once", "continuous")
# With these a stream ends by itself: when it has done what was there at its start.
ENDING_TRIGGERS = frozenset({"available_now", "once"})

# Options of Spark's streaming sources and sinks in files; what the format takes itself is beside them.
FILE_OPTIONS = (
    "maxFilesPerTrigger", "maxBytesPerTrigger", "latestFirst", "maxFileAge", "fileNameOnly", "cleanSource",
    "sourceArchiveDir", "maxCachedFiles",
)  # fmt: skip
# Every option of sources and sinks that take no others, by format and section. Those of Kafka's clients begin
# with "kafka.".
OPTIONS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("kafka", "input"): (
            "assign", "subscribe", "subscribePattern", "kafka.bootstrap.servers", "startingOffsets",
            "startingOffsetsByTimestamp", "startingTimestamp", "startingOffsetsByTimestampStrategy", "endingOffsets",
            "endingOffsetsByTimestamp", "endingTimestamp", "failOnDataLoss", "includeHeaders", "groupIdPrefix",
            "kafkaConsumer.pollTimeoutMs", "fetchOffset.numRetries", "fetchOffset.retryIntervalMs",
            "maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay", "minPartitions",
            "maxRecordsPerPartition",
        ),
        ("kafka", "output"): ("topic", "kafka.bootstrap.servers", "includeHeaders"),
        ("rate", "input"): ("rowsPerSecond", "rampUpTime", "numPartitions"),
        ("socket", "input"): ("host", "port", "includeTimestamp"),
        ("delta_stream", "input"): (
            "readChangeFeed", "readChangeData", "startingVersion", "startingTimestamp", "maxFilesPerTrigger",
            "maxBytesPerTrigger", "ignoreDeletes", "ignoreChanges", "skipChangeCommits", "failOnDataLoss",
            "excludeRegex", "schemaTrackingLocation", "withEventTimeOrder", "allowSourceColumnDrop",
            "allowSourceColumnRename", "allowSourceColumnTypeChange",
        ),
        ("console", "output"): ("numRows", "truncate"),
        ("memory", "output"): (),
        ("foreach_batch", "output"): (),
    }
)  # fmt: skip
# Of each group one option is needed.
NEEDED: Mapping[tuple[str, str], tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        ("kafka", "input"): (("kafka.bootstrap.servers",), ("subscribe", "subscribePattern", "assign")),
        ("kafka", "output"): (("kafka.bootstrap.servers",),),
        ("socket", "input"): (("host",), ("port",)),
    }
)


class Trigger(NamedTuple):
    """When a stream computes its next batch.

    Attributes:
        type: One of :data:`TRIGGERS`.
        interval: The time between two batches, or two checkpoints, as Spark reads it: ``10 seconds``.
    """

    type: str
    interval: str | None = None

    @property
    def ends(self) -> bool:
        """True when the stream ends by itself."""
        return self.type in ENDING_TRIGGERS


DEFAULT_TRIGGER = Trigger("processing_time", "10 seconds")
_UNITS = ("millisecond", "second", "minute", "hour", "day")


class _Interval:
    """A time such as ``10 seconds``; kept as text."""

    def parse(self, value: Any) -> str:
        """Return the text; raise Invalid."""
        text = Text().parse(value)
        number, _, unit = text.strip().partition(" ")
        if not number.isdecimal() or unit.strip().lower().removesuffix("s") not in _UNITS:
            raise Invalid(f"Expected a time, found {describe(value)}", "Write it as '10 seconds' or '1 minute'.")
        return text.strip()

    def json_schema(self) -> dict[str, Any]:
        """Return what it takes as JSON Schema."""
        return {"type": "string", "pattern": r"^\s*[0-9]+ +[A-Za-z]+\s*$", "title": "a time such as `10 seconds`"}


class _TriggerKind:
    """A word, or a mapping of ``type`` and ``interval``."""

    def parse(self, value: Any) -> Trigger:
        """Return the trigger; raise Invalid."""
        if not isinstance(value, dict):
            value = {"type": value}
        for key in value:
            if key not in ("type", "interval"):
                near = nearest(str(key), ("type", "interval"))
                raise Invalid(f"Unknown key '{key}'", "Known keys: type, interval.", (key,), near)
        kind = self._part(value, "type", Choice(TRIGGERS)) or DEFAULT_TRIGGER.type
        interval = self._part(value, "interval", _Interval())
        if kind in ENDING_TRIGGERS and interval is not None:
            raise Invalid(f"A stream that computes {kind} has no interval", "Remove interval.", ("interval",))
        return Trigger(kind, interval or (None if kind in ENDING_TRIGGERS else DEFAULT_TRIGGER.interval))

    def _part(self, value: dict[str, Any], key: str, kind: Choice | _Interval) -> str | None:
        try:
            return kind.parse(value[key]) if key in value else None
        except Invalid as error:
            error.path = (key,)
            raise

    def json_schema(self) -> dict[str, Any]:
        """Return what it takes as JSON Schema."""
        words = Choice(TRIGGERS).json_schema()
        parts = {"type": words, "interval": _Interval().json_schema()}
        return {"anyOf": [words, {"type": "object", "properties": parts, "additionalProperties": False}]}


class Watermark(Settings):
    """How late a row may be."""

    column: str | None = option(Text(), "Column of the time at which a row came to be.")
    delay: str = option(_Interval(), "How long rows are waited for, such as 10 seconds.", default="10 seconds")


class Stream(Settings):
    """Settings of a stream; those of a node win over its pipeline's."""

    trigger: Trigger | None = option(
        _TriggerKind(),
        "When it computes: type processing_time or continuous with an interval, available_now or once; processing_time "
        "of 10 seconds, if not given.",
    )
    output_mode: str | None = option(
        Choice(OUTPUT_MODES), "What a batch writes: new rows (append, the default), changed ones, or all of them."
    )
    checkpoint_location: str | None = option(
        Text(), "Folder where it keeps its place; of a pipeline, the folder above those of its nodes."
    )
    query_name: str | None = option(Text(), "What Spark calls it; the table of format memory.")
    watermark: Watermark | None = option(Group(Watermark), "How late rows of its inputs may be.")
    static: tuple[str, ...] = option(Names(), "Inputs that are read as a whole, and not as streams.", default=())
    options: Mapping[str, Any] = option(Free(), "Options of Spark's writer of streams.", default=NOTHING)

    @property
    def is_given(self) -> bool:
        """True when the settings say anything of it."""
        return bool(vars(self))

    def over(self, below: Stream) -> Stream:
        """Return these settings, and those of ``below`` where they say nothing.

        Where the place is kept and what it is called is each stream's own.
        """
        shared = {key: value for key, value in vars(below).items() if key not in ("checkpoint_location", "query_name")}
        return Stream(**{**shared, **vars(self)})


NO_STREAM = Stream()
