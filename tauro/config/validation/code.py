"""Faults of code: the module and function of a node are found, and take what the node has. Nothing is run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tauro.config.functions import Module, Signature, find_module, is_reserved, module_files, read_module
from tauro.errors import Fault, Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tauro.config.model import NodeConfig
    from tauro.config.report import At, Report


class CodeChecker:
    """Checks the functions of nodes; each node and each file once.

    Args:
        root: The project's folder.
        report: Where faults go.
    """

    def __init__(self, root: Path, report: Report) -> None:
        self.root = root
        self.report = report
        self.add = report.add
        self._modules: dict[str, Module | None] = {}
        self._checked: set[int] = set()

    def check(self, node: NodeConfig, at: At) -> None:
        """Note every fault of a node's function; ``at`` is where its settings stand."""
        if id(node) in self._checked:
            return
        self._checked.add(id(node))
        # A stream may hand on its only input as it is.
        if node.streaming.is_given and node.function is None and node.module is None and len(node.inputs) == 1:
            return
        self.check_function(node, at, "node")

    def check_function(self, node: NodeConfig, at: At, what: str) -> None:
        """Note every fault of the function of a node, or of what has one as a node has: ``what`` it is called."""
        target = node.target
        if target is None:
            lacks = "function" if node.function is None else "module"
            if self.report.raw(at, lacks) or self._is_partial(at):
                return
            hint = "Give module and function, or function with its whole dotted path."
            self.add("no-function", f"{node.name}: The {what} has no {lacks}", at._replace(key=True), hint=hint)
            return
        module = self._module(target[0], node, at)
        if module is not None and module.error is None:
            self._function(module, target[1], node, at._replace(key=False), what)

    def _module(self, dotted: str, node: NodeConfig, at: At) -> Module | None:
        if dotted not in self._modules:
            self._modules[dotted] = self._find(dotted)
        module = self._modules[dotted]
        where = at.of("module" if node.module is not None else "function")
        if is_reserved(dotted) and find_module(self.root, dotted) is not None:
            message = f"{node.name}: The project's module '{dotted}' has the name of one that Python or Tauro needs"
            self.add("reserved-module", message, where, hint="Rename the file.")
        elif module is None and not _installed(dotted):
            self._no_module(dotted, node, where)
        return module

    def _find(self, dotted: str) -> Module | None:
        if is_reserved(dotted) or not _is_module_name(dotted):
            return None
        file = find_module(self.root, dotted)
        if file is None:
            return None
        module = read_module(file)
        if module.error is not None:
            message, line, column = module.error
            place = self._code_place(file, line, column)
            self.report.faults.append(Fault("python-syntax", message, 2, place, hint="Mend the Python file."))
        return module

    @cached_property
    def _modules_around(self) -> set[str]:
        return {
            ".".join(file.relative_to(self.root / folder).with_suffix("").parts).removesuffix(".__init__")
            for folder in ("src", "lib")
            for file in (self.root / folder).glob("**/*.py")
        }

    def _no_module(self, dotted: str, node: NodeConfig, at: At) -> None:
        root = self.root
        looked: tuple[str, ...] = ()
        make = "A module's name is words joined by dots, such as pipelines.sales."
        if _is_module_name(dotted):
            looked = tuple(path.relative_to(root).as_posix() for path in module_files(root, dotted))
            make = f"Make src/{dotted.replace('.', '/')}.py, or install the package."
        near = () if self.report.nearest.tired else self.report.nearest(dotted, self._modules_around)
        hint = f"Did you mean '{near[0]}'?" if near else make
        message = f"{node.name}: Module '{dotted}' is not found"
        self.add("unknown-module", message, at, exit_code=5, looked_up=looked, nearest=near, hint=hint)

    def _function(self, module: Module, name: str, node: NodeConfig, at: At, what: str) -> None:
        if name in module.functions:
            signature = module.functions[name]
            # What is written by batches may take a batch's number and more: the call tells what does not fit.
            if signature is not None and what != "sink":
                self._signature(signature, lambda: f"{name} ({self._shown(module)}:{signature.line})", node, at, what)
        elif not module.open:
            file = self._shown(module)
            near = self.report.nearest(name, [other for other, signature in module.functions.items() if signature])
            hint = f"Did you mean '{near[0]}'?" if near else f"Define it: def {name}(...)."
            message = f"{node.name}: {file} has no function '{name}'"
            self.add("unknown-function", message, at.of("function"), looked_up=(file,), nearest=near, hint=hint)

    def _is_partial(self, at: At) -> bool:
        """Say whether a file that could not be read may have more of a node's settings."""
        return not self.report.broken.isdisjoint(("nodes", at.section))

    def _shown(self, module: Module) -> str:
        return module.file.relative_to(self.root).as_posix()

    def _signature(
        self, signature: Signature, function: Callable[[], str], node: NodeConfig, at: At, what: str
    ) -> None:
        given, least, most = len(node.inputs), signature.least, signature.most
        if not given and (self.report.raw(at, "input", "inputs") or self._is_partial(at)):
            return
        if given < least or (most is not None and given > most):
            takes = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            has = (
                f"has {given} input{'s' * (given != 1)}"
                if what == "node"
                else "hands on one frame"
                if given
                else "hands on nothing"
            )
            message = f"{node.name}: The {what} {has}; {function()} takes {takes}"
            hint = "Make 'input' and the parameters agree." if what == "node" else "Mend the function's parameters."
            self.add("inputs-do-not-fit", message, at._replace(key=True), hint=hint)
        if signature.demands:
            message = f"{node.name}: {function()} demands {', '.join(signature.demands)}, which no {what} is given"
            hint = "Give the parameter a default, or use params."
            self.add("inputs-do-not-fit", message, at._replace(key=True), hint=hint)

    def _code_place(self, file: Path, line: int, column: int) -> Place:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # the fault says so
            lines = []
        text = lines[line - 1] if 0 < line <= len(lines) else None
        return Place(file.relative_to(self.root).as_posix(), line, column, text)


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
