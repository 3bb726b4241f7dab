"""The examples of docs/checks.md are settings without faults, and do what it says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from deltalake import DeltaTable

from tauro.config.checks import CheckSettings
from tauro.project import Project

GUIDE = (Path(__file__).resolve().parents[2] / "docs/checks.md").read_text(encoding="utf-8")
NODES = """
from datetime import UTC, datetime
import polars as pl

def orders(rows: pl.LazyFrame): return rows
def payments():
    at = datetime(2025, 1, 1, tzinfo=UTC)
    rows = {"order_id": [1, 9], "method": ["card", "card"], "currency": ["EUR", "USD"], "amount": [5.0, 1.0]}
    return pl.DataFrame({**rows, "paid_at": [at, at], "note": ["", ""]})
def items(): return pl.DataFrame({"order_id": [1, 2]})
"""


def blocks(section):
    """Return the examples of a section as one text."""
    return "".join(re.findall(rf"```yaml\n# {section}\.yaml\n(.*?)```", GUIDE, re.DOTALL))


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "config/base"
    folder.mkdir(parents=True)
    (tmp_path / "settings.json").write_text("{}")
    (folder / "input.yaml").write_text(blocks("input"))
    (folder / "output.yaml").write_text(blocks("output"))
    (folder / "pipelines.yaml").write_text("p: {nodes: [orders, payments, items]}\n")
    (folder / "nodes.yaml").write_text(
        "orders: {function: work.orders, input: orders_file, output: silver.sales.orders}\n"
        "payments: {function: work.payments, output: silver.sales.payments}\n"
        "items: {function: work.items, output: silver.sales.items}\n"
    )
    (tmp_path / "src").mkdir()
    (tmp_path / "src/work.py").write_text(NODES)
    (tmp_path / "data/input").mkdir(parents=True)
    rows = "order_id,customer_id,amount\n1,7,5.0\n2,7,-1\n3,,2\n"
    (tmp_path / "data/input/orders.csv").write_text(rows)
    with Project.open(tmp_path, environ={}) as opened:
        yield opened


def ids(path):
    return sorted(pl.from_arrow(DeltaTable(path).to_pyarrow_table())["order_id"])


def test_the_examples_have_no_fault(project):
    assert project.validate() == ()


def test_the_examples_do_what_the_guide_says(project):
    result = project.run("p").raise_for_state()
    out = project.root / "data/output"
    assert ids(out / "base/silver/sales/orders") == [1]
    assert ids(out / "base/silver/sales/orders_quarantine") == [2]
    assert ids(out / "rejected_orders") == [3]
    assert ids(out / "base/silver/sales/payments") == [1]
    found = {node.node: [r.outcome for report in node.checks for r in report.results] for node in result.nodes}
    assert found["orders"] == ["quarantined", "passed", "passed", "quarantined"]
    assert found["payments"] == ["dropped", *["passed"] * 6]
    assert found["items"] == ["passed"] * 6
    aside = pl.from_arrow(DeltaTable(out / "rejected_orders").to_pyarrow_table())
    assert aside.columns[-3:] == ["_tauro_reason", "_tauro_run", "_tauro_at"]
    assert aside["_tauro_at"][0] <= datetime.now(UTC)


def test_the_guide_knows_every_check_and_what_can_be_done():
    rules = list(CheckSettings.known)[:11]
    assert [rule for rule in rules if f"| `{rule}: " not in GUIDE] == []
    assert [word for word in ("error", "warn", "drop", "quarantine") if f"| `{word}`" not in GUIDE] == []
    table = re.findall(r"^\| `(\w+: .*?)` \|", GUIDE, re.MULTILINE)
    assert {next(iter(yaml.safe_load(line))) for line in table} == set(rules)
