"""Every fault of a project that is more than the type of one value: references, cycles, code, formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauro.config.functions import Module, Signature, find_module, is_reserved, module_files, read_module
from tauro.config.graph import Graph, graph_of
from tauro.config.model import (
    READ_FORMATS,
    WRITE_FORMATS,
    DatasetConfig,
    NodeConfig,
    PipelineConfig,
    ProjectConfig,
    canonical,
)
from tauro.config.report import At, Report
from tauro.errors import Fault, Place, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


# Fields that only a write, or only a delta table looks at.
_OF_WRITES = frozenset(
    {"write_mode", "partition_by", "overwrite_strategy", "replace_predicate", "merge_schema", "overwrite_schema"}
)
_OF_READS: frozenset[str] = frozenset()
_OF_DELTA = frozenset({"version", "timestamp", "merge_schema", "overwrite_schema"})
_STORED_IN_FILES = frozenset({"csv", "json", "parquet", "delta", "orc", "avro", "text", "xml", "pickle"})


def check_project(config: ProjectConfig) -> list[Fault]:
    """Return every fault of references, code and datasets in a whole project."""
    checker = _Checker(config)
    for pipeline in config.pipelines.values():
        checker.pipeline(pipeline)
        for name, node in config.inline.get(pipeline.name, {}).items():
            checker.node(node, _home(config, pipeline, name))
    for name, node in config.nodes.items():
        checker.node(node, At("nodes", (name,)))
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        checker.dataset(dataset)
    if not config.pipelines:
        checker.add("no-pipelines", "The project has no pipelines", At("pipelines", ()), warning=True)
    return checker.report.faults


def check_pipeline(config: ProjectConfig, pipeline: PipelineConfig) -> list[Fault]:
    """Return every fault that concerns a run of one pipeline."""
    checker = _Checker(config)
    checker.pipeline(pipeline)
    nodes = list(config.nodes_of(pipeline).values())
    for node in nodes:
        checker.node(node, _home(config, pipeline, node.name))
    used = {canonical(name) for node in nodes for name in (*node.inputs, *node.outputs)}
    for dataset in (*config.inputs.values(), *config.outputs.values()):
        if canonical(dataset.name) in used:
            checker.dataset(dataset)
    return checker.report.faults


def _home(config: ProjectConfig, pipeline: PipelineConfig, name: str) -> At:
    """Return where a node's settings stand: in its section, or inline in the pipeline."""
    if name in config.inline.get(pipeline.name, {}):
        return At("pipelines", (pipeline.name, "nodes", pipeline.nodes.index(name)))
    return At("nodes", (name,))


class _Checker:
    """Walks over a configuration and notes what does not fit."""

    def __init__(self, config: ProjectConfig) -> None:
        self.config = config
        self.modules: dict[str, Module | None] = {}
        self.checked: set[int] = set()
        self.report = Report(config.sections)
        self.add = self.report.add

    # -- pipelines ------------------------------------------------------------------------------

    def pipeline(self, pipeline: PipelineConfig) -> None:
        nodes = self._nodes(pipeline)
        graph = graph_of(nodes)
        self._cycle(pipeline, graph)
        self._writers(pipeline, nodes)
        for name, outside in graph.outside.items():
            for other in outside:
                self._boundary(pipeline, name, other)
        self._inputs(pipeline, nodes)

    def _nodes(self, pipeline: PipelineConfig) -> dict[str, NodeConfig]:
        at = At("pipelines", (pipeline.name,), key=True)
        if not pipeline.nodes and not self._raw(at, "nodes"):
            self.add("empty-pipeline", f"{pipeline.name}: The pipeline has no nodes", at)
        nodes: dict[str, NodeConfig] = {}
        for index, name in enumerate(pipeline.nodes):
            node = self.config.node(pipeline, name)
            if node is None:
                message = f"{pipeline.name}: Node '{name}' does not exist"
                self.report.missing("unknown-node", message, at.of("nodes", index), name=name, known=self.config.nodes)
            elif name in nodes:
                self.add("duplicate-node", f"{pipeline.name}: Node '{name}' stands twice", at.of("nodes", index))
            else:
                nodes[name] = node
        return nodes

    def _cycle(self, pipeline: PipelineConfig, graph: Graph) -> None:
        cycle = graph.cycle()
        if cycle:
            message = f"{pipeline.name}: The nodes wait for each other: {' -> '.join(cycle)}"
            at = _home(self.config, pipeline, cycle[0])._replace(key=True)
            self.add("cycle", message, at, hint="Remove one of these dependencies.")

    def _writers(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        writers: dict[str, str] = {}
        for name, node in nodes.items():
            for index, output in enumerate(node.outputs):
                first = writers.setdefault(canonical(output), name)
                if first != name:
                    at = _home(self.config, pipeline, name)
                    message = f"{pipeline.name}: '{first}' and '{name}' both write '{output}'"
                    hint = "Give one of them another dataset."
                    self.add("two-writers", message, at.of(self._key(at, "output", "outputs"), index), hint=hint)

    def _boundary(self, pipeline: PipelineConfig, name: str, other: str) -> None:
        """A dependency outside the pipeline is fine when what it makes is stored."""
        source = self.config.nodes.get(other)
        at = _home(self.config, pipeline, name).of("dependencies")
        if source is None:
            message = f"{name}: Dependency '{other}' does not exist"
            self.report.missing("unknown-node", message, at, name=other, known=self.config.nodes)
        elif not any(canonical(output) in self.config.outputs for output in source.outputs):
            message = f"{pipeline.name}: '{name}' depends on '{other}', which is in another pipeline and stores nothing"
            hint = f"Add '{other}' to the pipeline, or store its output."
            self.add("unstored-dependency", message, at, hint=hint)

    def _inputs(self, pipeline: PipelineConfig, nodes: Mapping[str, NodeConfig]) -> None:
        made = {canonical(output) for node in nodes.values() for output in node.outputs}
        known = [*self.config.inputs, *self.config.outputs, *made]
        for name, node in nodes.items():
            for index, dataset in enumerate(node.inputs):
                if canonical(dataset) in made or self.config.dataset(canonical(dataset)) is not None:
                    continue
                at = _home(self.config, pipeline, name)
                where = "in no input or output section, and no node of the pipeline makes it"
                message = f"{name}: Dataset '{dataset}' is {where}"
                at = at.of(self._key(at, "input", "inputs"), index)
                self.report.missing("unknown-dataset", message, at, name=dataset, known=known)

    def _key(self, at: At, *spellings: str) -> str:
        """Return which of several keys the settings use."""
        layered = self.config.sections[at.section]
        return next((key for key in spellings if layered.origin((*at.path, key)) is not None), spellings[0])

    def _raw(self, at: At, *keys: str) -> Any:
        """Return what the files say for the first of ``keys``.

        Where that is something and the model has nothing, the value is faulty and reported already.
        """
        data: Any = self.config.sections[at.section].data
        for step in at.path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return next((data[key] for key in keys if key in data), None) if isinstance(data, dict) else data

    # -- nodes ----------------------------------------------------------------------------------

    def node(self, node: NodeConfig, at: At) -> None:
        if id(node) in self.checked:
            return
        self.checked.add(id(node))
        target = node.target
        if target is None:
            lacks = "function" if node.function is None else "module"
            if self._raw(at, lacks):
                return
            hint = "Give module and function, or function with its whole dotted path."
            self.add("no-function", f"{node.name}: The node has no {lacks}", at._replace(key=True), hint=hint)
            return
        module = self._module(target[0], node, at)
        if module is not None and module.error is None:
            self._function(module, target[1], node, at)

    def _module(self, dotted: str, node: NodeConfig, at: At) -> Module | None:
        if dotted not in self.modules:
            self.modules[dotted] = self._find(dotted)
        module = self.modules[dotted]
        where = at.of("module" if node.module is not None else "function")
        if is_reserved(dotted) and find_module(self.config.root, dotted) is not None:
            message = f"{node.name}: The project's module '{dotted}' has the name of one that Python or Tauro needs"
            self.add("reserved-module", message, where, hint="Rename the file.")
        elif module is None and not _installed(dotted):
            self._no_module(dotted, node, where)
        return module

    def _find(self, dotted: str) -> Module | None:
        if is_reserved(dotted) or not _is_module_name(dotted):
            return None
        file = find_module(self.config.root, dotted)
        if file is None:
            return None
        module = read_module(file)
        if module.error is not None:
            message, line, column = module.error
            place = self._code_place(file, line, column)
            self.report.faults.append(Fault("python-syntax", message, 2, place, hint="Mend the Python file."))
        return module

    def _no_module(self, dotted: str, node: NodeConfig, at: At) -> None:
        root = self.config.root
        looked: tuple[str, ...] = ()
        make = "A module's name is words joined by dots, such as pipelines.sales."
        if _is_module_name(dotted):
            looked = tuple(path.relative_to(root).as_posix() for path in module_files(root, dotted))
            make = f"Make src/{dotted.replace('.', '/')}.py, or install the package."
        around = {
            ".".join(file.relative_to(root / folder).with_suffix("").parts).removesuffix(".__init__")
            for folder in ("src", "lib")
            for file in (root / folder).glob("**/*.py")
        }
        near = nearest(dotted, around)
        hint = f"Did you mean '{near[0]}'?" if near else make
        message = f"{node.name}: Module '{dotted}' is not found"
        self.add("unknown-module", message, at, exit_code=5, looked_up=looked, nearest=near, hint=hint)

    def _function(self, module: Module, name: str, node: NodeConfig, at: At) -> None:
        if name in module.functions:
            signature = module.functions[name]
            if signature is not None:
                self._signature(signature, lambda: f"{name} ({self._shown(module)}:{signature.line})", node, at)
        elif not module.open:
            file = self._shown(module)
            near = nearest(name, [other for other, signature in module.functions.items() if signature])
            hint = f"Did you mean '{near[0]}'?" if near else f"Define it: def {name}(...)."
            message = f"{node.name}: {file} has no function '{name}'"
            self.add("unknown-function", message, at.of("function"), looked_up=(file,), nearest=near, hint=hint)

    def _shown(self, module: Module) -> str:
        return module.file.relative_to(self.config.root).as_posix()

    def _signature(self, signature: Signature, function: Callable[[], str], node: NodeConfig, at: At) -> None:
        given, least, most = len(node.inputs), signature.least, signature.most
        faulty = not given and self._raw(at, "input", "inputs")
        if faulty:
            return
        if given < least or (most is not None and given > most):
            takes = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            message = f"{node.name}: The node has {given} input{'s' * (given != 1)}; {function()} takes {takes}"
            hint = "Make 'input' and the parameters agree."
            self.add("inputs-do-not-fit", message, at._replace(key=True), hint=hint)
        if signature.demands:
            message = f"{node.name}: {function()} demands {', '.join(signature.demands)}, which no node is given"
            hint = "Give the parameter a default, or use params."
            self.add("inputs-do-not-fit", message, at._replace(key=True), hint=hint)

    def _code_place(self, file: Path, line: int, column: int) -> Place:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[line - 1] if 0 < line <= len(lines) else None
        return Place(file.relative_to(self.config.root).as_posix(), line, column, text)

    # -- datasets -------------------------------------------------------------------------------

    def dataset(self, dataset: DatasetConfig) -> None:
        name, at = dataset.name, At(dataset.section, (dataset.name,))
        formats = READ_FORMATS if dataset.section == "input" else WRITE_FORMATS
        if dataset.format is None:
            if self._raw(at, "format"):
                return
            hint = f"Give one of: {', '.join(formats)}."
            self.add("no-format", f"{name}: The dataset has no format", at._replace(key=True), hint=hint)
        elif dataset.format not in formats:
            verb = "read" if dataset.section == "input" else "written"
            self.add("format", f"{name}: Format '{dataset.format}' cannot be {verb}", at.of("format"))
        elif dataset.format in _STORED_IN_FILES:
            self._location(dataset, at)
        self._without_effect(dataset, at)
        twin = self.config.inputs.get(canonical(name)) if dataset.section == "output" else None
        if twin is not None and (twin.format, twin.filepath) != (dataset.format, dataset.filepath):
            message = f"{name}: The dataset is in the input section too, at another place or in another format"
            self.add(
                "two-definitions", message, at._replace(key=True), hint="Keep one of the two, or give them two names."
            )

    def _without_effect(self, dataset: DatasetConfig, at: At) -> None:
        """Tell of keys that nothing is done with, where a reader of the file would expect it."""
        given = vars(dataset).keys()
        useless = _OF_WRITES if dataset.section == "input" else frozenset()
        if dataset.format != "delta":
            useless = useless | _OF_DELTA
        elif "schema" in given:
            useless = useless | {"schema"}
        for field in sorted(useless & given):
            key = self._key(at, *(name for name, option in DatasetConfig.known.items() if option.field == field))
            message = f"{dataset.name}: '{key}' has no effect on an {dataset.section} of format {dataset.format}"
            self.add("no-effect", message, At(at.section, (*at.path, key), key=True), hint="Remove it.", warning=True)

    def _location(self, dataset: DatasetConfig, at: At) -> None:
        name, path = dataset.name, dataset.filepath
        if path is None:
            if dataset.three_part is None:
                message = f"{name}: The dataset has no filepath, and its name is not schema.sub_folder.table"
                self.add("no-filepath", message, at._replace(key=True), hint="Give filepath.")
        elif not path.strip("./ "):
            message = f"{name}: The path '{path}' names no file or folder of its own"
            self.add("filepath", message, at.of("filepath"), hint="Give the path of the data.")
        elif "://" not in path and ".." in path.split("/"):
            self.add("filepath", f"{name}: The path climbs by '..'", at.of("filepath"), hint="Give its whole path.")


def _is_module_name(dotted: str) -> bool:
    return all(part.isidentifier() for part in dotted.split("."))


def _installed(dotted: str) -> bool:
    """Say whether an installed package has the module's top name. Runs nothing."""
    from importlib.util import find_spec

    top = dotted.partition(".")[0]
    if top == "__main__" or not _is_module_name(dotted):
        return False
    try:
        return find_spec(top) is not None
    except ValueError:  # a module that was made in this process, not found
        return False
