"""What is looked at before a run starts: what it would lose, and what its engine cannot do."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tauro.config.model import canonical
from tauro.engines.capabilities import FORMATS
from tauro.errors import Fault, TauroError, Unsupported, ValidationError
from tauro.exec.needs import spark_needs
from tauro.exec.obstacles import obstacle_of
from tauro.io.location import filepath_place
from tauro.io.options import refuse_passed_over
from tauro.io.stored import StoredDataset, stored_dataset

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

    from tauro.config.model import NodeConfig, ProjectConfig
    from tauro.engines import Engine

# No output may be written there.
_OWN_FOLDERS = ("src", "lib", "config", "logs", ".tauro", ".git", ".venv")


def check_datasets(config: ProjectConfig, engine: Engine, *, told: Container[str] = ()) -> list[Fault]:
    """Return why datasets of a project cannot be read or written, whoever uses them.

    It is a warning for a dataset that no pipeline uses. Datasets whose names are ``told`` are left out.
    """
    nodes = [node for pipeline in config.pipelines.values() for node in config.nodes_of(pipeline).values()]
    used = {canonical(name) for node in nodes for name in (*node.inputs, *node.outputs)}
    served = used - _by_spark(config, engine, nodes)
    faults = []
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        if dataset.name in told or dataset.format is None or dataset.section in config.broken:
            continue
        try:
            stored = {dataset.name: stored_dataset(config, dataset)}
            is_input = dataset.section == "input"
            if canonical(dataset.name) not in served:
                check_engine(config, engine, stored if is_input else {}, {} if is_input else stored)
        except TauroError as error:
            fault = Fault("dataset", error.message, error.exit_code, error.place, error.details.looked_up)
            faults.append(fault._replace(hint=error.hint, warning=canonical(dataset.name) not in used))
    return faults


def _by_spark(config: ProjectConfig, engine: Engine, nodes: list[NodeConfig]) -> set[str]:
    """Return the datasets that some node reads or writes by way of Spark; all where the engine has their formats."""
    able = engine.capabilities
    if all(
        dataset.format not in FORMATS or dataset.format in (able.reads if dataset.section == "input" else able.writes)
        for dataset in (*config.inputs.values(), *config.outputs.values())
    ):
        return {canonical(name) for name in (*config.inputs, *config.outputs)}
    stored: dict[str, StoredDataset] = {}
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        if dataset.format is not None and dataset.section not in config.broken:
            with suppress(TauroError):
                stored[canonical(dataset.name)] = stored_dataset(config, dataset)
    needs = spark_needs(config.root, nodes, stored, stored)
    return {*needs.reads, *needs.writes}


def check_memory(in_memory: tuple[str, ...], planned: Iterable[NodeConfig], nodes: Mapping[str, NodeConfig]) -> None:
    """Refuse a part of a pipeline that needs a value which only the rest of it makes."""
    made = {canonical(output) for node in planned for output in node.outputs}
    for node in planned:
        for name in map(canonical, node.inputs):
            if name in in_memory and name not in made:
                maker = next(other.name for other in nodes.values() if name in map(canonical, other.outputs))
                raise ValidationError(
                    f"Node '{node.name}' reads '{name}', which '{maker}' hands on in memory and does not store",
                    hint=f"Run '{maker}' too, or describe '{name}' in the output section so that it is stored.",
                )


def check_places(
    config: ProjectConfig, reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]
) -> None:
    """Refuse writes by which others are lost: to one place, around another dataset, into the project's code."""
    homes: dict[Path, StoredDataset] = {}
    for stored in writes.values():
        path = stored.location.path
        if path is None:
            continue
        first = homes.setdefault(path, stored)
        if first is not stored and {first.config.write_mode, stored.config.write_mode} != {"append"}:
            raise _one_place(config, stored, f"is written to the same place as '{first.name}'")
        own = next(
            (name for name in _OWN_FOLDERS if path == config.root / name or config.root / name in path.parents), None
        )
        if own is not None:
            raise _one_place(config, stored, f"is written into the project's own folder '{own}'")
    if not homes:
        return
    for stored in (*reads.values(), *writes.values(), *_other_datasets(config, reads, writes)):
        for folder in stored.location.path.parents if stored.location.path is not None else ():
            if folder in homes:
                raise _one_place(config, stored, f"lies inside of the folder that '{homes[folder].name}' is written to")


def _other_datasets(
    config: ProjectConfig, reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]
) -> Iterator[StoredDataset]:
    """Yield the project's datasets that a run does not touch and should leave alone; those without fault."""
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        name = canonical(dataset.name)
        if name not in reads and name not in writes:
            with suppress(TauroError):  # validation tells it; this run does not need it
                yield stored_dataset(config, dataset)


def check_opened(
    config: ProjectConfig, engine: Engine, reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]
) -> None:
    """Look at datasets once more when the engine's session is open: only now a server tells what it has and sees.

    Raises:
        Unsupported: It does not read or write one of them, or its machines do not see this one's files.
    """
    if not engine.is_elsewhere:
        return
    from tauro.engines.dialect import is_sail
    from tauro.io.reach import check_reach

    check_engine(config, engine, reads, writes)
    if is_sail(engine.session()):
        for stored in (*reads.values(), *writes.values()):
            refuse_passed_over(config, stored.config)
    places = [stored.location.path for stored in (*reads.values(), *writes.values())]
    check_reach(engine.session(), [path for path in places if path is not None], engine.name)


def _one_place(config: ProjectConfig, stored: StoredDataset, fault: str) -> ValidationError:
    return ValidationError(
        f"Dataset '{stored.name}' {fault}: {stored.location.shown}",
        place=filepath_place(config, stored.config),
        hint="Give each dataset a folder of its own.",
    )


def check_engine(
    config: ProjectConfig, engine: Engine, reads: Mapping[str, StoredDataset], writes: Mapping[str, StoredDataset]
) -> None:
    """Refuse datasets that the engine cannot read or write.

    Raises:
        Unsupported: There is one.
    """
    for verb, datasets, able in (
        ("read", reads, engine.capabilities.reads),
        ("write", writes, engine.capabilities.writes),
    ):
        for stored in datasets.values():
            # A format that another package brings knows itself what it needs.
            obstacle = obstacle_of(config, stored, verb, engine.capabilities) if stored.format.name in FORMATS else None
            if obstacle is not None:
                of_format = config.place(stored.config.section, stored.config.name, "format")
                raise Unsupported(
                    f"The engine '{engine.name}' cannot {verb} '{stored.name}': {obstacle.why}",
                    place=filepath_place(config, stored.config) if obstacle.of_path else of_format,
                    looked_up=() if obstacle.of_path else tuple(sorted(able)),
                    hint=obstacle.hint,
                )
