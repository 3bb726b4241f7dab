"""Every fault of a project that is more than the type of one value: references, cycles, code, formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tauro.config.functions import Module, find_module, is_reserved, module_files, read_module
from tauro.config.graph import graph_of
from tauro.config.loading import Report
from tauro.config.model import READ_FORMATS, WRITE_FORMATS, DatasetConfig, NodeConfig, PipelineConfig, ProjectConfig, canonical
from tauro.errors import Fault, Place, nearest


def check_project(config: ProjectConfig) -> list[Fault]:
    """Return every fault of references, code and datasets in a whole project."""
    checker = _Checker(config)
    for pipeline in config.pipelines.values():
        checker.pipeline(pipeline)
    for name, node in config.nodes.items():
        checker.node(node, "nodes", (name,))
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        checker.dataset(dataset)
    if not config.pipelines:
        checker.add("no-pipelines", "The project has no pipelines", "pipelines", (), warning=True)
    return checker.report.faults


def check_pipeline(config: ProjectConfig, pipeline: PipelineConfig) -> list[Fault]:
    """Return every fault that concerns a run of one pipeline."""
    checker = _Checker(config)
    checker.pipeline(pipeline)
    nodes = [node for name in pipeline.nodes if (node := config.node(pipeline, name)) is not None]
    for node in nodes:
        checker.node(node, *_home(config, pipeline, node.name))
    used = {canonical(name) for node in nodes for name in (*node.inputs, *node.outputs)}
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        if canonical(dataset.name) in used:
            checker.dataset(dataset)
    return checker.report.faults


def _home(config: ProjectConfig, pipeline: PipelineConfig, name: str) -> tuple[str, tuple[str | int, ...]]:
    """Return the section and path where a node's settings stand."""
    if name in config.inline.get(pipeline.name, {}):
        return "pipelines", (pipeline.name, "nodes", pipeline.nodes.index(name))
    return "nodes", (name,)


@dataclass
class _Checker:
    """Walks over a configuration and notes what does not fit."""

    config: ProjectConfig
    modules: dict[str, Module | None] = field(default_factory=dict)
    checked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.report = Report(self.config.sections)
        self.add = self.report.add

    # -- pipelines ------------------------------------------------------------------------------

    def pipeline(self, pipeline: PipelineConfig) -> None:
        config = self.config
        nodes: dict[str, NodeConfig] = {}
        for index, name in enumerate(pipeline.nodes):
            node = config.node(pipeline, name)
            path = (pipeline.name, "nodes", index)
            if node is None:
                self._missing("unknown-node", f"{pipeline.name}: Node '{name}' does not exist", "pipelines", path, name, config.nodes)
            elif name in nodes:
                self.add("duplicate-node", f"{pipeline.name}: Node '{name}' stands twice", "pipelines", path)
            else:
                nodes[name] = node
        if not pipeline.nodes:
            self.add("empty-pipeline", f"{pipeline.name}: The pipeline has no nodes", "pipelines", (pipeline.name,), key=True)
        self._cycle(pipeline, nodes)
        self._writers(pipeline, nodes)
        self._boundaries(pipeline, nodes)
        self._inputs(pipeline, nodes)

    def _cycle(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        cycle = graph_of(nodes).cycle()
        if cycle:
            section, path = _home(self.config, pipeline, cycle[0])
            message = f"{pipeline.name}: The nodes wait for each other: {' -> '.join(cycle)}"
            self.add("cycle", message, section, path, key=True, hint="Remove one of these dependencies.")

    def _writers(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        writers: dict[str, str] = {}
        for name, node in nodes.items():
            for index, output in enumerate(node.outputs):
                first = writers.setdefault(canonical(output), name)
                if first != name:
                    section, path = _home(self.config, pipeline, name)
                    message = f"{pipeline.name}: '{first}' and '{name}' both write '{output}'"
                    self.add("two-writers", message, section, (*path, "output", index), hint="Give one of them another dataset.")

    def _boundaries(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        """A dependency outside the pipeline is fine when what it makes is stored."""
        for name, outside in graph_of(nodes).outside.items():
            for other in outside:
                source = self.config.nodes.get(other)
                section, path = _home(self.config, pipeline, name)
                if source is None:
                    message = f"{name}: Dependency '{other}' does not exist"
                    self._missing("unknown-node", message, section, (*path, "dependencies"), other, self.config.nodes)
                elif not any(canonical(output) in self.config.outputs for output in source.outputs):
                    message = f"{pipeline.name}: '{name}' depends on '{other}', which is in another pipeline and stores nothing"
                    hint = f"Add '{other}' to the pipeline, or store its output."
                    self.add("unstored-dependency", message, section, (*path, "dependencies"), hint=hint)

    def _inputs(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        made = {canonical(output) for node in nodes.values() for output in node.outputs}
        known = [*self.config.inputs, *self.config.outputs, *made]
        for name, node in nodes.items():
            for index, dataset in enumerate(node.inputs):
                if canonical(dataset) not in made and self.config.dataset(canonical(dataset)) is None:
                    section, path = _home(self.config, pipeline, name)
                    key = self._key(section, path, "input", "inputs")
                    message = f"{name}: Dataset '{dataset}' is in no input or output section, and no node of the pipeline makes it"
                    self._missing("unknown-dataset", message, section, (*path, key, index), dataset, known)

    def _key(self, section: str, path: tuple[str | int, ...], *spellings: str) -> str:
        layered = self.config.sections[section]
        return next((key for key in spellings if layered.origin((*path, key)) is not None), spellings[0])

    def _missing(
        self, kind: str, message: str, section: str, path: tuple[str | int, ...], name: str, known: Iterable[str]
    ) -> None:
        names = sorted(set(known))
        near = nearest(name, names)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names[:10]) or 'none'}."
        self.add(kind, message, section, path, nearest=near, hint=hint)

    # -- nodes ----------------------------------------------------------------------------------

    def node(self, node: NodeConfig, section: str, path: tuple[str | int, ...]) -> None:
        if id(node) in self.checked:
            return
        self.checked.add(id(node))
        target = node.target
        if target is None:
            if node.function is None or node.module is None:
                lacks = "function" if node.function is None else "module"
                message = f"{node.name}: The node has no {lacks}"
                hint = "Give module and function, or function with its whole dotted path."
                self.add("no-function", message, section, path, key=True, hint=hint)
            return
        module = self._module(target[0], node, section, path)
        if module is not None and module.error is None:
            self._function(module, target[1], node, section, path)

    def _module(self, dotted: str, node: NodeConfig, section: str, path: tuple[str | int, ...]) -> Module | None:
        at = (*path, "module" if node.module is not None else "function")
        if dotted not in self.modules:
            self.modules[dotted] = self._find(dotted)
            module = self.modules[dotted]
            if module is not None and module.error is not None:
                message, line = module.error
                fault = Fault("python-syntax", message, 2, self._code_place(module.file, line), hint="Mend the Python file.")
                self.report.faults.append(fault)
        module = self.modules[dotted]
        if module is None and not _installed(dotted):
            self._no_module(dotted, node, section, at)
        elif is_reserved(dotted) and find_module(self.config.root, dotted) is not None:
            message = f"{node.name}: The project's module '{dotted}' has the name of one that Python or Tauro needs"
            self.add("reserved-module", message, section, at, hint="Rename the file.")
        return module

    def _find(self, dotted: str) -> Module | None:
        if is_reserved(dotted) or not all(part.isidentifier() for part in dotted.split(".")):
            return None
        file = find_module(self.config.root, dotted)
        return read_module(file) if file is not None else None

    def _no_module(self, dotted: str, node: NodeConfig, section: str, at: tuple[str | int, ...]) -> None:
        root = self.config.root
        looked = tuple(path.relative_to(root).as_posix() for path in module_files(root, dotted))
        around = {
            ".".join(file.relative_to(root / folder).with_suffix("").parts)
            for folder in ("src", "lib")
            for file in (root / folder).glob("**/*.py")
        }
        near = nearest(dotted, around)
        hint = f"Did you mean '{near[0]}'?" if near else f"Make src/{dotted.replace('.', '/')}.py, or install the package."
        message = f"{node.name}: Module '{dotted}' is not found"
        self.add("unknown-module", message, section, at, exit_code=5, looked_up=looked, nearest=near, hint=hint)

    def _function(self, module: Module, name: str, node: NodeConfig, section: str, path: tuple[str | int, ...]) -> None:
        file = module.file.relative_to(self.config.root).as_posix()
        if name not in module.functions:
            if not module.open:
                near = nearest(name, [other for other, signature in module.functions.items() if signature])
                message = f"{node.name}: {file} has no function '{name}'"
                hint = f"Did you mean '{near[0]}'?" if near else f"Define it: def {name}(...)."
                self.add("unknown-function", message, section, (*path, "function"), looked_up=(file,), nearest=near, hint=hint)
            return
        signature = module.functions[name]
        if signature is None:
            return
        given, least, most = len(node.inputs), signature.least, signature.most
        place = f"{file}:{signature.line}"
        if given < least or (most is not None and given > most):
            takes = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            message = f"{node.name}: The node has {given} inputs; {name} ({place}) takes {takes}"
            self.add("inputs-do-not-fit", message, section, path, key=True, hint="Make 'input' and the parameters agree.")
        if signature.demands:
            message = f"{node.name}: {name} ({place}) demands {', '.join(signature.demands)}, which no node is given"
            self.add("inputs-do-not-fit", message, section, path, key=True, hint="Give the parameter a default, or use params.")

    def _code_place(self, file: Path, line: int) -> Place:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[line - 1] if 0 < line <= len(lines) else None
        return Place(file.relative_to(self.config.root).as_posix(), line, 1, text)

    # -- datasets -------------------------------------------------------------------------------

    def dataset(self, dataset: DatasetConfig) -> None:
        name, section = dataset.name, dataset.section
        formats = READ_FORMATS if section == "input" else WRITE_FORMATS
        if dataset.format is None:
            hint = f"Give one of: {', '.join(formats)}."
            self.add("no-format", f"{name}: The dataset has no format", section, (name,), key=True, hint=hint)
        elif dataset.format not in formats:
            verb = "read" if section == "input" else "written"
            self.add("format", f"{name}: Format '{dataset.format}' cannot be {verb}", section, (name, "format"))
        elif dataset.format in ("csv", "json", "parquet", "delta", "orc", "avro", "text", "xml", "pickle"):
            self._location(dataset)

    def _location(self, dataset: DatasetConfig) -> None:
        name, section = dataset.name, dataset.section
        if dataset.filepath is None:
            if dataset.three_part is None:
                message = f"{name}: The dataset has no filepath, and its name is not of the form schema.sub_folder.table"
                self.add("no-filepath", message, section, (name,), key=True, hint="Give filepath.")
        elif "://" not in dataset.filepath and not dataset.filepath.startswith("/"):
            if ".." in dataset.filepath.split("/"):
                self.add("filepath", f"{name}: The path climbs out of the project", section, (name, "filepath"))


def _installed(dotted: str) -> bool:
    """Say whether an installed package has the module's top name. Runs nothing."""
    from importlib.util import find_spec

    top: Any = dotted.partition(".")[0]
    return bool(top) and top.isidentifier() and find_spec(top) is not None
