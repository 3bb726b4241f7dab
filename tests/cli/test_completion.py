"""What completes a value: read from what can be read of the project that the command line means."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import click
import pytest
from click.shell_completion import ShellComplete
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.cli import completion
from tauro.cli.cli import cli
from tauro.cli.completion.shells import answer
from tauro.exec.record import new_record


def items(line, tree=cli):
    """Return what click proposes for a command line, as a notebook asks it in its own process."""
    *words, incomplete = line.split(" ")
    return ShellComplete(tree, {}, "tauro", "").get_completions(words, incomplete)


def values(line):
    return [item.value for item in items(line)]


def helps(line):
    return {item.value: item.help for item in items(line)}


@pytest.mark.parametrize(
    ("line", "proposed"),
    [
        ("", ["run", "template", "config", "orchestrate", "stream", "engine", "completion"]),
        ("con", ["config"]),
        ("config list-", ["list-configs", "list-pipelines"]),
        ("config schema --section n", ["nodes"]),
        ("run --config-type ", ["yaml", "json", "dsl"]),
        ("template --template ", ["medallion_basic"]),
        ("completion show ", ["bash", "zsh", "fish"]),
        ("nothing of that name", []),
        ("run --nothing --env d", ["dev"]),
        ("run --start-date ", []),
    ],
)
@pytest.mark.usefixtures("project")
def test_commands_options_and_choices_are_completed(line, proposed):
    assert values(line) == proposed


def test_what_is_proposed_says_what_it_is_for():
    assert helps("ru") == {"run": "Run a pipeline, or show what a run would do."}
    assert helps("template --temp") == {"--template": "Template of the project."}
    assert helps("template --template m") == {"medallion_basic": "Medallion architecture (Bronze/Silver/Gold)"}


def test_a_command_that_can_only_go_on_with_options_proposes_them_at_once():
    assert {"--env", "--pipeline", "--resume", "--output"} <= set(values("run "))
    assert "--dry-run" not in values("run --dry-run ")


@pytest.mark.parametrize("option", ["run --base-path", "run --log-file", "template --output-dir"])
def test_paths_are_left_to_the_shell_that_knows_them(option):
    (item,) = items(f"{option} da")
    assert (item.type, item.value) == ("file" if "log" in option else "dir", "da")


def test_environments_are_the_standard_ones_and_those_of_index_folders_and_variable(project, monkeypatch):
    index = json.dumps({"env_config": {"base": {}, "QA": {}}})
    project(**{"settings_yml.json": index, "config/sandbox_alice/nodes.yaml": "{}", "config/nightly/nodes.yaml": "{}"})
    monkeypatch.setenv("TAURO_ALLOWED_ENVS", "canary, Staging")
    assert helps("run --env ") == {
        "base": "what all others lie over",
        "dev": "over base",
        "sandbox": "over base, without settings of its own",
        "prod": "over base, without settings of its own",
        "qa": "over base",
        "sandbox_alice": "over base and sandbox",
        "canary": "over base, without settings of its own",
        "staging": "over base, without settings of its own",
    }
    assert values("config diff dev sandbox_") == ["sandbox_alice"]


def test_without_a_project_the_standard_environments_are_proposed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert values("run --env ") == ["base", "dev", "sandbox", "prod"]
    assert values("run --pipeline ") == values("run --resume ") == values("run --node ") == []


def test_pipelines_are_those_of_the_environment_that_stands_on_the_command_line(project, monkeypatch):
    project(**{"config/dev/pipelines.yaml": "memory: null\nextra: {nodes: [make]}\n"})
    assert values("run --pipeline ") == ["sales", "memory", "broken", "lacking"]
    assert values("run --env dev --pipeline ") == ["sales", "broken", "lacking", "extra"]
    assert values("run --env=Development --pipeline e") == ["extra"]
    assert helps("config pipeline-info --pipeline s") == {"sales": "Sales of the day"}
    monkeypatch.setenv("TAURO_ENV", "dev")
    assert values("run --pipeline e") == ["extra"]


@pytest.mark.parametrize("line", ["run --base-path inner --pipeline ", "run --layer-name INNER --pipeline "])
def test_pipelines_are_those_of_the_project_that_stands_on_the_command_line(project, line):
    project(**{"inner/settings.json": "{}", "inner/config/base/pipelines.yaml": "within: {nodes: [a]}\n"})
    assert values(line) == ["within"]


def test_nodes_are_those_of_the_pipeline_with_their_descriptions(project):
    inline = "pipelines:\n  sales:\n    nodes: [load, {name: own, description: 'Here: it is'}]\n  one: {nodes: make}\n"
    project(**{"config/base/pipelines.yaml": inline})
    assert helps("run --pipeline sales --node ") == {"load": "Reads", "own": "Here: it is"}
    assert values("run --pipeline one --node ") == ["make"]
    assert values("run --pipeline nothing --node ") == []
    assert values("run --node ") == ["load", "own", "make"]


def test_names_after_a_comma_are_completed_behind_what_stands_there(project):
    assert values("run --pipeline sales --nodes load,") == ["load,join"]
    assert values("run --pipeline broken --from-nodes fail,after,m") == ["fail,after,make"]
    project(**{"config/base/nodes.yaml": "load: {tags: [a, b]}\njoin: {tags: b}\n"})
    assert helps("run --pipeline sales --tags ") == {"a": "tag of load", "b": "tag of load, join"}
    assert values("run --pipeline sales --tags a,") == ["a,b"]


def finished(folder, name, **more):
    folder = folder / "runs" / name
    folder.mkdir(parents=True)
    summary = {"schema": 1, "run_id": name, "pipeline": "sales", "env": "dev", "state": "failed", **more}
    (folder / "summary.json").write_text(json.dumps({**summary, "nodes": [{"node": "x" * 9_000}]}))


def test_runs_are_completed_newest_first_with_pipeline_environment_and_state(project):
    state = project() / ".tauro"
    finished(state, "run-20250101-000000-000000")
    finished(state, "run-20250301-000000-000000", state="completed")
    finished(state, "run-20250201-000000-000000", env="prod")
    assert list(helps("run --resume ").items()) == [
        ("run-20250301-000000-000000", "sales in dev: completed"),
        ("run-20250201-000000-000000", "sales in prod: failed"),
        ("run-20250101-000000-000000", "sales in dev: failed"),
    ]
    assert values("run --resume run-202502") == ["run-20250201-000000-000000"]


def test_a_run_that_the_program_has_made_is_told_as_its_record_tells_it(project, tauro):
    for pipeline, code in (("memory", 0), ("broken", 4)):
        assert tauro("run", "--env", "dev", "--pipeline", pipeline, "--quiet").code == code
    assert list(helps("run --resume ").values()) == ["broken in dev: failed", "memory in dev: completed"]


def test_runs_without_a_summary_and_damaged_ones_are_proposed_too(project):
    state = project() / ".tauro"
    record = new_record(state)
    started = {"event": "run_started", "pipeline": "sales", "env": "dev", "nodes": ["load"]}
    dates = {"start_date": "2025-01-01", "end_date": "2025-01-01"}
    record.events.write(json.dumps(started | dates) + "\n")
    record.events.flush()
    assert helps("run --resume ") == {record.run_id: f"Run '{record.run_id}' is still running"}
    record.events.close()
    assert helps("run --resume ") == {record.run_id: "sales in dev: cancelled"}
    (record.folder / "summary.json").write_text("{")
    assert helps("run --resume ") == {record.run_id: None}


def test_runs_are_looked_for_where_they_are_recorded(project, tmp_path, monkeypatch):
    finished(tmp_path / "state", "run-20250101-000000-000000")
    monkeypatch.setenv("TAURO_STATE_DIR", str(tmp_path / "state"))
    assert values("run --resume ") == ["run-20250101-000000-000000"]


def test_of_thousands_of_runs_the_newest_are_proposed_at_once(project):
    runs = project() / ".tauro/runs"
    for number in range(3_000):
        (runs / f"run-20250101-000000-{number:06}").mkdir(parents=True)
    assert values("run --resume ") == [f"run-20250101-000000-{number:06}" for number in range(2_999, 2_949, -1)]
    assert values("run --resume run-20250101-000000-00000") == [
        f"run-20250101-000000-00000{n}" for n in range(9, -1, -1)
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"settings_yml.json": "{"},
        {"settings_yml.json": '{"env_conf": {}}'},
        {"config/base/nodes.yaml": "a: [\n"},
        {"config/dev/pipelines.yaml": "a: {\n"},
        {"config/dev/pipelines.json": "{}", "config/dev/pipelines.yaml": "other: {}\n"},
        {"config/dev/pipelines.yaml": "[a, list]\n"},
        {"config/base/global_settings.yaml": "start_date: never\nmax_parallel_nodes: none\n"},
        {"src/steps.py": "def one(:\n"},
    ],
    ids=" ".join,
)
def test_a_broken_project_completes_what_can_be_read(project, files):
    project(**files)
    assert values("run --env dev --pipeline s") == ["sales"]
    assert values("run --env dev --pipeline sales --node ") == ["load", "join"]
    assert values("run --env p") == ["prod"]


@pytest.mark.parametrize("base", ["..", "/tmp", ".hidden", "missing", "a\x07b", "data/raw.csv"])
@pytest.mark.usefixtures("project")
def test_where_the_path_rules_forbid_to_look_nothing_is_proposed(base):
    assert values(f"run --base-path {base} --pipeline ") == []


def test_a_name_that_would_steer_the_terminal_is_not_proposed_and_a_description_is_tamed(project):
    project(
        **{"config/base/pipelines.yaml": '"a\\e[2J": {nodes: [x]}\n"b\\nc": {}\nd: {description: "e\\e[2Jf\\n\\tg"}\n'}
    )
    assert helps("run --pipeline ") == {"d": "e [2Jf g"}


LINES = [
    "run --env ",
    "run --pipeline ",
    "run --pipeline p --node ",
    "run --pipeline p --nodes a,",
    "run --tags ",
    "run --resume ",
]
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["p", "nodes", "tags", "name"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["p", "nodes", "name", "tags", "a"]), inner)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(index=DATA, pipelines=DATA, nodes=DATA, summary=DATA)
def test_whatever_the_files_hold_nothing_is_raised_and_nothing_printed(project, index, pipelines, nodes, summary):
    root = project(
        **{
            "settings_yml.json": json.dumps(index),
            "config/base/pipelines.json": json.dumps({"p": pipelines}),
            "config/base/nodes.json": json.dumps(nodes),
            ".tauro/runs/run-1/summary.json": json.dumps(summary),
        }
    )
    for section in ("pipelines", "nodes"):
        (root / f"config/base/{section}.yaml").unlink(missing_ok=True)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        for line in LINES:
            assert all(isinstance(value, str) for value in values(line))
    assert said.getvalue() == ""


def everything(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_is_written_and_none_of_the_project_s_code_runs(project, tmp_path, monkeypatch):
    root = project(**{"src/steps.py": "open('ran', 'w').close()\n", "yaml.py": "open('ran', 'w').close()\n"})
    finished(root / ".tauro", "run-20250101-000000-000000")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = everything(tmp_path)
    for line in [*LINES, "run --layer-name x --pipeline "]:
        done = complete_line(f"tauro {line}", cwd=root)
        assert (done.returncode, done.stderr) == (0, b"")
    assert everything(tmp_path) == before


def complete_line(line, *more, cwd=None):
    """Ask the console script as the scripts of the shells do."""
    command = [sys.executable, "-m", "tauro", line, *more]
    environ = os.environ | {"_TAURO_COMPLETE": "line"}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, check=False, timeout=60)


def answered(capfdbinary, line, *more):
    assert answer(cli, [line, *more]) == 0
    return [tuple(line.split("\t")) for line in capfdbinary.readouterr().out.decode().splitlines()]


@pytest.mark.parametrize(
    ("line", "proposed"),
    [
        ("tauro run --env d", ["dev"]),
        ("tauro run --env=d", ["--env=dev"]),
        ("tauro run --env='d", ["--env=dev"]),
        ("TAURO_X=1 tauro run --env d", ["dev"]),
        ("./bin/tauro run --env d", ["dev"]),
        ("tauro run --pipeline 'sal", ["sales"]),
        ("tauro run --nothing=", []),
        ("tauro --ver", ["--version"]),
        ("tauro 'unclosed run --env d", []),
    ],
)
@pytest.mark.usefixtures("project")
def test_the_answer_to_a_shell_replaces_its_last_word(capfdbinary, line, proposed):
    assert [value for _, value, *_ in answered(capfdbinary, line)] == proposed


@pytest.mark.parametrize(
    ("line", "replaced", "proposed"),
    [
        ("tauro run --env=d", "d", "dev"),
        ("tauro run --env=", "", "dev"),
        ("tauro run --env d", "d", "dev"),
        ("tauro run --pipeline a:b", "b", "b:c"),
        ("tauro run --pipeline 'my p", "my p", "my pipe"),
        ("tauro run --pipeline my\\ p", "my\\ p", "my pipe"),
    ],
)
def test_the_answer_to_a_shell_that_replaces_a_part_of_the_word_is_that_part(
    project, capfdbinary, line, replaced, proposed
):
    project(**{"config/base/pipelines.yaml": "'a:b:c': {}\nmy pipe: {}\n"})
    assert proposed in [value for _, value, *_ in answered(capfdbinary, line, replaced)]


def test_the_answer_has_kind_value_and_description(project, capfdbinary):
    assert answered(capfdbinary, "tauro run --pipeline s") == [("plain", "sales", "Sales of the day")]
    assert answered(capfdbinary, "tauro run --base-path=d") == [("dir",)]


def test_an_error_of_a_completer_is_no_concern_of_a_person_at_a_prompt(capfdbinary):
    @click.command()
    @click.option("--x", shell_complete=lambda *_: 1 / 0)
    def broken(x):
        """Break."""

    assert answer(broken, ["tauro --x "]) == 1
    assert capfdbinary.readouterr() == (b"", b"")


def test_the_protocol_of_click_is_there_too(project):
    environ = os.environ | {
        "_TAURO_COMPLETE": "bash_complete",
        "COMP_WORDS": "tauro run --pipeline s",
        "COMP_CWORD": "3",
    }
    done = subprocess.run([sys.executable, "-m", "tauro"], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "plain,sales\n", "")


def test_completers_are_what_click_takes_for_any_option_and_argument():
    @click.command()
    @click.argument("env", shell_complete=completion.complete_environments)
    def command(env):
        """Take one."""

    assert [item.value for item in items("d", command)] == ["dev"]


def test_a_completion_loads_no_engine_and_no_data_library(project):
    code = "import sys\nfrom tauro.cli.cli import cli\nfrom tauro.cli.completion.shells import answer\n"
    code += "answer(cli, ['tauro run --pipeline '])\nanswer(cli, ['tauro run --resume '])\n"
    code += "print(sorted({'pyspark', 'pandas', 'polars', 'rich', 'loguru'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""
