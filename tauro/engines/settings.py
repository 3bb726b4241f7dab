"""The settings of a session, and who has set each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TAURO = "Tauro"
CONNECTORS = "tauro engine install"
# Apache Spark's own variables; as with its own programs, what is configured wins over them.
_VARIABLES = (("SPARK_DRIVER_MEMORY", "spark.driver.memory"), ("SPARK_EXECUTOR_MEMORY", "spark.executor.memory"))


class Layer(NamedTuple):
    """Settings that one has made.

    Attributes:
        set_by: Who: ``Tauro``, an environment variable, ``global_settings``, a pipeline.
        settings: The settings.
    """

    set_by: str
    settings: Mapping[str, Any]


class Setting(NamedTuple):
    """A setting of a session.

    Attributes:
        key: Its name.
        value: What takes effect, as Spark writes it.
        set_by: Who has set it.
        over: Who has set it too, and was passed over; lowest first.
    """

    key: str
    value: str
    set_by: str
    over: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as JSON data."""
        return {"key": self.key, "value": self.value, "set_by": self.set_by, "over": list(self.over)}


def settled(*layers: Layer) -> tuple[Setting, ...]:
    """Return what takes effect of layers, lowest first; settings stand in the order of their names."""
    found: dict[str, Setting] = {}
    for layer in layers:
        for key, value in layer.settings.items():
            before = found.get(key)
            over = () if before is None else (*before.over, before.set_by)
            found[key] = Setting(key, _written(value), layer.set_by, over)
    return tuple(found[key] for key in sorted(found))


def values_of(settings: tuple[Setting, ...]) -> dict[str, str]:
    """Return settings as Spark takes them."""
    return {setting.key: setting.value for setting in settings}


def memory_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    """Yield what ``SPARK_DRIVER_MEMORY`` and ``SPARK_EXECUTOR_MEMORY`` say."""
    for variable, key in _VARIABLES:
        if environ.get(variable):
            yield Layer(variable, {key: environ[variable]})


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
