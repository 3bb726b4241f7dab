"""tauro run --report and --lineage: files that are refused before the run, or written however it ends."""

import json
import signal
import stat
import subprocess
import sys
import time

import pytest

SLOW = """
    import time
    from pathlib import Path

    def make():
        Path("here").touch()
        time.sleep(60)

    def take(value): pass
    def one(frame): pass
    def fail(): pass
"""


def jobs(file):
    return [(event["job"]["name"], event["eventType"]) for event in map(json.loads, file.read_text().splitlines())]


@pytest.mark.parametrize(("pipeline", "code", "state"), [("memory", 0, "completed"), ("broken", 4, "failed")])
def test_a_report_and_events_are_written_however_the_run_ends(project, program, pipeline, code, state):
    folder = project()
    result = program("run", "--pipeline", pipeline, "--report", "out/run.html", "--lineage", "out/run.jsonl")
    assert result.code == code
    page = (folder / "out/run.html").read_text()
    assert f"<title>{pipeline} – {state} – Tauro</title>" in page  # noqa: RUF001 - the dash is meant
    assert "hunter2" not in page + (folder / "out/run.jsonl").read_text()
    told = jobs(folder / "out/run.jsonl")
    assert told[0] == (pipeline, "START")
    assert told[-1] == (pipeline, {"completed": "COMPLETE", "failed": "FAIL"}[state])
    assert {stat.S_IMODE((folder / "out" / name).stat().st_mode) for name in ("run.html", "run.jsonl")} == {0o600}
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["run.html", "run.jsonl"]


def test_a_run_that_is_cancelled_is_shown_as_that(project):
    folder = project(**{"src/steps.py": SLOW})
    command = [
        sys.executable,
        "-m",
        "tauro",
        "run",
        "--pipeline",
        "memory",
        "--report",
        "r.html",
        "--lineage",
        "l.jsonl",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not (folder / "here").exists():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 4
    assert "memory – cancelled – Tauro" in (folder / "r.html").read_text()  # noqa: RUF001 - the dash is meant
    assert jobs(folder / "l.jsonl") == [
        ("memory", "START"),
        ("memory.make", "START"),
        ("memory.make", "ABORT"),
        ("memory", "ABORT"),
    ]


def test_windows_share_one_report_and_one_file_of_events(project, program):
    folder = project()
    options = ("--split", "week", "--start-date", "2025-01-01", "--end-date", "2025-01-14")
    assert program("run", "--pipeline", "memory", *options, "--report", "r.html", "--lineage", "l.jsonl").code == 0
    page = (folder / "r.html").read_text()
    assert page.count('<section class="run">') == 3
    assert ">3 runs<" in page
    assert jobs(folder / "l.jsonl").count(("memory", "COMPLETE")) == 3


def test_windows_behind_one_that_fails_are_counted(project, program):
    folder = project()
    options = ("--split", "day", "--start-date", "2025-01-01", "--end-date", "2025-01-05")
    assert program("run", "--pipeline", "broken", *options, "--report", "r.html").code == 4
    assert "1 run; 4 of 5 were not started" in (folder / "r.html").read_text()


@pytest.mark.parametrize("option", ["--report", "--lineage"])
@pytest.mark.parametrize("path", ["/tmp/out", "../out", ".hidden/out", "link", "src", "."])
def test_a_path_that_cannot_be_written_stops_the_run_before_it_starts(project, tauro, option, path):
    folder = project()
    (folder / "link").symlink_to("elsewhere")
    result = tauro("run", "--pipeline", "memory", option, path)
    assert (result.code, result.out) == (6, "")
    assert not (folder / ".tauro").exists()


def test_a_report_replaces_no_file_of_another_kind(project, tauro):
    folder = project()
    before = (folder / "src/steps.py").read_text()
    result = tauro("run", "--pipeline", "memory", "--report", "src/steps.py")
    assert (result.code, result.out) == (3, "")
    assert "--report names no page of HTML: src/steps.py" in result.err
    assert (folder / "src/steps.py").read_text() == before
    assert not (folder / ".tauro").exists()


def test_a_report_that_is_refused_leaves_the_lineage_of_no_run(project, tauro):
    folder = project()
    assert tauro("run", "--pipeline", "memory", "--lineage", "l.jsonl", "--report", "src").code == 6
    assert (folder / "l.jsonl").read_text() == ""


@pytest.mark.parametrize("look", ["--dry-run", "--validate-only"])
def test_looking_at_a_run_writes_neither(project, tauro, look):
    folder = project()
    assert tauro("run", "--pipeline", "memory", look, "--report", "r.html", "--lineage", "l.jsonl").code == 0
    assert not list(folder.glob("[rl].*"))


def test_the_settings_ask_for_lineage_and_the_option_names_another_file(project, program):
    folder = project(**{"config/base/global_settings.yaml": "lineage: meta/all.jsonl\n"})
    assert program("run", "--pipeline", "memory").code == 0
    assert len(jobs(folder / "meta/all.jsonl")) == 6
    assert program("run", "--pipeline", "memory", "--lineage", "mine.jsonl").code == 0
    assert (len(jobs(folder / "meta/all.jsonl")), len(jobs(folder / "mine.jsonl"))) == (6, 6)


def test_an_older_report_stays_when_the_engine_cannot_start(project, tauro):
    folder = project(**{"r.html": "old"})
    (folder / "settings_yml.json").write_text("broken")
    assert tauro("run", "--pipeline", "memory", "--report", "r.html").code != 0
    assert (folder / "r.html").read_text() == "old"
