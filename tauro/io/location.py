"""Where a dataset's data is."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tauro.errors import ValidationError

if TYPE_CHECKING:
    from tauro.config.model import DatasetConfig, ProjectConfig

_NEVER = "%#"
_PATTERN = "*?[]{}"


@dataclass(frozen=True, slots=True)
class Location:
    """A path on this machine, or a URI elsewhere.

    Attributes:
        uri: What the engine is given.
        path: The local path, None for data elsewhere.
        shown: What a person is shown: relative to the project where it is inside.
    """

    uri: str
    path: Path | None
    shown: str

    @property
    def is_pattern(self) -> bool:
        """True when it stands for several files by ``*``, ``?`` or ``[``."""
        return self.path is not None and glob.has_magic(str(self.path))

    def files(self) -> list[Path]:
        """Return the local files or folders that it stands for, those that exist."""
        if self.path is None:
            return []
        if self.is_pattern:
            # Path.glob would need the part before the first pattern taken off.
            return [Path(found) for found in sorted(glob.glob(str(self.path)))]  # noqa: PTH207
        return [self.path] if self.path.exists() else []


def locate(config: ProjectConfig, dataset: DatasetConfig) -> Location:
    """Return where a dataset is.

    A relative ``filepath`` starts at the project's root. Without one, a name of three parts is
    stored at ``<output_path>/<env>/<schema>/<sub_folder>/<table>``.

    Raises:
        ValidationError: It has neither, or climbs out of the project.
    """
    place = config.place(dataset.section, dataset.name)
    if dataset.filepath is not None:
        text = dataset.filepath
    elif dataset.three_part is not None:
        text = "/".join((config.settings.output_path.rstrip("/"), config.env, *dataset.three_part))
    else:
        raise ValidationError(f"Dataset '{dataset.name}' has no filepath", place=place, hint="Give filepath.")
    if "://" in text and not text.startswith("file://"):
        return Location(text, None, text)
    text = text.removeprefix("file://")
    if ".." in text.split("/"):
        raise ValidationError(f"The path of dataset '{dataset.name}' climbs by '..': {text}", place=place)
    path = config.root / text
    # Engines take these for escapes, fragments or patterns: some would write to another folder.
    refused = _NEVER if dataset.section == "input" and dataset.format != "delta" else _NEVER + _PATTERN
    found = next((letter for letter in str(path) if letter in refused), None)
    if found is not None:
        message = f"The path of dataset '{dataset.name}' has a '{found}', which engines do not take as it is: {path}"
        raise ValidationError(message, place=place, hint="Rename the folder.")
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    return Location(str(path), path, shown.as_posix())
