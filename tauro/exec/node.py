"""Calls one node: reads its inputs, calls its function, writes what it returns."""

from __future__ import annotations

import inspect
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tauro.config.functions import OFFERED
from tauro.config.model import canonical
from tauro.errors import DatasetNotFound, NodeError, TauroError
from tauro.exec.policy import is_transient
from tauro.io.catalog import Read
from tauro.io.frames import SPARK
from tauro.io.functions import kind_asked, load_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import SparkSession

    from tauro.config.model import NodeConfig
    from tauro.io.catalog import Catalog
    from tauro.io.checks import CheckReport
    from tauro.io.delta.commits import WriteId
    from tauro.io.formats import Written


@dataclass(frozen=True, slots=True)
class NodeContext:
    """What a node function can ask about its run, by a parameter named ``context``.

    Attributes:
        run_id: The run's id.
        env: The environment.
        node: The node's name.
        settings: Keys of ``global_settings`` that are not Tauro's own.
    """

    run_id: str
    env: str
    node: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node did.

    Attributes:
        rows_in: Rows of all inputs, None where not known.
        rows_out: Rows of all outputs, None where not known.
        warnings: What a person should know.
        checks: What the checks of its inputs and outputs have found.
        written: Each output that was handed on, with its rows, None where not known.
    """

    rows_in: int | None
    rows_out: int | None
    warnings: tuple[str, ...] = ()
    checks: tuple[CheckReport, ...] = ()
    written: tuple[tuple[str, int | None], ...] = ()


_NOTHING = NodeReport(None, None)


@dataclass(frozen=True, slots=True)
class _Call:
    """How a function is called.

    Attributes:
        function: The function.
        positional: Names of its positional parameters, in order.
        kinds: The kind of frame of each positional parameter that is an input.
        rest: The kind of frame of further inputs.
        offered: Which of the offered values it takes.
    """

    function: Callable[..., Any]
    positional: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    rest: str = SPARK
    offered: frozenset[str] = frozenset()


@dataclass
class NodeCaller:
    """Executes the nodes of one run. May be called from several threads.

    Attributes:
        catalog: The run's datasets.
        session: Gives the Spark session; called only when one is needed.
        run_id: The run's id.
        env: The environment.
        settings: The project's own variables.
        ml_context: Makes what a node gets as its ``ml_context``.
        fill_none: Whether a stored input that cannot be read is handed on as None.
        load: Returns the function of a module.
    """

    catalog: Catalog
    session: Callable[[], SparkSession]
    run_id: str
    env: str
    settings: Mapping[str, Any]
    ml_context: Callable[[NodeConfig], Mapping[str, Any]] = lambda node: {}  # noqa: ARG005 - a node's context
    fill_none: bool = False
    load: Callable[[str, str], Callable[..., Any]] = load_function
    _calls: dict[tuple[str, str], _Call] = field(default_factory=dict)

    def __call__(
        self,
        node: NodeConfig,
        *,
        repeated: bool = False,
        write: WriteId | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> NodeReport:
        """Execute a node once.

        Args:
            node: The node.
            repeated: It was completed before: only its values in memory are made again.
            write: What tells this write from others; the same for every attempt at it.
            is_wanted: Asked before anything is stored: whether somebody still waits for it.

        Raises:
            Exception: Whatever the function raises, and Tauro's own errors.
        """
        if node.target is None:
            return _NOTHING
        reads, returned = self.call(node, node.target)
        # Looked at before the first write: a node stores all of its outputs or none.
        outputs = outputs_of(node, returned)
        if not is_wanted():
            raise NodeError(f"Node '{node.name}' was given up; what it returned is not stored")
        stored = [name for name in outputs if repeated and self.catalog.stores(name)]
        written = {
            name: self.catalog.write(name, value, write and write._replace(id=f"{write.id}/{name}"))
            for name, value in outputs.items()
            if name not in stored
        }
        return _report(reads, written)

    def call(self, node: NodeConfig, target: tuple[str, str]) -> tuple[list[Read], Any]:
        """Call a node's function; store nothing.

        Args:
            node: The node.
            target: Module and name of its function.

        Returns:
            What was read, and what the function returned.

        Raises:
            Exception: Whatever the function raises, and Tauro's own errors.
        """
        __tracebackhide__ = True  # pytest shows who tests a node the node, and not this
        call = self._calls.get(target)
        if call is None:
            call = self._calls[target] = _call_of(self.load(*target))
        reads = [self._read(name, _kind(call, index)) for index, name in enumerate(node.inputs)]
        arguments, keywords = _arguments(call, [read.value for read in reads], self._offered(call, node))
        returned = call.function(*arguments, **keywords)
        if inspect.iscoroutine(returned):
            returned.close()  # or Python warns that nobody has awaited it
            raise NodeError(f"The function of node '{node.name}' is async", hint="Make it a plain function: def.")
        return reads, returned

    def _read(self, name: str, kind: str) -> Read:
        """Return an input; where that is wished for, None for one that is not there or cannot be read."""
        try:
            return self.catalog.read(name, kind)
        except Exception as error:
            own = isinstance(error, TauroError) and not isinstance(error, DatasetNotFound)
            if not self.fill_none or canonical(name) not in self.catalog.reads or own or is_transient(error):
                raise
            return Read(None, None, (f"'{name}' cannot be read and is None: {error}",))

    def _offered(self, call: _Call, node: NodeConfig) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in call.offered:
            if name == "start_date":
                values[name] = self.catalog.window.start.isoformat()
            elif name == "end_date":
                values[name] = self.catalog.window.end.isoformat()
            elif name == "params":
                values[name] = dict(node.params)
            elif name == "spark":
                values[name] = self.session()
            elif name == "ml_context":
                values[name] = self.ml_context(node)
            else:
                values[name] = NodeContext(self.run_id, self.env, node.name, self.settings)
        return values


def _report(reads: list[Read], written: Mapping[str, Written]) -> NodeReport:
    warnings = [warning for read in reads for warning in read.warnings]
    warnings += [f"'{name}' is empty" for name, each in written.items() if each.rows == 0]
    found = [*(read.checks for read in reads), *(each.checks for each in written.values())]
    return NodeReport(
        rows_in=_total([read.rows for read in reads]),
        rows_out=_total([each.rows for each in written.values()]),
        warnings=tuple(warnings),
        checks=tuple(report for report in found if report is not None),
        written=tuple((name, each.rows) for name, each in written.items()),
    )


def outputs_of(node: NodeConfig, returned: Any) -> dict[str, Any]:
    """Return what a node's function returned, by output.

    Raises:
        NodeError: It does not fit the node's outputs.
    """
    outputs = _by_output(node, returned)
    for name, value in outputs.items():
        if value is None:
            raise NodeError(f"Node '{node.name}' returned None for its output '{name}'", hint="Return a DataFrame.")
    return outputs


def _by_output(node: NodeConfig, returned: Any) -> dict[str, Any]:
    names = node.outputs
    if not names:
        if returned is None:
            return {}
        hint = "Give the node an output, or return None."
        raise NodeError(f"Node '{node.name}' has no output, but returned {type(returned).__name__}", hint=hint)
    if len(names) == 1 and not _is_wrapped(returned, names[0]):
        # One value for one output; in memory it may be anything, a mapping or a tuple too.
        return {names[0]: returned}
    if isinstance(returned, dict):
        given = {canonical(str(key)): value for key, value in returned.items()}
        if set(given) == set(map(canonical, names)):
            return {name: given[canonical(name)] for name in names}
        expected, found = ", ".join(names), ", ".join(map(str, returned))
        raise NodeError(
            f"Node '{node.name}' returned a mapping with the keys {found}", hint=f"Its outputs are: {expected}."
        )
    if isinstance(returned, tuple):
        if len(returned) == len(names):
            return dict(zip(names, returned, strict=True))
        raise NodeError(f"Node '{node.name}' returned {len(returned)} values for {len(names)} outputs")
    return dict.fromkeys(names, returned)


def _is_wrapped(returned: Any, name: str) -> bool:
    """Say whether a node's only output is handed over in a mapping or a tuple of one."""
    if isinstance(returned, dict):
        return [canonical(str(key)) for key in returned] == [canonical(name)]
    return isinstance(returned, tuple) and len(returned) == 1


def _call_of(function: Callable[..., Any]) -> _Call:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return _Call(function)
    kinds = inspect.Parameter
    positional = [item for item in parameters if item.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    rest = next((item.annotation for item in parameters if item.kind is kinds.VAR_POSITIONAL), None)
    offered = {name for name in OFFERED if any(item.name == name for item in parameters)}
    if any(item.kind is kinds.VAR_KEYWORD for item in parameters):
        offered |= {"start_date", "end_date"}
    return _Call(
        function=function,
        positional=tuple(item.name for item in positional),
        kinds=tuple(kind_asked(item.annotation, function) for item in positional if item.name not in OFFERED),
        rest=kind_asked(rest, function),
        offered=frozenset(offered),
    )


def _arguments(call: _Call, inputs: list[Any], offered: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return how the function is called: inputs by their order, what it is offered by its name.

    A parameter such as ``spark`` may stand before the inputs.
    """
    arguments: list[Any] = []
    left = deque(inputs)
    for name in call.positional:
        if name in offered:
            arguments.append(offered.pop(name))
        elif left:
            arguments.append(left.popleft())
        else:
            break
    return [*arguments, *left], offered


def _kind(call: _Call, index: int) -> str:
    return call.kinds[index] if index < len(call.kinds) else call.rest


def _total(counts: list[int | None]) -> int | None:
    """Return the sum, None where one is not known or there is nothing to count."""
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None
