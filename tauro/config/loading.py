"""From a project's folder to its typed configuration: read, overlay, interpolate, build.

Reading touches the disk once. Resolving is a function of what was read, the environment
variables and the dates, so a run for other dates resolves again without reading again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tauro.config import environments
from tauro.config.dates import Window, parse_date
from tauro.config.discovery import SECTIONS, Index, has_layer, read_index, section_files
from tauro.config.document import Document
from tauro.config.formats import SUFFIXES, format_of, parse_document
from tauro.config.interpolation import Interpolator
from tauro.config.model import DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.config.overlay import Layered, merge, overlay
from tauro.config.report import At, Report, SectionReport, located
from tauro.config.schema import build
from tauro.errors import ConfigurationError, Fault, UnsafePath, ValidationError, nearest
from tauro.security.paths import read_beneath
from tauro.security.redaction import may_hold_secrets, secrets_in, secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from tauro.errors import Place

_DEFAULTS = {"mode": "local", "input_path": "data/input", "output_path": "data/output"}
WRAPPERS = {"input": ("input", "inputs"), "output": ("output", "outputs")}


class Sources(NamedTuple):
    """What a project's files say for one environment, before anything is resolved.

    Attributes:
        root: The project's folder.
        env: The environment.
        layers: Its layers, lowest first.
        sections: Every section over these layers.
        faults: What is wrong with the files, and what a person should know about them.
        broken: The sections of which a file could not be read.
    """

    root: Path
    env: str
    layers: tuple[str, ...]
    sections: Mapping[str, Layered]
    faults: tuple[Fault, ...] = ()
    broken: frozenset[str] = frozenset()


def read_sources(root: Path, env: str, *, config_type: str | None = None, allowed: Iterable[str] = ()) -> Sources:
    """Read and overlay the files of an environment.

    Args:
        root: The project's folder.
        env: Name of the environment, as a person gave it.
        config_type: Which settings index, where there are several.
        allowed: Environments that are valid beside the standard ones and those of the index.

    Raises:
        UnknownEnvironment: There is no such environment.
        ConfigurationError: The settings index is missing or not valid.
        UnsafePath: A file breaks the path rules.
    """
    index = read_index(root, config_type)
    name = environments.resolve(env, (*index.paths, *allowed))
    layers = environments.chain(name)
    documents: dict[str, list[Document]] = {section: [] for section in SECTIONS}
    broken: dict[str, list[Fault]] = {}
    for layer in layers:
        files, doubled = section_files(root, index, layer)
        for section, fault in doubled.items():
            broken.setdefault(section, []).append(fault)
        for section, path in files.items():
            try:
                documents[section].append(_read(root, path, section, index.place(layer, section)))
            except ConfigurationError as error:
                broken.setdefault(section, []).extend(error.faults)
    faults = [fault for found in broken.values() for fault in found]
    faults += [_no_own_settings(name, layers)] if not has_layer(root, index, name) else []
    faults += [fault for layer in layers for fault in _strangers(root, index, layer)]
    sections = {section: overlay(section, found) for section, found in documents.items()}
    return Sources(root, name, layers, sections, tuple(faults), frozenset(broken))


def laid_over(sources: Sources, documents: Iterable[tuple[str, Document]]) -> Sources:
    """Return what files say with more documents over them, each with its section's name, lowest first."""
    sections = dict(sources.sections)
    for section, document in documents:
        sections[section] = overlay(section, (*sections[section].documents, document))
    return sources._replace(sections=sections)


def section_document(section: str, text: str, *, name: str, form: str) -> Document:
    """Return the text of a section that stands in no file.

    Args:
        section: The section's name.
        text: Its settings, with or without the section's own name around them.
        name: What places in it are called.
        form: Its format: ``yaml``, ``json`` or ``dsl``.

    Raises:
        ConfigurationError: It is not in its format, or no mapping; carries the faults.
    """
    chosen = format_of(f"section.{form}")
    return _unwrap(Document(name, text, chosen.parse(text, name), chosen.locate), section)


def _read(root: Path, path: str, section: str, place: Place | None) -> Document:
    """Read the file of a section; ``place`` is where the settings index names it.

    Raises:
        ConfigurationError: It is missing or not in its format; carries the faults.
        UnsafePath: It breaks the path rules.
    """
    try:
        return _unwrap(parse_document(read_beneath(root, path), path), section)
    except FileNotFoundError:
        fault = _missing_file(root, path, section, place)
    except UnsafePath as error:
        raise UnsafePath(error.message, place=place, hint=error.hint) from error
    except ConfigurationError as error:
        if error.faults:
            raise
        near, looked_up = error.details.nearest, error.details.looked_up
        fault = Fault("settings-file", error.message, 2, place, looked_up, near, hint=error.hint)
    raise ConfigurationError(fault.message, faults=(fault,))


def _strangers(root: Path, index: Index, layer: str) -> list[Fault]:
    """Return a warning for each file beside the sections whose name is nearly that of a section.

    A file that the index names is read, whatever its name.
    """
    base = root / index.base_path
    folder = base / "config" / layer
    named = {base / path for files in index.paths.values() for path in files.values()}
    found = [path for path in folder.iterdir() if path.suffix in SUFFIXES] if folder.is_dir() else []
    faults = []
    for path in sorted(path for path in found if path.stem not in SECTIONS and path not in named):
        near = nearest(path.stem, SECTIONS)
        if near:
            shown = path.relative_to(root).as_posix()
            message = f"{shown} is read by nobody; a section is named '{near[0]}'"
            faults.append(Fault("stray-file", message, nearest=near, hint="Rename or remove it.", warning=True))
    return faults


def _unwrap(document: Document, section: str) -> Document:
    """Look through the section's own name around a file's content."""
    data = document.data
    if isinstance(data, dict) and len(data) == 1:
        (key,) = data
        if key in WRAPPERS.get(section, (section,)) and (data[key] is None or isinstance(data[key], dict)):
            return Document(document.name, document.text, data, document.locate, (key,))
    if data is not None and not isinstance(data, dict):
        fault = Fault("type", f"The file must hold a mapping of {section}", 2, document.place(()))
        raise ConfigurationError(fault.message, faults=(fault,))
    return document


def _missing_file(root: Path, path: str, section: str, place: Place | None) -> Fault:
    folder = (root / path).parent
    there = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return Fault(
        "missing-file",
        f"The {section} file does not exist: {path}",
        exit_code=2,
        place=place,
        looked_up=(str(root / path),),
        nearest=nearest(Path(path).name, there),
        hint="Mend the path in the settings index, or make the file.",
    )


def _no_own_settings(name: str, layers: tuple[str, ...]) -> Fault:
    below = ", ".join(layers[:-1])
    return Fault(
        "environment-without-settings",
        f"Environment '{name}' has no settings of its own; it uses those of: {below}",
        hint=f"Make config/{name}/ with the sections that differ.",
        warning=True,
    )


def resolve(
    sources: Sources,
    *,
    environ: Mapping[str, str],
    today: date,
    start: str | None = None,
    end: str | None = None,
) -> tuple[ProjectConfig, list[Fault]]:
    """Build the typed configuration for some dates, with every fault of its values.

    Args:
        sources: What the files say.
        environ: Environment variables.
        today: What ``today`` means.
        start: First date, else the settings', else today.
        end: Last date, else the settings', else today.

    Raises:
        ValidationError: The dates are not valid.
    """
    # A setting that a file leaves out can be referred to all the same.
    raw = {**_DEFAULTS, **sources.sections["global_settings"].data}
    report = Report(sources.sections, sources.broken)

    def given(name: str, option: str | None) -> str | None:
        # A date of the settings may itself be a reference; it cannot depend on the run's dates.
        plain = option or Interpolator(environ, raw, {}).resolve(raw.get(name) or "today")
        try:
            return parse_date(str(plain), today=today).isoformat()
        except ValidationError:
            if option is not None:
                raise
            return None  # the setting has a fault of its own, at its place

    interpolator = Interpolator(
        environ,
        raw,
        {
            "start_date": lambda: given("start_date", start),
            "end_date": lambda: given("end_date", end),
            "env": lambda: sources.env,
            "project_name": lambda: sources.root.name,
        },
    )
    data = {name: _interpolate(interpolator, report, layered) for name, layered in sources.sections.items()}
    settings = _settings(data["global_settings"], report)
    nodes = _build_all(NodeConfig, "nodes", data["nodes"], report)
    pipelines = _build_all(PipelineConfig, "pipelines", data["pipelines"], report)
    config = ProjectConfig(
        root=sources.root,
        env=sources.env,
        layers=sources.layers,
        settings=settings,
        pipelines=pipelines,
        nodes=nodes,
        inputs=_datasets("input", data["input"], report),
        outputs=_datasets("output", data["output"], report),
        window=_window(settings, report, (start, end), today),
        uses_dates=bool(interpolator.run_names & {"start_date", "end_date"}),
        sections=sources.sections,
        secrets=frozenset((*interpolator.secrets, *secrets_of(environ), *_literal_secrets(sources, data))),
        inline=_inline_nodes(pipelines, data["nodes"], report),
        values=data,
        broken=sources.broken,
    )
    return config, [*sources.faults, *_without_secrets(report.faults, config)]


def _literal_secrets(sources: Sources, data: Mapping[str, Any]) -> Iterator[str]:
    for section, layered in sources.sections.items():
        if any(may_hold_secrets(document.text) for document in layered.documents):
            yield from secrets_in(data[section])


def _window(settings: GlobalSettings, report: Report, given: tuple[str | None, str | None], today: date) -> Window:
    try:
        return settings.window(*given, today=today)
    except ValidationError as error:
        if given != (None, None):
            raise
        if settings.start_date and settings.end_date:
            report.add(
                "dates", error.message, At("global_settings", ("start_date",)), hint="Mend start_date or end_date."
            )
        # One date alone is a fault only of a run that is not given the other: planning says so.
        return Window(today, today)


def _without_secrets(faults: list[Fault], config: ProjectConfig) -> list[Fault]:
    """Hide secrets that a fault repeats, as one does that tells what it found in place of a number."""
    if not config.secrets:
        return faults
    return [
        fault._replace(message=config.redact(fault.message), hint=fault.hint and config.redact(fault.hint))
        for fault in faults
    ]


def _interpolate(interpolator: Interpolator, report: Report, layered: Layered) -> Any:
    if not any("${" in document.text for document in layered.documents):
        return layered.data
    before = len(interpolator.unresolved)
    data = interpolator.resolve(layered.data)
    for lost in interpolator.unresolved[before:]:
        message = located(lost.path, lost.message)
        report.unresolved.add((layered.section, lost.path))
        if "global_settings" in report.broken:
            continue  # it may be set there
        report.add("unknown-variable", message, At(layered.section, lost.path), nearest=lost.nearest, hint=lost.hint)
    return data


def _settings(data: Any, report: Report) -> GlobalSettings:
    section = SectionReport(report, "global_settings")
    settings = build(GlobalSettings, data, (), section, rest="variables")
    known = GlobalSettings.known
    if "global_settings" in settings.variables:
        message = "'global_settings' stands inside of the section of that name"
        hint = "Make it the file's only key, with a mapping of all settings; or leave it out."
        report.add("unknown-key", message, At("global_settings", ("global_settings",), key=True), hint=hint)
    for key in settings.variables:
        near = report.nearest(key, known) if _could_be_meant(key, known) else ()
        if near:
            message = f"'{key}' is taken as a variable; it looks like the setting '{near[0]}'"
            report.add("near-miss", message, At("global_settings", (key,), key=True), nearest=near, warning=True)
    return settings


def _could_be_meant(key: str, known: Mapping[str, Any]) -> bool:
    """Say cheaply whether a closer look for a misspelt setting is worth its time."""
    return any(key[:1].lower() == name[:1] and abs(len(key) - len(name)) <= 2 for name in known)


def _build_all(model: Any, section: str, data: Mapping[str, Any], report: Report) -> dict[str, Any]:
    reporter = SectionReport(report, section)
    return {
        name: build(model, {} if value is None else value, (name,), reporter, name=name) for name, value in data.items()
    }


def _datasets(section: str, data: Mapping[str, Any], report: Report) -> dict[str, DatasetConfig]:
    reporter = SectionReport(report, section)
    found: dict[str, DatasetConfig] = {}
    for name, value in data.items():
        if canonical(name) in found:
            message = f"'{found[canonical(name)].name}' and '{name}' are one dataset"
            report.add("duplicate-key", message, At(section, (name,), key=True), hint="Keep one of the two.")
        found[canonical(name)] = build(DatasetConfig, value, (name,), reporter, name=name, section=section)
    return found


def _inline_nodes(
    pipelines: Mapping[str, PipelineConfig], nodes: Mapping[str, Any], report: Report
) -> dict[str, dict[str, NodeConfig]]:
    """Build the nodes that pipelines describe themselves, laid over the nodes section."""
    reporter = SectionReport(report, "pipelines")
    found: dict[str, dict[str, NodeConfig]] = {}
    for pipeline in pipelines.values():
        for index, (name, settings) in enumerate(pipeline.node_list):
            if settings:
                whole = merge(nodes.get(name, {}), dict(settings))
                node = build(NodeConfig, whole, (pipeline.name, "nodes", index), reporter, name=name)
                found.setdefault(pipeline.name, {})[name] = node
    return found
