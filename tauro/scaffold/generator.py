"""Generates a project from a template tree: all of it, or nothing."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from tauro.config.discovery import PATH_KEYS
from tauro.config.environments import is_sandbox, normalise
from tauro.config.formats import format_of
from tauro.errors import ExecutionError, TauroError, UsageFault, nearest
from tauro.scaffold.editor import editor_files, with_modeline

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("yaml", "json", "dsl")
TEMPLATES = {"medallion_basic": "Medallion architecture (Bronze/Silver/Gold)"}
_INDEXES = {"yaml": "settings_yml.json", "json": "settings_json.json", "dsl": "settings_dsl.json"}
_TREES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NAME_PLACE = "{{project_name}}"
_SANDBOX_SECTIONS = ("global_settings", "pipelines")
_DEVELOPER_HINT = "Use letters, digits and '_', 64 at most: alice."
_IGNORED_SANDBOXES = "\n# A developer's own sandbox\nconfig/sandbox_*/\n"


@dataclass(frozen=True, slots=True)
class Generated:
    """A project that was generated.

    Attributes:
        path: Its folder.
        files: Its files, relative to the folder.
    """

    path: Path
    files: tuple[str, ...]


def generate(
    template: str,
    name: str,
    output_dir: Path,
    *,
    config_format: str = "yaml",
    sample: bool = True,
    developers: Sequence[str] = (),
) -> Generated:
    """Generate a project in ``output_dir/name``.

    It is made in a folder beside it and renamed when it is complete, so nothing is ever half there.

    Args:
        template: One of TEMPLATES.
        name: The project's name: a letter, then letters, digits, ``_`` and ``-``.
        output_dir: Folder for the project's folder; made if it is missing.
        config_format: One of FORMATS.
        sample: Whether sample pipelines, data and tests are part of it.
        developers: Who gets an environment ``sandbox_<developer>``.

    Raises:
        UsageFault: There is no such template or format, or a name is not valid.
        ExecutionError: The folder holds something already, or cannot be written.
    """
    files = project_files(template, name, config_format=config_format, sample=sample, developers=developers)
    target = output_dir / name
    if target.is_symlink() or (target.exists() and not target.is_dir()) or (target.is_dir() and any(target.iterdir())):
        raise _not_empty(target)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{name}.", dir=output_dir))
    except OSError as error:
        raise ExecutionError(
            f"Cannot write to {output_dir}: {error.strerror}", hint="Choose another --output-dir."
        ) from None
    try:
        _write(draft, files)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError as error:
        if target.exists():
            raise _not_empty(target) from None
        raise ExecutionError(f"Cannot write the project to {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Generated(target, tuple(sorted(files)))


def project_files(
    template: str, name: str, *, config_format: str = "yaml", sample: bool = True, developers: Sequence[str] = ()
) -> dict[str, str]:
    """Return the text of every file of a project, by its path. Arguments and errors as :func:`generate`."""
    if template not in TEMPLATES:
        near = nearest(template, TEMPLATES)
        hint = f"Did you mean '{near[0]}'?" if near else f"Templates: {', '.join(TEMPLATES)}."
        raise UsageFault(f"There is no template '{template}'", nearest=near, hint=hint)
    if config_format not in FORMATS:
        raise UsageFault(f"There is no format '{config_format}'", hint=f"Formats: {', '.join(FORMATS)}.")
    if not _NAME.fullmatch(name):
        hint = "Start with a letter; use letters, digits, '_' and '-', 64 at most."
        raise UsageFault(f"'{name}' cannot be the name of a project", hint=hint)
    files: dict[str, str] = {}
    for part in ("common", "sample" if sample else "bare"):
        tree = _TREES / template / part
        for file in sorted(path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            place = file.relative_to(tree).as_posix().replace("dot_", ".")
            files[place] = file.read_text(encoding="utf-8").replace(_NAME_PLACE, name)
    _add_sandboxes(files, developers)
    if config_format == "yaml":
        files = {place: with_modeline(place, text) for place, text in files.items()}
    else:
        files = dict(_converted(place, text, config_format) for place, text in files.items())
    files.update(editor_files(config_format))
    if sample:
        from tauro.scaffold.sample_data import sample_files

        files.update({f"data/input/{file}": text for file, text in sample_files().items()})
    return files


def _add_sandboxes(files: dict[str, str], developers: Sequence[str]) -> None:
    """Add an environment for each developer, in the index and as a folder of their own."""
    index = json.loads(files[_INDEXES["yaml"]])
    for developer in developers:
        env = f"sandbox_{normalise(developer)}"
        if not is_sandbox(env):
            raise UsageFault(f"'{developer}' cannot be the name of a developer's sandbox", hint=_DEVELOPER_HINT)
        index["env_config"][env] = {}
        for section in _SANDBOX_SECTIONS:
            place = f"config/{env}/{section}.yaml"
            index["env_config"][env][PATH_KEYS[section]] = place
            files[place] = f"# What {normalise(developer)} tries out; everything else comes from sandbox, then base.\n"
    if developers:
        files[_INDEXES["yaml"]] = json.dumps(index, indent=2) + "\n"
        # They belong to the project now.
        files[".gitignore"] = files[".gitignore"].replace(_IGNORED_SANDBOXES, "")


def _converted(place: str, text: str, config_format: str) -> tuple[str, str]:
    """Return a file of the template in another format: settings are rewritten, names follow."""
    suffix = f".{config_format}"
    if place.startswith("config/") and place.endswith(".yaml"):
        data: Any = format_of(place).parse(text, place) or {}
        converted = place.removesuffix(".yaml") + suffix
        return converted, format_of(converted).dump(data)
    if place == _INDEXES["yaml"]:
        return _INDEXES[config_format], text.replace(".yaml", suffix)
    if place == "README.md":
        if config_format == "dsl":
            text = "".join(line for line in text.splitlines(keepends=True) if "config/schema/" not in line)
        return place, text.replace(_INDEXES["yaml"], _INDEXES[config_format]).replace(".yaml", suffix)
    return place, text


def _write(folder: Path, files: dict[str, str]) -> None:
    for place, text in files.items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _not_empty(target: Path) -> TauroError:
    return ExecutionError(
        f"{target} exists already and is not an empty folder", hint="Choose another --project-name or --output-dir."
    )
