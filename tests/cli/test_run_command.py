"""tauro run: what it shows before, after and instead of a run, and what it leaves on disk."""

import json
import os
import re
import stat

import pytest


def listing(folder):
    """Return everything in a folder: kind, mode, size, time and content of each entry."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[path.relative_to(folder).as_posix()] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return found


@pytest.mark.parametrize(
    "options",
    [
        ("--dry-run",),
        ("--validate-only",),
        ("--dry-run", "--output", "json"),
        ("--validate-only", "--output", "json"),
        ("--dry-run", "--quiet"),
        ("--validate-only", "--log-level", "WARNING"),
        ("--dry-run", "--validate-only"),
    ],
)
@pytest.mark.parametrize("pipeline", ["sales", "memory", "broken"])
def test_looking_at_a_run_touches_nothing(project, program, pipeline, options):
    folder = project()
    before = listing(folder)
    folder_time = folder.stat().st_mtime_ns
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    result = program("run", "--pipeline", pipeline, *options, env=environ)
    assert (result.code, result.err) == (0, "")
    assert listing(folder) == before
    assert folder.stat().st_mtime_ns == folder_time


@pytest.mark.parametrize("option", ["--verbose", "--log-level=DEBUG"])
def test_every_detail_of_a_look_goes_to_stderr_and_nowhere_else(project, program, option):
    before = listing(project())
    plain = program("run", "--pipeline", "sales", "--dry-run")
    detailed = program("run", "--pipeline", "sales", "--dry-run", option)
    assert (detailed.code, detailed.out) == (0, plain.out)
    assert listing(project()) == before


@pytest.mark.usefixtures("project")
def test_a_dry_run_shows_the_plan(tauro):
    result = tauro("run", "--pipeline", "sales", "--dry-run", "--env", "dev", "--start-date", "2025-01-15")
    assert result.out.splitlines() == [
        "Plan of 'sales' in dev",
        "  Dates:   2025-01-15 to 2025-01-31",
        "  Engine:  local (embedded), up to 4 nodes at once",
        "",
        "Nodes (2)",
        "  #  Node  After",
        "  1  load  -",
        "  2  join  load",
        "",
        "Reads",
        "  Dataset  Format  Location      Data",
        "  raw      csv     data/raw.csv  found",
        "",
        "Writes",
        "  Dataset             Format   Location                            Effect",
        "  bronze.sales.daily  parquet  data/output/dev/bronze/sales/daily  append (new)",
        "",
        "In memory: loaded",
        "",
        "Nothing was run or written.",
    ]


def test_a_dry_run_says_when_there_is_nothing_to_read(project, tauro):
    (project() / "data/raw.csv").unlink()
    assert re.search(
        r"^  raw +csv +data/raw\.csv +MISSING$", tauro("run", "--pipeline", "sales", "--dry-run").out, re.MULTILINE
    )


@pytest.mark.parametrize(
    ("mode", "effect"),
    [("overwrite", "OVERWRITES"), ("append", "appends"), ("ignore", "leaves as it is"), ("error", "FAILS")],
)
def test_a_dry_run_says_what_becomes_of_the_data_that_is_there(project, tauro, mode, effect):
    project(
        **{
            "config/base/output.yaml": f"bronze.sales.daily: {{format: parquet, path: data/o, write_mode: {mode}}}\n",
            "data/o/part-0.parquet": "x",
        }
    )
    out = tauro("run", "--pipeline", "sales", "--dry-run").out
    assert re.search(rf"^  bronze\.sales\.daily +parquet +data/o +{effect}$", out, re.MULTILINE)


@pytest.mark.usefixtures("project")
def test_a_dry_run_is_json_on_request(tauro):
    data = json.loads(tauro("run", "--pipeline", "sales", "--dry-run", "--output", "json").out)
    assert (data["schema"], data["pipeline"], data["env"]) == (1, "sales", "base")
    assert (data["start_date"], data["end_date"]) == ("2025-01-01", "2025-01-31")
    assert [(node["name"], node["upstream"]) for node in data["nodes"]] == [("load", []), ("join", ["load"])]
    assert data["reads"] == [{"name": "raw", "format": "csv", "location": "data/raw.csv", "exists": True}]
    assert [(dataset["name"], dataset["write_mode"], dataset["exists"]) for dataset in data["writes"]] == [
        ("bronze.sales.daily", "append", False)
    ]
    assert data["in_memory"] == ["loaded"]


@pytest.mark.usefixtures("project")
def test_validate_only_says_that_the_pipeline_is_sound(tauro):
    assert tauro("run", "--pipeline", "sales", "--validate-only").out == (
        "Pipeline 'sales' is valid in environment 'base': 2 nodes\n"
    )
    data = json.loads(tauro("run", "--pipeline", "sales", "--validate-only", "--output", "json").out)
    assert data == {"schema": 1, "valid": True, "pipeline": "sales", "env": "base"}


@pytest.mark.parametrize("option", ["--dry-run", "--validate-only"])
def test_looking_at_a_run_finds_the_faults_of_its_pipeline_only(project, tauro, option):
    project(**{"config/base/nodes.yaml": "load: {function: steps.gone, input: raw}\nmake: {function: steps.make}\n"
                                         "join: {function: steps.make}\ntake: {function: steps.make}\n"})  # fmt: skip
    result = tauro("run", "--pipeline", "sales", option)
    assert (result.code, result.out) == (3, "")
    assert "has no function 'gone'" in result.err
    assert tauro("run", "--pipeline", "memory", option).code == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("options", "dates"),
    [
        ((), ("2025-01-01", "2025-01-31")),
        (("--start-date", "2025-01-05"), ("2025-01-05", "2025-01-31")),
        (("--end-date", "2025-01-05"), ("2025-01-01", "2025-01-05")),
        (("--start-date", "2024-02-29", "--end-date", "2024-02-29"), ("2024-02-29", "2024-02-29")),
    ],
)
def test_dates_are_the_options_then_the_settings(tauro, options, dates):
    data = json.loads(tauro("run", "--pipeline", "sales", "--dry-run", "--output", "json", *options).out)
    assert (data["start_date"], data["end_date"]) == dates


SUMMARY = r"""Run (run-\d{8}-\d{6}-\d{6}) of 'memory' in base \(2025-01-01 to 2025-01-31\): completed in \d+\.\d\d s

Node  State      Seconds  Rows in  Rows out
make  completed +\d+\.\d\d        -         -
take  completed +\d+\.\d\d        -         -
"""


def test_a_run_ends_with_a_summary_and_a_private_record(project, tauro):
    result = tauro("run", "--pipeline", "memory")
    match = re.fullmatch(SUMMARY, result.out)
    assert match, result.out
    record = project() / ".tauro/runs" / match[1]
    assert {item.name for item in record.iterdir()} == {"events.jsonl", "fingerprint.json", "summary.json"}
    for path in (project() / ".tauro", record, *record.iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    events = [json.loads(line) for line in (record / "events.jsonl").read_text().splitlines()]
    assert len(events) == 1 + 2 * 2 + 1
    summary = json.loads((record / "summary.json").read_text())
    assert (summary["state"], summary["run_id"]) == ("completed", match[1])


@pytest.mark.usefixtures("project")
def test_a_run_s_result_is_json_on_request(tauro):
    data = json.loads(tauro("run", "--pipeline", "memory", "--output", "json").out)
    assert (data["state"], data["pipeline"], data["env"]) == ("completed", "memory", "base")
    assert [(node["node"], node["state"]) for node in data["nodes"]] == [("make", "completed"), ("take", "completed")]


@pytest.mark.usefixtures("project")
def test_a_failed_run_says_why_where_and_how_to_go_on(tauro):
    result = tauro("run", "--pipeline", "broken")
    assert result.code == 4
    lines = result.out.splitlines()
    run_id = lines[0].split()[1]
    assert ": failed in " in lines[0]
    rows = [re.sub(r" +\d+\.\d\d +- +-", "", line) for line in lines[3:]]
    assert sorted(rows) == ["after  skipped  because 'fail' failed", "fail   failed", "make   completed"]
    assert result.err.splitlines() == [
        "Error: EXECUTION_ERROR: Node 'fail' failed: RuntimeError: no luck: password=***",
        "  at src/steps.py:14:5",
        '  14 |     raise RuntimeError("no luck: password=***")',
        "     |     ^",
        f"Hint: Resume with: tauro run --resume {run_id}",
    ]


@pytest.mark.usefixtures("project")
def test_a_failed_run_shows_its_traceback_when_every_detail_is_wanted(tauro):
    result = tauro("run", "--pipeline", "broken", "--verbose")
    assert result.code == 4
    assert 'steps.py", line 14, in fail' in result.err
    assert "hunter2" not in result.err + result.out


@pytest.mark.usefixtures("project")
def test_a_failed_run_is_json_on_both_streams_on_request(tauro):
    result = tauro("run", "--pipeline", "broken", "--output", "json")
    assert result.code == 4
    data = json.loads(result.out)
    assert data["state"] == "failed"
    assert {node["node"]: node["state"] for node in data["nodes"]} == {
        "fail": "failed", "after": "skipped", "make": "completed",
    }  # fmt: skip
    error = json.loads(result.err)["error"]
    assert (error["code"], error["exit_code"]) == ("EXECUTION_ERROR", 4)
    assert error["place"] == {"file": "src/steps.py", "line": 14, "column": 5}
    assert data["run_id"] in error["hint"]


def test_a_failed_run_is_resumed_where_it_failed(project, tauro):
    failed = tauro("run", "--pipeline", "broken")
    command = failed.err.splitlines()[-1].removeprefix("Hint: Resume with: tauro ").split()
    steps = (
        (project() / "src/steps.py").read_text().replace('raise RuntimeError("no luck: password=hunter2")', "return 42")
    )
    project(**{"src/steps.py": steps})
    plan = json.loads(tauro(*command, "--dry-run", "--output", "json").out)
    assert {node["name"] for node in plan["nodes"]} == {"fail", "after"}
    assert plan["resumes"] == failed.out.split()[1]


@pytest.mark.usefixtures("project")
def test_resume_takes_the_rest_from_the_run(tauro):
    result = tauro("run", "--resume", "run-1", "--pipeline", "sales", "--start-date", "2025-01-01")
    assert result.code == 3
    assert "--pipeline, --start-date" in result.err


@pytest.mark.parametrize("run_id", ["../../etc", "run-../x", "x", "run-1/../../x", ""])
@pytest.mark.usefixtures("project")
def test_a_run_s_id_cannot_lead_elsewhere(tauro, run_id):
    result = tauro("run", "--resume", run_id)
    assert result.code == 4
    assert "is no run id" in result.err


# -- logs -----------------------------------------------------------------------------------------


def test_a_run_logs_to_the_project_and_nothing_else_does(project, tauro):
    tauro("config", "validate")
    tauro("config", "list-pipelines", "--log-file", "mine.log")
    assert not (project() / "logs").exists()
    tauro("run", "--pipeline", "broken")
    log = (project() / "logs/tauro.log").read_text()
    assert re.search(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| ERROR    \| tauro\.run \| .*no luck", log, re.MULTILINE
    )
    assert "hunter2" not in log
    assert all("run=run-" in line for line in log.splitlines())


def test_a_log_file_of_one_s_own_takes_the_place_of_the_project_s(project, tauro):
    result = tauro("run", "--pipeline", "memory", "--log-file", "deep/mine.log")
    assert (result.code, result.err) == (0, "")
    assert "Run completed" in (project() / "deep/mine.log").read_text()
    assert not (project() / "logs").exists()


@pytest.mark.usefixtures("project")
def test_verbose_puts_the_records_on_stderr_and_leaves_stdout_alone(tauro):
    result = tauro("run", "--pipeline", "memory", "--verbose")
    assert re.fullmatch(SUMMARY, result.out)
    assert "DEBUG" in result.err
    assert "| tauro.run | started" in result.err


@pytest.mark.usefixtures("project")
def test_quiet_says_nothing_on_stderr_but_errors(tauro):
    assert tauro("run", "--pipeline", "memory", "--quiet").err == ""
    assert tauro("run", "--pipeline", "broken", "--quiet").err.startswith("Error: ")


@pytest.mark.usefixtures("project")
def test_a_run_with_nothing_left_to_do_is_a_completed_run_of_no_nodes(tauro):
    assert tauro("run", "--pipeline", "sales", "--output", "json").code == 0
    told = json.loads(tauro("run", "--pipeline", "sales", "--only-missing", "--output", "json").out)
    assert (told["state"], told["run_id"], told["pipeline"], told["nodes"]) == ("completed", None, "sales", [])
