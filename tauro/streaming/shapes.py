"""What of a query must stay as it is for its checkpoint: read from the plan that Spark has made of a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tauro.streaming.checkpoints import Shape
from tauro.streaming.sources import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import DataFrame

    from tauro.streaming.sources import Source

# Operators that keep state where they stand on a stream; a join does where both sides are streams.
_STATEFUL = frozenset(
    {
        "Aggregate",
        "Deduplicate",
        "DeduplicateWithinWatermark",
        "Distinct",
        "GlobalLimit",
        "FlatMapGroupsWithState",
        "FlatMapGroupsInPandasWithState",
        "TransformWithState",
        "TransformWithStateInPandas",
        "TransformWithStateInPySpark",
    }
)


def shape_of(frame: DataFrame, sources: Mapping[str, Source]) -> Shape:
    """Return what a checkpoint of a query over ``frame`` depends on.

    Args:
        frame: The stream.
        sources: What its pipeline reads as streams, by name.
    """
    found: list[str] = []
    operators: list[str] = []
    for node in _nodes(frame._jdf.queryExecution().analyzed()):  # noqa: SLF001 - PySpark has no other way to a plan
        kind = node.nodeName()
        if kind == "SubqueryAlias" and str(node.alias()).startswith(MARK):
            name = str(node.alias()).removeprefix(MARK)
            found.append(sources[name].identity if name in sources else name)
        elif kind in _STATEFUL and node.isStreaming():
            operators.append(_described(kind, node))
        elif kind == "Join" and all(child.isStreaming() for child in _children(node)):
            operators.append(f"Join {_plain(node.joinType().toString())}")
    return Shape(tuple(found), tuple(operators))


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for child in _children(plan):
        yield from _nodes(child)


def _children(node: Any) -> Iterator[Any]:
    children = node.children()
    return (children.apply(index) for index in range(children.size()))


def _described(kind: str, node: Any) -> str:
    """Return what an operator keeps, without what may change: names that are given, filters, late rows."""
    if kind == "Aggregate":
        # What is computed may stand in another order or have other names, but not be more, less or of another kind.
        keys = sorted(_items(node.groupingExpressions()))
        values = sorted(item for item in _items(node.aggregateExpressions()) if item not in keys)
        return f"Aggregate {', '.join(values)} by {', '.join(keys)}"
    if kind.startswith("Deduplicate"):
        return f"{kind} {', '.join(_items(node.keys()))}"
    return kind


def _items(expressions: Any) -> list[str]:
    return [_plain(expressions.apply(index).toString()) for index in range(expressions.size())]


def _plain(text: str) -> str:
    """Return an expression without Spark's numbers of columns, its watermark, and the name that it is given."""
    text = re.sub(r"#\d+L?|-T\d+ms", "", text)
    return re.sub(r" AS [^\s()]+$", "", text)
