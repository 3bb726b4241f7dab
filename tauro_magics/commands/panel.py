"""``%tauro panel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tauro.cli.completion import complete_pipelines
from tauro.cli.manual import Command
from tauro.cli.opening import open_project
from tauro.cli.options import logging_options, project_options

if TYPE_CHECKING:
    from tauro.cli.options import Where
    from tauro.project import Project
    from tauro_magics.host import KernelConsole


@click.command("panel", cls=Command, short_help="Run pipelines from a panel.")
@project_options
@click.option("--pipeline", metavar="NAME", shell_complete=complete_pipelines, help="Pipeline that it begins with.")
@logging_options
@click.pass_obj
def command(console: KernelConsole, /, where: Where, *, pipeline: str | None) -> None:
    """Pick an environment, a pipeline and dates; see the plan, run it and watch."""
    from tauro_magics import PipelinePanel

    project = open_project(console, where)

    def opened(env: str) -> Project:
        return console.session.project(env, project.root, config_type=where.config_type)

    console.values.append(PipelinePanel(project, pipeline=pipeline, open_env=opened))
