"""New data beside the old, then in its place: a failed write leaves what was there."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a folder to write to; when the block ends well it takes the place of ``target``."""
    target = target.resolve()  # a link to a larger disk stays one
    with _staging(target) as staged:
        yield staged
        old = staged.with_name(staged.name + ".old")
        if target.exists():
            target.rename(old)
        try:
            staged.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _remove(old)


@contextmanager
def adding(target: Path) -> Iterator[Path]:
    """Yield a folder to write to; when the block ends well its files are moved into ``target``."""
    with _staging(target) as staged:
        yield staged
        for file in sorted(path for path in staged.rglob("*") if path.is_file()):
            home = target / file.relative_to(staged).parent
            home.mkdir(parents=True, exist_ok=True)
            if not file.name.startswith("_"):  # _SUCCESS belongs to one write
                file.rename(home / f"{uuid4().hex[:8]}-{file.name}")


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that no reader of the parent folder takes it for data.
    staged = target.with_name(f".{target.name}.{os.getpid()}-{uuid4().hex[:8]}.staging")
    try:
        yield staged
    finally:
        _remove(staged)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
