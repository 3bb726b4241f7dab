"""What a command loads: looking at a project must not cost what running it does."""

import json
import subprocess
import sys

import pytest

import tauro

HEAVY = {
    "pyspark",
    "pysail",
    "pandas",
    "polars",
    "pyarrow",
    "deltalake",
    "IPython",
    "rich",
    "loguru",
    "sqlglot",
    "jsonschema",
}
# Runs one command line and prints, on the last line, every module that is loaded then.
LOADED = """
import json, sys
{code}
print()
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(code, folder):
    result = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1])), result.stdout


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config" / "base").mkdir(parents=True)
    (tmp_path / "src").mkdir()
    files = {
        "settings_yml.json": "{}",
        "config/base/pipelines.yaml": "p: {nodes: [a]}\n",
        "config/base/nodes.yaml": "a: {function: m.f, input: i, output: o}\n",
        "config/base/input.yaml": "i: {format: delta, filepath: data/i}\n",
        "config/base/output.yaml": "o: {format: parquet, filepath: data/o}\n",
        "src/m.py": "import pandas, pyspark\ndef f(frame): return frame\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--help"], "Usage: tauro"),
        (["--version"], "tauro"),
        (["config", "--help"], "list-pipelines"),
        (["config", "list-pipelines"], "Pipeline"),
        (["config", "list-pipelines", "--output", "json"], '"pipelines"'),
        (["config", "validate"], "valid"),
        (["config", "validate", "--output", "sarif"], '"2.1.0"'),
        (["config", "list-configs"], "settings_yml.json"),
        (["config", "show", "--origin"], "config/base/nodes.yaml"),
        (["config", "show", "--output", "json"], '"sections"'),
        (["config", "diff", "base", "sandbox_a"], "the same settings"),
        (["config", "schema"], "json-schema.org"),
        (["config", "clear-cache"], "Forgot"),
        (["config", "pipeline-info", "--pipeline", "p", "--graph", "text"], "a"),
        (["config", "pipeline-info", "--pipeline", "p", "--graph", "mermaid"], "flowchart"),
        (["config", "pipeline-info", "--pipeline", "p", "--graph", "svg"], "<svg"),
        (["orchestrate", "--help"], "run-status"),
        (["orchestrate", "run-list"], "No runs."),
        (["orchestrate", "run-create", "--pipeline", "p"], "run-"),
        (["orchestrate", "schedule-list"], "No schedules."),
        (["orchestrate", "db-stats"], "Total runs"),
        (["orchestrate", "db-check"], "sound"),
        (["stream", "--help"], "status"),
        (["stream", "status"], "No streams."),
        (["stream", "logs"], ""),
        (["stream", "stop", "--all"], "No stream runs."),
    ],
    ids=" ".join,
)
def test_a_command_that_only_looks_loads_no_engine_and_no_data_library(folder, arguments, shown):
    modules, output = loaded(f"from tauro.cli.cli import invoke\nassert invoke({arguments!r}) == 0", folder)
    assert shown in output
    assert "tauro" in modules
    assert not modules & HEAVY


def test_looking_at_a_run_loads_neither_an_engine_nor_the_project_s_settings(folder):
    create = "from tauro.cli.cli import invoke\nassert invoke(['orchestrate', 'run-create', '--pipeline', 'p']) == 0"
    run_id = loaded(create, folder)[1].splitlines()[0]
    for command in ("run-status", "run-tasks", "run-logs", "run-cancel"):
        code = "from tauro.cli.cli import invoke\n"
        code += f"assert invoke(['orchestrate', '{command}', '--run-id', '{run_id}']) == 0"
        code += "\nimport sys\nassert not {'tauro.project', 'tauro.config.loading'} & set(sys.modules)"
        modules, _ = loaded(code, folder)
        assert not modules & (HEAVY | {"psycopg", "logging"})


def test_looking_at_a_stream_loads_neither_an_engine_nor_the_project_s_settings(folder):
    make = (
        "from datetime import UTC, datetime\nfrom pathlib import Path\nfrom tauro.store import open_store\n"
        "from tauro.store.records import NewStream\nwith open_store(Path('.tauro'), {}) as store:\n"
        "    print(store.create_stream(NewStream('p', 'base'), now=datetime.now(UTC)).id)"
    )
    stream_id = loaded(make, folder)[1].splitlines()[0]
    for command in ("status", "logs", "stop"):
        code = "from tauro.cli.cli import invoke\n"
        code += f"assert invoke(['stream', '{command}', '--execution-id', '{stream_id}', '--config', 'src/m.py']) == 0"
        code += "\nimport sys\nassert not {'tauro.project', 'tauro.config.loading'} & set(sys.modules)"
        modules, _ = loaded(code, folder)
        assert not modules & (HEAVY | {"psycopg", "logging"})


def test_a_command_that_only_looks_writes_nothing(folder):
    before = sorted(folder.rglob("*"))
    loaded("from tauro.cli.cli import invoke\ninvoke(['config', 'validate'])", folder)
    assert sorted(folder.rglob("*")) == before


def test_the_commands_for_settings_load_only_what_they_need(folder):
    """The notes of faults, of SARIF and of drawings are for those who ask for them."""
    code = "from tauro.cli.cli import invoke\ninvoke(['config', 'list-pipelines'])\n"
    code += "import sys\nfound = [name for name in sys.modules if name.startswith('tauro.')]\n"
    code += "seen = ('rules', 'sarif', 'json_schema', 'differences', 'search_cache', 'sql', 'svg', 'mermaid', 'text')\n"
    code += "assert not [name for name in found if name.rpartition('.')[2] in seen], found"
    loaded(code, folder)


def test_an_error_loads_no_engine_either(folder):
    code = "from tauro.cli.cli import invoke\nassert invoke(['config', 'validate', '--env', 'x']) == 3"
    modules, _ = loaded(code, folder)
    assert not modules & HEAVY


def test_importing_the_package_loads_nothing_else(folder):
    modules, _ = loaded("import tauro\ntauro.__version__", folder)
    assert not modules & (HEAVY | {"click", "yaml"})


def test_the_errors_of_the_package_load_no_engine(folder):
    code = "from tauro import ConfigurationError, TauroError\nassert issubclass(ConfigurationError, TauroError)"
    modules, _ = loaded(code, folder)
    assert not modules & (HEAVY | {"click", "yaml"})


@pytest.mark.parametrize("name", tauro.__all__)
def test_every_public_name_is_there(name):
    assert getattr(tauro, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        tauro.nothing  # noqa: B018 - the access is the test
