"""What of a run needs Spark, read from the settings and the text of the nodes' code: nothing is imported.

Where the text does not tell, Spark is taken to be needed. It may still turn out to be when a node
returns what only Spark can store; the session opens then.
"""

from __future__ import annotations

import ast
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from tauro.config.check_rules import Expression, References
from tauro.config.functions import OFFERED, find_module, module_files
from tauro.config.model import NOTHING, canonical
from tauro.io.frames import SPARK, kind_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tauro.config.check_rules import Check
    from tauro.config.model import NodeConfig
    from tauro.engines import Engine
    from tauro.io.stored import StoredDataset

# Code that imports one of these computes with Spark, and may do so while it is imported: F.col("x").
_OF_SPARK = ("pyspark", "pysail", "delta", "tauro.dataframes")


class SparkNeeds(NamedTuple):
    """What of a run needs Spark.

    Attributes:
        reads: The stored datasets that it reads.
        writes: The stored datasets that it may write.
        code: Whether the code of a node computes with Spark, or may do so.
    """

    reads: Mapping[str, StoredDataset]
    writes: Mapping[str, StoredDataset]
    code: bool

    def __bool__(self) -> bool:
        return bool(self.reads or self.writes or self.code)


class _Code(NamedTuple):
    """What a module's text says.

    Attributes:
        functions: Its functions, by name.
        names: What the names stand for that it imports.
        imports: Every module that it imports, and every name that may be one.
    """

    functions: Mapping[str, ast.FunctionDef]
    names: Mapping[str, str]
    imports: frozenset[str]


class ReadySession:
    """Gives the session of an engine, which is made ready before, even where only a node shows that it is needed.

    Args:
        engine: The engine.
        look: Called once when it is ready: raises where it does not do for the run after all.
    """

    def __init__(self, engine: Engine, look: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._look = look
        self._lock = Lock()
        self._is_ready = False

    def prepare(self) -> None:
        """Make the engine ready for the code of nodes.

        Raises:
            EngineUnavailable: It cannot start here.
            Unsupported: It is another one than was hoped for, and cannot do what the run needs.
        """
        with self._lock:
            if not self._is_ready:
                self._engine.check()
                self._engine.prepare()
                self._look()
                self._is_ready = True

    def __call__(self) -> SparkSession:
        """Return the session, opened by the first call. May be called from any thread."""
        self.prepare()
        return self._engine.session()


def spark_needs(
    root: Path,
    nodes: Iterable[NodeConfig],
    reads: Mapping[str, StoredDataset],
    writes: Mapping[str, StoredDataset],
    references: Mapping[str, StoredDataset] = NOTHING,
) -> SparkNeeds:
    """Return what of a run needs Spark.

    Args:
        root: The project's folder.
        nodes: The run's nodes.
        reads: The stored datasets that they read, by canonical name.
        writes: The stored datasets that they write, by canonical name.
        references: The stored datasets that checks compare with, by canonical name.
    """
    by_spark: dict[str, StoredDataset] = {}
    may_write: dict[str, StoredDataset] = {}
    texts = _Texts(root)
    code = False
    for node in nodes:
        if node.target is None:
            continue
        kinds = texts.kinds(node.target, len(node.inputs))
        code = code or kinds is None
        for name, kind in zip(map(canonical, node.inputs), kinds or [SPARK] * len(node.inputs), strict=True):
            if name not in reads:
                continue
            # The kind first: to know what is read directly Polars is imported.
            if kind == SPARK or _goes_by_spark(reads[name], "input", texts):
                by_spark[name] = reads[name]
        for name in map(canonical, node.outputs):
            if name not in writes:
                continue
            if kinds is None or SPARK in kinds or _goes_by_spark(writes[name], "output", texts):
                may_write[name] = writes[name]
    _add_checks(by_spark, may_write, (reads, writes), references)
    _add_views(by_spark)
    return SparkNeeds(by_spark, may_write, code)


def _goes_by_spark(stored: StoredDataset, section: str, texts: _Texts) -> bool:
    """Say whether a dataset is read, or written, by way of Spark for nodes that do without."""
    is_read = section == "input"
    direct = stored.reads_directly if is_read else stored.writes_directly
    checked = stored.is_checked_as(section) and _of_spark_alone(stored.config.all_checks)
    return not direct or checked or _is_called_by_spark(stored, texts, frames=0 if is_read else 1)


def _of_spark_alone(checks: Iterable[Check]) -> bool:
    """Say whether an expression is such that Spark alone can tell what it means, whatever the columns are."""
    texts = [check.rule.sql for check in checks if isinstance(check.rule, Expression)]
    if not texts:
        return False
    from tauro.io.checks.sql import is_plain  # what checks with is heavy, and most have no expression

    return not all(map(is_plain, texts))


def _is_called_by_spark(stored: StoredDataset, texts: _Texts, *, frames: int) -> bool:
    """Say whether a dataset's function may compute with Spark, or takes one of its frames."""
    if stored.format.name != "python" or stored.config.target is None:
        return False
    kinds = texts.kinds(stored.config.target, frames)
    return kinds is None or SPARK in kinds


def _add_views(by_spark: dict[str, StoredDataset]) -> None:
    """Add what queries read."""
    pending = list(by_spark.values())
    while pending:
        views = getattr(pending.pop().format, "views", {})
        pending += views.values()
        by_spark.update({view.name: view for view in views.values()})


def _add_checks(
    by_spark: dict[str, StoredDataset],
    may_write: dict[str, StoredDataset],
    datasets: tuple[Mapping[str, StoredDataset], Mapping[str, StoredDataset]],
    references: Mapping[str, StoredDataset],
) -> None:
    """Add what checks read and write by way of Spark: where the data goes that way, or nothing else can."""
    for section, found, gone in zip(("input", "output"), datasets, (set(by_spark), set(may_write)), strict=True):
        for stored in (stored for stored in found.values() if stored.is_checked_as(section)):
            names = (check.rule.dataset for check in stored.config.all_checks if isinstance(check.rule, References))
            for other in map(references.get, map(canonical, names)):
                if other is not None and (stored.name in gone or not other.reads_directly):
                    by_spark[other.name] = other
            if stored.side is not None and (stored.name in gone or not stored.side.writes_directly):
                may_write[stored.side.name] = stored.side


class _Texts:
    """The code of a project, as text; each file is read once.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._homes: dict[str, Path | None] = {}
        self._codes: dict[Path, _Code | None] = {}
        self._of_spark: dict[Path, bool] = {}

    def kinds(self, target: tuple[str, str], inputs: int) -> list[str] | None:
        """Return the kind of frame of each input of a function, None where its code may compute with Spark.

        Args:
            target: The module and the function.
            inputs: How many inputs it is called with.
        """
        module, name = target
        if module not in self._homes:
            self._homes[module] = find_module(self._root, module)
        file = self._homes[module]
        code = None if file is None else self._code(file)
        function = None if code is None else code.functions.get(name)
        if file is None or code is None or function is None or self._uses_spark(file, module):
            return None
        given = function.args
        positional = [*given.posonlyargs, *given.args]
        if "spark" in {item.arg for item in (*positional, *given.kwonlyargs)}:
            return None
        kinds = [_kind(item.annotation, code) for item in positional if item.arg not in OFFERED]
        rest = _kind(given.vararg.annotation if given.vararg else None, code)
        return [kinds[index] if index < len(kinds) else rest for index in range(inputs)]

    def _uses_spark(self, file: Path, module: str) -> bool:
        """Say whether a file of the project, or one that it imports, computes with Spark."""
        if file in self._of_spark:
            return self._of_spark[file]
        self._of_spark[file] = False  # those that import each other add nothing new
        code = self._code(file)
        found = (
            code is None
            or any(map(_is_of_spark, code.imports))
            or any(
                self._uses_spark(*other)
                for name in (*code.imports, module)
                for other in self._files(name, file, module)
            )
        )
        self._of_spark[file] = found
        return found

    def _files(self, dotted: str, file: Path, module: str) -> Iterator[tuple[Path, str]]:
        """Yield the project's files that are run when ``dotted`` is imported in a module: its packages' too."""
        level = len(dotted) - len(dotted.lstrip("."))
        if level:
            outer = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
            dotted = ".".join((*outer[: len(outer) - level + 1], dotted.lstrip("."))).rstrip(".")
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            found = next((path for path in module_files(self._root, name) if path.is_file()), None)
            if found is not None and found != file:
                yield found, name

    def _code(self, file: Path) -> _Code | None:
        if file not in self._codes:
            self._codes[file] = _read(file)
        return self._codes[file]


def _read(file: Path) -> _Code | None:
    """Return what a file says, None where it cannot be read; the import tells why."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = {item.name: item for item in tree.body if isinstance(item, ast.FunctionDef) and not item.decorator_list}
    names: dict[str, str] = {}
    imports: set[str] = set()
    for item in _executed(tree):
        if isinstance(item, ast.Import):
            for alias in item.names:
                imports.add(alias.name)
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(item, ast.ImportFrom):
            source = "." * item.level + (item.module or "")
            imports.add(source)
            for alias in item.names:
                whole = f"{source}{'' if source.endswith('.') else '.'}{alias.name}"
                imports.add(whole)
                names[alias.asname or alias.name] = whole
    return _Code(functions, names, frozenset(imports))


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every part of a text that may be executed: not what stands below ``if TYPE_CHECKING``."""
    for item in ast.iter_child_nodes(tree):
        yield item
        if isinstance(item, ast.If) and ast.unparse(item.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in item.orelse:
                yield other
                yield from _executed(other)
        else:
            yield from _executed(item)


def _is_of_spark(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _OF_SPARK)


def _kind(annotation: ast.expr | None, code: _Code) -> str:
    """Return the kind of frame that an annotation asks for, as it is found when the node is called."""
    if annotation is None:
        return SPARK
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    parts = str(text).split("|")
    return next((kind for kind in (kind_named(_whole(part.strip(), code)) for part in parts) if kind != SPARK), SPARK)


def _whole(name: str, code: _Code) -> str:
    """Return a dotted name with what its first part stands for."""
    first, point, rest = name.partition(".")
    return f"{code.names.get(first, first)}{point}{rest}"
