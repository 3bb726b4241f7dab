"""Where streams keep their place: one owner at a time, and only queries that can go on from there."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.validation.streams import own_checkpoint
from tauro.errors import ValidationError
from tauro.io.location import Location, scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig

# Beside Spark's own offsets/, commits/, sources/ and state/; Spark passes over other names.
LOCK = "tauro.lock"
_SHAPE = "tauro-shape.json"


class Shape(NamedTuple):
    """What of a query must stay as it is, for it to go on from its checkpoint.

    Attributes:
        sources: What it reads as streams, in the order of its plan.
        operators: What keeps state, in the order of its plan.
    """

    sources: tuple[str, ...]
    operators: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"schema": 1, "sources": list(self.sources), "operators": list(self.operators)}


def place_of(config: ProjectConfig, pipeline: PipelineConfig, node: NodeConfig, output: str) -> Location:
    """Return where a query keeps its place: by environment, pipeline and node, never by execution.

    Args:
        config: The project's configuration.
        pipeline: The pipeline.
        node: The node.
        output: The output, where the node has several; else empty.

    Raises:
        ValidationError: It climbs out of the project.
    """
    base = config.settings.checkpoints_base
    own = own_checkpoint(pipeline, node)
    text = own or "/".join(((base or "").rstrip("/"), config.env, pipeline.name, node.name))
    text = f"{text.rstrip('/')}/{output}" if output else text
    if scheme_of(text) not in (None, "file"):
        return Location(text, None, text)
    if scheme_of(text) == "file":
        text = "/" + text.partition(":")[2].lstrip("/")
    if ".." in text.split("/") or text.startswith("~") or not text.isprintable():
        raise ValidationError(
            f"The checkpoint of '{node.name}' is at no plain path: {text}",
            place=config.place("nodes", node.name, "streaming", "checkpoint_location"),
            hint="Give a path below the project, or its whole path.",
        )
    path = config.root / text
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    return Location(str(path), path, shown.as_posix())


@contextmanager
def locked(folder: Path, execution_id: str = "") -> Iterator[None]:
    """Own a checkpoint while the block runs; the kernel ends that with the process.

    Args:
        folder: The checkpoint.
        execution_id: The execution that owns it, for the one that comes to find it owned.

    Raises:
        ValidationError: Another process owns it.
    """
    file = _lock(folder, execution_id)
    try:
        yield
    finally:
        os.close(file)


def _lock(folder: Path, execution_id: str) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LOCK
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # it was put aside at this moment
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            process, _, execution = os.pread(file, 100, 0).decode("ascii", "replace").strip().partition(" ")
            os.close(file)
            owner = ", ".join(part for part in (execution, f"process {process}" if process else "") if part)
            stop = f": tauro stream stop --execution-id {execution}" if execution else "; tauro stream status shows it"
            raise ValidationError(
                f"Another run has the checkpoint {folder}" + (f" ({owner})" if owner else ""),
                looked_up=(str(path),),
                hint=f"Stop that stream first{stop}.",
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                os.ftruncate(file, 0)
                os.pwrite(file, f"{os.getpid()} {execution_id}".encode(), 0)
                return file
        os.close(file)  # the folder was put aside before it was ours


def is_begun(folder: Path) -> bool:
    """Say whether a query has begun a batch with this checkpoint."""
    offsets = folder / "offsets"
    return offsets.is_dir() and any(entry.name.isdecimal() for entry in offsets.iterdir())


def put_aside(folder: Path) -> Path | None:
    """Move a checkpoint beside its place, and return where to; None where no query has begun with it.

    The caller owns it. The next query begins anew: it reads its sources from their start, or from where its
    options say.
    """
    if not is_begun(folder) and query_id(folder) is None:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    # Hidden: it must not look like the place of another stream.
    return folder.rename(folder.with_name(f".{folder.name}.before-{stamp}"))


def check_shape(folder: Path, shape: Shape, node: str) -> None:
    """Refuse a query that cannot go on from a checkpoint, and remember the shape of one that can.

    Raises:
        ValidationError: Its sources, or what keeps state, are not what they were.
    """
    path = folder / _SHAPE
    before = _shape_in(path) if is_begun(folder) else None
    if before is not None:
        for what, then, now in (
            ("sources", before.sources, shape.sources),
            ("operators that keep state", before.operators, shape.operators),
        ):
            if then != now:
                raise ValidationError(
                    f"Stream '{node}' cannot go on from its checkpoint: its {what} have changed",
                    looked_up=(str(folder), f"then: {_listed(then)}", f"now: {_listed(now)}"),
                    hint="Bring the node back to what it was, or begin anew with --reset-checkpoint: "
                    "that reads the sources from their start, into what is already written.",
                )
    draft = folder / f".{_SHAPE}.draft"
    draft.write_text(json.dumps(shape.to_dict()), encoding="utf-8")
    draft.replace(path)


def query_id(folder: Path) -> str | None:
    """Return the id of the query that a checkpoint belongs to, None where there is none yet."""
    try:
        data = json.loads((folder / "metadata").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(data["id"]) if isinstance(data, dict) and "id" in data else None


def _shape_in(path: Path) -> Shape | None:
    """Return the shape of the query before; None where it was begun by another program."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Shape(tuple(data["sources"]), tuple(data["operators"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listed(items: Sequence[str]) -> str:
    return "; ".join(items) or "none"
