"""Connectors of Apache Spark that streams need: asked before anything starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tauro.engines.connectors.cache import is_named, jars_folder, with_connectors
from tauro.engines.connectors.pins import CONNECTORS
from tauro.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tauro.config.model import DatasetConfig, ProjectConfig

_OF_FORMAT = {"kafka": "kafka", "delta": "delta", "delta_stream": "delta", "avro": "avro"}


def check_connectors(config: ProjectConfig, engine: str, datasets: Iterable[DatasetConfig]) -> None:
    """Refuse datasets whose connector is neither installed nor named in the settings.

    Raises:
        Unsupported: There is one.
    """
    given = {key: str(value) for key, value in config.settings.spark_config.items()}
    session = with_connectors(given, jars_folder(os.environ))
    jars = f"{session.get('spark.jars', '')} {session.get('spark.jars.packages', '')}"
    for dataset in datasets:
        name = dataset.format or ""
        connector = CONNECTORS.get(_OF_FORMAT.get(name, ""))
        if connector is not None and not is_named(connector, session):
            hint = f"Run {connector.command}, or write spark_config: {{spark.jars.packages: "
            hint += f"'{connector.coordinate}'}} in global_settings."
        elif name == "kinesis" and "kinesis" not in jars:
            hint = "Name its connector in global_settings: spark_config: {spark.jars.packages: ...}."
        else:
            continue
        verb = "read" if dataset.section == "input" else "write"
        raise Unsupported(
            f"The engine '{engine}' cannot {verb} '{dataset.name}': format {name} needs a connector of Spark",
            place=config.place(dataset.section, dataset.name, "format"),
            hint=hint,
        )
