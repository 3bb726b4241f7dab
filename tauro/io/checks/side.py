"""Where the rows go that a check puts aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauro.config.model import DatasetConfig, canonical

if TYPE_CHECKING:
    from tauro.config.model import ProjectConfig

ENDING = "_quarantine"


def side_table(config: ProjectConfig, dataset: DatasetConfig) -> DatasetConfig | None:
    """Return the dataset that bad rows are added to: the one that is named, else one beside the dataset.

    None where no check puts rows aside.
    """
    named = [check.quarantine for check in dataset.all_checks if check.on_failure == "quarantine"]
    if not named:
        return None
    name = next((name for name in named if name is not None), None)
    if name is not None:
        return config.outputs[canonical(name)]
    given = {field: getattr(dataset, field) for field in ("format", "options", "schema", "sub_folder")}
    if dataset.table_name is None:
        del given["schema"]  # that of the rows alone, which have more columns now
    if dataset.filepath is not None:
        given["filepath"] = dataset.filepath.rstrip("/") + ENDING
    if dataset.table_name is not None:
        given["table_name"] = dataset.table_name + ENDING
    own = {"write_mode": "append", "merge_schema": dataset.format == "delta"}
    return DatasetConfig(name=dataset.name + ENDING, section="output", **given, **own)
