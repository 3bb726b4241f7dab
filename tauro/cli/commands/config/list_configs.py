"""``tauro config list-configs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.manual import Command, Manual
from tauro.cli.opening import base_folder, remembered_scan
from tauro.cli.options import logging_options, output_option, place_options
from tauro.cli.render import shown_path, table
from tauro.config.root import INDEX_NAMES, find_root
from tauro.config.search import MAX_FOLDERS, Wanted, locate, rank
from tauro.errors import SettingsNotFound, UsageFault

if TYPE_CHECKING:
    from pathlib import Path

    from tauro.cli.console import Console
    from tauro.cli.options import Where

_MANUAL = Manual(
    examples=(
        "tauro config list-configs",
        "tauro config list-configs --base-path projects --layer-name silver --use-case sales",
        "tauro config list-configs --config-type json --output json",
    ),
    exits={2: "There is no settings index."},
    see=("tauro config clear-cache --help",),
)


@click.command("list-configs", cls=Command, manual=_MANUAL, short_help="List the projects below a folder.")
@place_options
@output_option
@logging_options
@click.pass_obj
def command(console: Console, where: Where) -> None:
    """List the settings indexes of the project here, and of every project below; the best first.

    The one with a star is taken by commands with the same options. A score has 100 for each of
    --layer-name and --use-case that is a folder of the path, 50 for one that is a part of a folder's
    name, 5 to 30 for the index's own name (settings_yml.json before settings_json.json,
    settings_dsl.json, settings.json, config.json and tauro.json), and loses 1 for each folder on the way.
    """
    start = base_folder(where)
    base = _root(start)
    wanted = Wanted(where.layer_name, where.use_case, where.config_type)
    tree = remembered_scan(base)
    if not tree.complete:
        console.note(f"The search ended after {MAX_FOLDERS:,} folders; name a smaller one by --base-path.")
    candidates = rank(tree.indexes, wanted)
    if not candidates:
        raise SettingsNotFound(
            "No valid configuration found",
            looked_up=(*(f"{base / name}" for name in INDEX_NAMES), "the folders below and above"),
            hint="Make a project: tauro template --template medallion_basic --project-name demo_project",
        )
    folder = _chosen(start, wanted)
    chosen = next((found for found in candidates if (base / found.folder).absolute() == folder), None)
    rows = [
        ("*" if found is chosen else "", str(found.score), found.config_type or "any", shown_path(base / found.path))
        for found in candidates
    ]
    configs = [
        {
            "path": shown_path(base / found.path),
            "config_type": found.config_type,
            "score": found.score,
            "chosen": found is chosen,
        }
        for found in candidates
    ]
    console.data({"schema": 1, "configs": configs}, table(("", "Score", "Type", "Path"), rows, right=(1,)))


def _root(start: Path) -> Path:
    """Return the root of the project that the folder is in, or the folder."""
    try:
        return find_root(start)
    except SettingsNotFound:
        return start


def _chosen(start: Path, wanted: Wanted) -> Path | None:
    """Return the folder of the project that other commands take, or None where they could not choose."""
    try:
        return locate(start, wanted, look=remembered_scan).absolute()
    except (SettingsNotFound, UsageFault):
        return None
