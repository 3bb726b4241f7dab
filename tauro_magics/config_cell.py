"""``%%tauro_config``: the cell's settings lie over those of the project, or are saved into its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tauro.cli.completion import complete_environments
from tauro.cli.manual import Command, Manual
from tauro.cli.opening import project_folder
from tauro.cli.options import logging_options, place_options
from tauro.cli.settings_text import masked, value_text
from tauro.config.discovery import SECTIONS, read_index, section_files
from tauro.config.document import Document
from tauro.config.environments import normalise
from tauro.config.loading import section_document
from tauro.config.overlay import section_data
from tauro.config.report import report_error
from tauro.config.root import find_root
from tauro.errors import ConfigurationError, UsageFault
from tauro_magics.editing import edited
from tauro_magics.overlays import Overlay, forgotten
from tauro_magics.saving import write_whole
from tauro_magics.trying import checked, tried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tauro.cli.options import Where
    from tauro.project import Project
    from tauro_magics.host import CellText, KernelConsole
    from tauro_magics.overlays import Overlays

_MOST_LINES = 20
_MANUAL = Manual(
    examples=("%%tauro_config nodes --env dev", "%%tauro_config pipelines --save", "%tauro_config nodes --forget"),
    see=("docs/notebook.md", "%tauro config show --help"),
)


@click.command("tauro_config", cls=Command, manual=_MANUAL, short_help="Lay the cell's settings over the project's.")
@click.argument("section", required=False, type=click.Choice(SECTIONS))
@click.option(
    "--env",
    envvar="TAURO_ENV",
    shell_complete=complete_environments,
    metavar="ENV",
    help="Environment that the settings are for.  [default: $TAURO_ENV, then all]",
)
@place_options
@click.option("--format", "form", type=click.Choice(("yaml", "json", "dsl")), default="yaml", help="The cell's format.")
@click.option("--save", is_flag=True, help="Write the settings into the environment's files; their comments stay.")
@click.option("--forget", is_flag=True, help="Take away what cells have laid over the section, or over all.")
@logging_options
@click.pass_obj
def command(console: KernelConsole, /, *, section: str | None, where: Where, **options: Any) -> None:
    """Lay the cell's settings over those of the project, for as long as the kernel lives.

    They are validated at once. Without a SECTION the cell names its sections itself. Without a body
    the section is shown as it takes effect, with the place that each value comes from. A cell that is
    executed again replaces what it said before.
    """
    folder = project_folder(console, where)
    root = find_root(folder)
    if options["forget"]:
        console.session.overlays = forgotten(console.session.overlays, root, section)
    if console.cell is None or not console.cell.text.strip():
        _show(console, section, where, folder)
        return
    env = where.env and normalise(where.env)
    new = [Overlay(root, env, *found) for found in _documents(console.cell, section, options["form"])]
    with tried(console.session, new):
        before, after = checked(console, where, folder, new)
        saved = [_save(after, overlay, where.config_type) for overlay in new] if options["save"] else []
    if saved:  # the files say it now
        for overlay in new:
            console.session.overlays = _unlaid(console.session.overlays, overlay)
    _tell(console, before, after, new, saved)


def _unlaid(kept: Overlays, overlay: Overlay) -> Overlays:
    return tuple(one for one in kept if one is not overlay)


def _documents(cell: CellText, section: str | None, form: str) -> Iterator[tuple[str, Document]]:
    """Yield the cell's sections.

    Raises:
        ConfigurationError: It is not in its format.
        UsageFault: It names no sections, and neither does the line.
    """
    text = "\n" + cell.text  # its first line is that of the magic
    if section is not None:
        yield section, section_document(section, text, name=cell.name, form=form)
        return
    whole = section_document("", text, name=cell.name, form=form)
    strange = [name for name in whole.data or {} if name not in SECTIONS]
    if strange:
        message = f"'{strange[0]}' is no section"
        hint = "Name the section behind %%tauro_config, or put the settings below its name."
        raise UsageFault(message, place=whole.place((strange[0],), key=True), looked_up=SECTIONS, hint=hint)
    for name, value in (whole.data or {}).items():
        if not isinstance(value, dict):
            message = f"Expected a mapping of {name}"
            raise ConfigurationError(message, place=whole.place((name,)), hint="Write its settings below its name.")
        yield name, Document(whole.name, whole.text, whole.data, whole.locate, (name,))


def _show(console: KernelConsole, section: str | None, where: Where, folder: Path) -> None:
    from tauro.cli.commands.config.show import settings_data
    from tauro.cli.opening import open_project

    config = open_project(console, where, folder).config
    data, text = settings_data(config, SECTIONS if section is None else (section,), origin=True)
    console.data(data, text, masked=True)


def _save(project: Project, overlay: Overlay, config_type: str | None) -> str:
    """Write an overlay into the environment's file of its section, and return the file's name."""
    index = read_index(project.root, config_type)
    layer = overlay.env or project.env
    files, faults = section_files(project.root, index, layer)
    if overlay.section in faults:
        raise report_error([faults[overlay.section]])
    name = files.get(overlay.section) or f"{index.base_path}/config/{layer}/{overlay.section}.yaml".removeprefix("./")
    layered = project.config.sections[overlay.section]
    there = next((document for document in layered.documents if document.name == name), None)
    changes: Any = section_data(overlay.document)
    for step in reversed(there.prefix if there is not None else ()):
        changes = {step: changes}
    write_whole(project.root / name, edited("" if there is None else there.text, name, changes))
    return name


def _tell(
    console: KernelConsole, before: Project, after: Project, new: Sequence[Overlay], saved: Sequence[str]
) -> None:
    changes = [
        {"section": one.section, "setting": ".".join(map(str, path)), "value": value, "before": _at(before, one, path)}
        for one in new
        for path, value in _leaves(masked(section_data(one.document), after.config.redact))
    ]
    for change in changes:
        change["before"] = masked(change["before"], after.config.redact, str(change["setting"]).rpartition(".")[2])
    where = f"Saved in {', '.join(saved)}" if saved else f"Laid over the files of {new[0].env or 'all environments'}"
    lines = [f"  {one['section']}: {one['setting']} = {value_text(one['value'])}" for one in changes[:_MOST_LINES]]
    if len(changes) > _MOST_LINES:
        lines.append(f"  ... {len(changes) - _MOST_LINES} more")
    data = {"schema": 1, "env": new[0].env, "saved": list(saved), "settings": changes}
    console.data(data, "\n".join((f"{where}:", *lines)), masked=True)


def _at(project: Project, overlay: Overlay, path: tuple[str, ...]) -> Any:
    value: Any = project.config.values.get(overlay.section, {})
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value
