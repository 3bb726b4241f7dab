"""Project scaffolding, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tauro.config.formats import format_of
from tauro.scaffold.generator import FORMATS, TEMPLATES, Generated, generate

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = [
    "FORMATS",
    "TEMPLATES",
    "Generated",
    "MedallionGenerator",
    "TemplateGenerator",
    "write_dsl",
    "write_json",
    "write_yaml",
]


class TemplateGenerator:
    """Generates projects from a template.

    Args:
        template: One of TEMPLATES.
        config_format: ``yaml``, ``json`` or ``dsl``.
        sample: Whether sample pipelines, data and tests are part of a project.
        developers: Who gets an environment ``sandbox_<developer>``.
    """

    def __init__(
        self, template: str, *, config_format: str = "yaml", sample: bool = True, developers: Sequence[str] = ()
    ) -> None:
        self.template = template
        self.config_format = config_format
        self.sample = sample
        self.developers = tuple(developers)

    def generate(self, project_name: str, output_dir: str | os.PathLike[str] = ".") -> Generated:
        """Generate a project in ``output_dir/project_name``: all of it, or nothing.

        Raises:
            UsageFault: There is no such template or format, or a name is not valid.
            ExecutionError: The folder holds something already, or cannot be written.
        """
        return generate(
            self.template,
            project_name,
            Path(output_dir),
            config_format=self.config_format,
            sample=self.sample,
            developers=self.developers,
        )


class MedallionGenerator(TemplateGenerator):
    """Generates projects in Medallion layers: bronze, silver and gold. Arguments as :class:`TemplateGenerator`."""

    def __init__(self, *, config_format: str = "yaml", sample: bool = True, developers: Sequence[str] = ()) -> None:
        super().__init__("medallion_basic", config_format=config_format, sample=sample, developers=developers)


def write_yaml(data: Any) -> str:
    """Return settings as YAML that reads back equal.

    Raises:
        ValueError: They hold what the format cannot write.
    """
    return format_of("settings.yaml").dump(data)


def write_json(data: Any) -> str:
    """Return settings as JSON that reads back equal. Errors as :func:`write_yaml`."""
    return format_of("settings.json").dump(data)


def write_dsl(data: Any) -> str:
    """Return settings as DSL that reads back equal. Errors as :func:`write_yaml`."""
    return format_of("settings.dsl").dump(data)
