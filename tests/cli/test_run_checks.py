"""tauro run tells which checks will be made, and what they have found."""

import json

import pytest

NODES = {
    "config/base/pipelines.yaml": "p: {nodes: [load, again]}\n",
    "config/base/nodes.yaml": """\
        load: {function: steps.lazily, input: orders, output: good}
        again: {function: steps.lazily, input: good, output: kept}
        """,
    "config/base/input.yaml": """\
        orders: {format: csv, filepath: data/orders.csv, schema: "id INT, amount INT", checks: [{not_null: id}]}
        """,
    "config/base/output.yaml": """\
        good:
          format: delta
          filepath: data/good
          checks:
            - {range: {column: amount, min: 0}, on_failure: quarantine, max_failures: 0.5}
            - {unique: amount, on_failure: warn}
            - {not_empty: true}
        kept:
          format: parquet
          filepath: data/kept
          checks: [{range: {column: id, max: 3}, on_failure: drop}]
        """,
    "data/orders.csv": "id,amount\n1,5\n2,-1\n3,5\n4,7\n",
    "src/steps.py": """\
        import polars as pl


        def lazily(rows: pl.LazyFrame):
            return rows
        """,
}


@pytest.fixture
def checked(project):
    """A project whose datasets have checks, in the current folder; a function to change its files."""
    project(**NODES)
    return project


@pytest.mark.usefixtures("checked")
def test_a_dry_run_shows_the_checks_that_will_be_made(tauro):
    out = tauro("run", "--pipeline", "p", "--dry-run").out
    assert out[out.index("Checks\n") : out.index("\n\nNothing")].splitlines() == [
        "Checks",
        "  Dataset  When     Check           On failure",
        "  orders   read     not_null(id)    error",
        "  good     written  range(amount)   quarantine to data/good_quarantine, 50 % may fail",
        "  good     written  unique(amount)  warn",
        "  good     written  not_empty       error",
        "  kept     written  range(id)       drop",
    ]


@pytest.mark.usefixtures("project")
def test_a_plan_without_checks_says_nothing_of_them(tauro):
    assert "Checks" not in tauro("run", "--pipeline", "sales", "--dry-run").out


def notes(out):
    """Return what the summary says of each node, and what stands below it."""
    head, _, below = out.partition("\n\nChecks\n")
    return [line[line.index("checks:") :] for line in head.splitlines() if "checks:" in line], below.splitlines()


@pytest.mark.usefixtures("checked")
def test_the_summary_says_what_checks_did_for_each_node_and_which_rows_did_not_pass(tauro):
    result = tauro("run", "--pipeline", "p")
    assert result.code == 0
    assert notes(result.out) == (
        [
            "checks: 2 passed, 1 warned, 1 row quarantined to data/good_quarantine",
            "checks: 1 row dropped",
        ],
        [
            "  'good': 1 row of 4 fails range(amount), and is put aside (amount = -1)",
            "  'good': 1 row of 3 repeats the values of another: unique(amount) (amount = 5: 2 rows)",
            "  'kept': 1 row of 3 fails range(id), and is left out (id = 4)",
        ],
    )


def test_a_failed_check_is_told_with_its_rows_and_its_line_in_the_settings(checked, tauro):
    checked(**{"data/orders.csv": "id,amount\n1,5\n,6\n"})
    result = tauro("run", "--pipeline", "p")
    assert result.code == 4
    assert notes(result.out) == (["checks: 1 failed"], [])
    told, at, line, caret = result.err.splitlines()[:4]
    assert told.endswith("The data of 'orders' does not pass its checks: 1 row of 2 fails not_null(id) (id = null)")
    assert at == "  at config/base/input.yaml:1:100"
    assert line[caret.index("^") :] == "id}]}"


@pytest.mark.usefixtures("checked")
def test_what_checks_have_found_is_json_on_request(tauro):
    found = json.loads(tauro("run", "--pipeline", "p", "--output", "json").out)["nodes"]
    assert [[report["dataset"] for report in node["checks"]] for node in found] == [["orders", "good"], ["kept"]]
    good = found[0]["checks"][1]
    assert (good["rows"], good["quarantined"], good["quarantine"]) == (4, 1, "data/good_quarantine")
    assert [result["outcome"] for result in good["results"]] == ["quarantined", "warned", "passed"]


def test_secrets_in_bad_rows_are_hidden(checked, tauro, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "s3cr3t-value")
    checked(
        **{
            "config/base/global_settings.yaml": "token: ${API_TOKEN}\n",
            "config/base/input.yaml": """\
                orders:
                  format: csv
                  filepath: data/orders.csv
                  schema: id STRING, amount INT
                  checks: [{accepted_values: {column: id, values: [a]}, on_failure: drop}]
                """,
            "config/base/output.yaml": "kept: {format: parquet, filepath: data/kept}\n",
            "data/orders.csv": "id,amount\ns3cr3t-value,1\n",
        }
    )
    result = tauro("run", "--pipeline", "p")
    assert result.code == 0
    assert "accepted_values(id), and is left out (id = '***')" in result.out
    assert "s3cr3t" not in result.out + result.err
