"""What a node of a machine-learning pipeline is handed as ``ml_context``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config.schema import Settings
from tauro.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tauro.config.model import NodeConfig, PipelineConfig, ProjectConfig


class MlOptions(NamedTuple):
    """What a run is told of its model; it wins over all settings.

    Attributes:
        model_version: Version of the model.
        hyperparams: Hyperparameters.
    """

    model_version: str | None = None
    hyperparams: Mapping[str, Any] | None = None

    @property
    def fingerprint(self) -> str | None:
        """What tells these options from others, without showing them; None where there are none."""
        if self == (None, None):
            return None
        data = [self.model_version, dict(self.hyperparams or {})]
        return sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:16]


NO_OPTIONS = MlOptions()


class MlContext(Mapping[str, Any]):
    """What a node is told of its model.

    A mapping of ``model_version``, ``hyperparams``, ``node_config``, ``pipeline_config``,
    ``execution_metadata`` and ``spark``, whose session is opened when it is first looked at.

    Args:
        values: Everything but the session.
        session: Gives the Spark session.
        registry: Folder of model artefacts; None where the settings have none.
    """

    def __init__(self, values: Mapping[str, Any], session: Callable[[], Any], registry: Path | None) -> None:
        self._values = dict(values)
        self._session = session
        self._registry = registry

    def __getitem__(self, key: str) -> Any:
        """Return a value."""
        return self._session() if key == "spark" else self._values[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the keys."""
        yield from self._values
        yield "spark"

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._values) + 1

    def artifact_path(self, name: str) -> Path:
        """Return the folder ``<model_registry_path>/<name>/<model_version>`` for artefacts of a model, made now.

        Raises:
            ValidationError: The settings have no model_registry_path, or there is no version, or the names climb.
        """
        version = self._values["model_version"]
        if self._registry is None:
            raise ValidationError("There is no place for model artefacts", hint="Set model_registry_path.")
        if version is None:
            hint = "Give --model-version, or model_version of the pipeline, or default_model_version."
            raise ValidationError("The model has no version", hint=hint)
        for part in (name, version):
            if not part or part.startswith(".") or "/" in part or "\\" in part or not part.isprintable():
                raise ValidationError(f"'{part}' cannot be a part of the path of a model", hint="Use a plain name.")
        folder: Path = self._registry / name / version
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def ml_values(config: ProjectConfig, pipeline: PipelineConfig, node: NodeConfig, options: MlOptions) -> dict[str, Any]:
    """Return what the settings and the run say of a node's model.

    Hyperparameters are laid over each other: defaults, pipeline, node, run.
    """
    settings = config.settings
    hyperparams: dict[str, Any] = {}
    for given in (settings.default_hyperparams, pipeline.hyperparams, node.hyperparams, options.hyperparams or {}):
        hyperparams.update(given)
    return {
        "model_version": options.model_version or pipeline.model_version or settings.default_model_version,
        "hyperparams": hyperparams,
        "node_config": _given(node),
        "pipeline_config": _given(pipeline),
    }


def _given(settings: Settings) -> dict[str, Any]:
    """Return what settings say, as plain data."""
    values = {key: value for key, value in settings.to_dict().items() if value}
    return {key: _given(value) if isinstance(value, Settings) else value for key, value in values.items()}


def ml_contexts(
    config: ProjectConfig,
    pipeline: PipelineConfig,
    options: MlOptions,
    *,
    run_id: str,
    session: Callable[[], Any],
    registry: Path | None,
) -> Callable[[NodeConfig], MlContext]:
    """Return what makes the ``ml_context`` of a node.

    Args:
        config: The project's configuration.
        pipeline: The pipeline.
        options: What the run is told of its model.
        run_id: The run's id.
        session: Gives the Spark session.
        registry: Folder of model artefacts, if there is one.
    """
    metadata = {"run_id": run_id, "env": config.env, "pipeline": pipeline.name}
    dates = {"start_date": config.window.start.isoformat(), "end_date": config.window.end.isoformat()}

    def context(node: NodeConfig) -> MlContext:
        values = ml_values(config, pipeline, node, options)
        values["execution_metadata"] = {**metadata, **dates, "node": node.name}
        return MlContext(values, session, registry)

    return context


def registry_of(config: ProjectConfig) -> Path | None:
    """Return the folder of model artefacts.

    Raises:
        ValidationError: Its path climbs out of the project.
    """
    path = config.settings.model_registry_path
    if path is None:
        return None
    if "://" in path or ".." in path.split("/"):
        raise ValidationError(
            f"model_registry_path is no folder here: {path}",
            place=config.place("global_settings", "model_registry_path"),
            hint="Give a path below the project, or an absolute one.",
        )
    return config.root / path
