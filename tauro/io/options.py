"""Options that the embedded engine passes over without a word: refused where the rows would be others for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.errors import Unsupported

if TYPE_CHECKING:
    from tauro.config.model import DatasetConfig, ProjectConfig

_INSTEAD = {
    "partitionoverwritemode": "Use format: delta with overwrite_strategy: dynamic.",
    "replacewhere": "Use overwrite_strategy: replaceWhere with replace_predicate.",
}
# For each option the values that ask for what the engine does anyway.
_PASSED_OVER: dict[str, frozenset[str]] = {
    "charset": frozenset({"utf-8", "utf8"}),
    "dateformat": frozenset({"yyyy-mm-dd"}),
    "emptyvalue": frozenset(),
    "encoding": frozenset({"utf-8", "utf8"}),
    "ignoreleadingwhitespace": frozenset({"false"}),
    "ignorenullfields": frozenset({"true"}),
    "ignoretrailingwhitespace": frozenset({"false"}),
    "linesep": frozenset({"\n"}),
    "modifiedafter": frozenset(),
    "modifiedbefore": frozenset(),
    "nanvalue": frozenset({"nan"}),
    "negativeinf": frozenset({"-inf"}),
    "partitionoverwritemode": frozenset({"static"}),
    "positiveinf": frozenset({"inf"}),
    "primitivesasstring": frozenset({"false"}),
    "quoteall": frozenset({"false"}),
    "readchangefeed": frozenset({"false"}),
    "replacewhere": frozenset(),
    "timestampformat": frozenset(),
    "timestampntzformat": frozenset(),
    "txnappid": frozenset(),
    "txnversion": frozenset(),
}


def is_harmless(key: str, value: object) -> bool:
    """Say whether an option asks for what is done anyway."""
    return str(value).lower() in _PASSED_OVER.get(key.lower(), ())


_DYNAMIC = "spark.sql.sources.partitionOverwriteMode"


def check_options(config: ProjectConfig, dataset: DatasetConfig) -> None:
    """Refuse an option of a dataset that the project's engine would pass over.

    Raises:
        Unsupported: There is one.
    """
    if config.settings.mode == "local":
        refuse_passed_over(config, dataset)


def refuse_passed_over(config: ProjectConfig, dataset: DatasetConfig) -> None:
    """Refuse an option of a dataset that Sail would pass over, in this program or as a server.

    Raises:
        Unsupported: There is one.
    """
    if dataset.section == "output" and str(config.settings.spark_config.get(_DYNAMIC)).lower() == "dynamic":
        raise Unsupported(
            f"{dataset.name}: The embedded engine passes over {_DYNAMIC}: dynamic; it would overwrite every partition",
            place=config.place("global_settings", "spark_config", _DYNAMIC, key=True),
            hint=_INSTEAD["partitionoverwritemode"],
        )
    for key, value in dataset.options.items():
        if dataset.format == "json" and key.lower() == "multiline" and str(value).lower() == "true":
            raise Unsupported(
                f"{dataset.name}: The embedded engine reads one object a line of JSON",
                place=config.place(dataset.section, dataset.name, "options", key, key=True),
                hint="Read it by a format: python, or set mode: spark.",
            )
        if key.lower() in _PASSED_OVER and not is_harmless(key, value):
            raise Unsupported(
                f"{dataset.name}: The embedded engine passes over the option '{key}'",
                place=config.place(dataset.section, dataset.name, "options", key, key=True),
                hint=_INSTEAD.get(key.lower(), "Leave it out and do its work in a node, or set mode: spark."),
            )
