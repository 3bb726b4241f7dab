"""``tauro template``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tauro.cli.completion import complete_folders, complete_templates
from tauro.cli.manual import Command, Manual
from tauro.cli.options import logging_options, output_option
from tauro.cli.render import table
from tauro.errors import UsageFault
from tauro.scaffold.generator import FORMATS, TEMPLATES, generate

if TYPE_CHECKING:
    from tauro.cli.console import Console

_MANUAL = Manual(
    examples=(
        "tauro template --list-templates",
        "tauro template --template medallion_basic --project-name demo_project",
        "tauro template --template medallion_basic --project-name demo_project --format json",
        "tauro template --template medallion_basic --project-name demo_project --sandbox-developers alice,bob",
        "tauro template --template medallion_basic --project-name demo_project --output-dir /opt/projects",
    ),
    exits={
        0: "The project is there as a whole.",
        3: "There is no such template, or a name is not valid.",
        4: "The folder holds something already, or cannot be written.",
    },
    see=("tauro run --help", "tauro config validate --help", "the README.md of the project"),
)


@click.command("template", cls=Command, manual=_MANUAL, short_help="Generate a project.")
@click.option("--list-templates", is_flag=True, help="List the templates.")
@click.option("--template", metavar="NAME", shell_complete=complete_templates, help="Template of the project.")
@click.option("--project-name", metavar="NAME", help="Name of the project and of its folder.")
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="yaml",
    show_default=True,
    help="Format of its settings files.",
)
@click.option(
    "--sandbox-developers",
    metavar="NAMES",
    help="Developers, parted by commas, who get an environment sandbox_<developer>.",
)
@click.option("--no-sample-code", is_flag=True, help="Leave out sample pipelines, data and tests.")
@click.option(
    "--output-dir",
    default=".",
    metavar="PATH",
    shell_complete=complete_folders,
    help="Folder for the project's folder.  [default: the current one]",
)
@output_option
@logging_options
@click.pass_obj
def command(console: Console, /, *, list_templates: bool, no_sample_code: bool, **chosen: Any) -> None:
    """Generate a project that runs: settings, code, sample data and tests.

    All or nothing: a folder that is not empty is refused, and a failure leaves nothing behind.
    """
    if list_templates:
        data = {"schema": 1, "templates": [{"name": name, "description": text} for name, text in TEMPLATES.items()]}
        console.data(data, table(("Template", "Description"), TEMPLATES.items()))
        return
    template, project_name = chosen["template"], chosen["project_name"]
    for option, value in (("--template", template), ("--project-name", project_name)):
        if value is None:
            raise UsageFault(f"Missing option '{option}'", hint="List the templates: tauro template --list-templates")
    if not chosen["output_dir"]:
        raise UsageFault("The folder of --output-dir is empty", hint="Leave it out for the current folder.")
    made = generate(
        template,
        project_name,
        Path(chosen["output_dir"]),
        config_format=chosen["format"],
        sample=not no_sample_code,
        developers=[name for name in (chosen["sandbox_developers"] or "").split(",") if name.strip()],
    )
    if console.wants_log:
        from tauro.cli.log import log_look

        log_look(console, f"Generated {made.path} from {template}: {', '.join(made.files)}")
    text = (
        f"Created {made.path} with {len(made.files)} files.\n\nNext:\n  cd {made.path}\n  {_next(not no_sample_code)}"
    )
    console.data({"schema": 1, "path": str(made.path), "files": list(made.files)}, text)


def _next(sample: bool) -> str:  # noqa: FBT001 - one use, right above
    steps = ["tauro config validate --env dev"]
    if sample:
        names = ("bronze_batch_ingestion", "silver_transformation", "gold_aggregation")
        steps += [f"tauro run --env dev --pipeline {name}" for name in names]
    return "\n  ".join(steps)
