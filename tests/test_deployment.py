"""The files of docs/deployment.md are what the programs take that they are for, and its Python does what it says."""

import json
import re
import shutil
import subprocess
import sys
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tauro.cli.cli import invoke

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "deployment.md").read_text(encoding="utf-8")
PROGRAM = "/srv/shop/.venv/bin/tauro"
CODE = """
    def good(): pass
    def away(): raise ConnectionError("the warehouse is away")
    def wrong(): raise ValueError("a column is missing")
"""
NODES = ("good", "away", "wrong")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


UNITS = dict(zip(re.findall(r"`/etc/systemd/system/(tauro[\w.-]+)`", PAGE), blocks("ini"), strict=True))
HELPER, AIRFLOW, DAGSTER = blocks("python")
COMPOSE, DEPLOYMENT, CRON_JOB = map(yaml.safe_load, blocks("yaml"))
(DOCKERFILE,) = blocks("dockerfile")


def containers(workload):
    """Return the pod of a workload and its one container."""
    spec = workload["spec"]
    pod = (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]["spec"]
    (container,) = pod["containers"]
    return pod, container


def commands():
    """Yield every command line of Tauro that the page's files have."""
    for unit in UNITS.values():
        yield from (line.split()[1:] for line in re.findall(rf"^ExecStart={PROGRAM}.*$", unit, flags=re.MULTILINE))
    yield from (json.loads(found)[1:] for found in re.findall(r"CMD (\[.*\])$", DOCKERFILE, flags=re.MULTILINE))
    for workload in (DEPLOYMENT, CRON_JOB):
        yield containers(workload)[1]["command"][1:]
    yield containers(DEPLOYMENT)[1]["livenessProbe"]["exec"]["command"][1:]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path):
    assert sorted(UNITS) == ["tauro-sales.service", "tauro-sales.timer", "tauro.service"]
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace(PROGRAM, sys.executable))
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    own = [line for line in done.stderr.splitlines() if "tauro" in line]
    assert (done.returncode, own) == (0, []), done.stderr


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_line_is_one_of_the_program(command, capsys):
    assert invoke([*command, "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: tauro ")


@pytest.mark.parametrize("workload", [DEPLOYMENT, CRON_JOB], ids=["Deployment", "CronJob"])
def test_pods_mount_what_they_have_and_take_secrets_from_a_secret(workload):
    pod, container = containers(workload)
    assert {it["name"] for it in container["volumeMounts"]} == {it["name"] for it in pod["volumes"]}
    assert container["envFrom"] == [{"secretRef": {"name": "shop"}}]
    (mounted,) = (it["mountPath"] for it in container["volumeMounts"])
    written = [it["value"] for it in container["env"] if it["name"] in ("TAURO_STATE_DIR", "TAURO_LOG_FILE")]
    assert len(written) == 2
    assert all(value.startswith(f"{mounted}/") for value in written)


def test_a_deployment_finds_its_pods_and_a_cron_job_has_one_run_at_a_time():
    spec = DEPLOYMENT["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] >= 35  # 20 s of patience, 10 s of grace
    assert CRON_JOB["spec"]["concurrencyPolicy"] == "Forbid"
    job = CRON_JOB["spec"]["jobTemplate"]["spec"]
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"] == containers(CRON_JOB)[1]["name"]


def test_compose_names_what_it_has():
    services = COMPOSE["services"]
    used = [volume.partition(":")[0] for service in services.values() for volume in service["volumes"]]
    assert sorted(used) == sorted(COMPOSE["volumes"])
    assert set(services["scheduler"]["depends_on"]) <= set(services)


# -- Airflow and Dagster: their names are stood in for, what they call is real --------------------------


@pytest.fixture
def execute(make_project, monkeypatch):
    """Execute Python of the page with other modules beside it, and return its names."""
    pipelines = {name: {"nodes": [name]} for name in NODES}
    root = make_project(CODE, {name: {} for name in NODES}, pipelines=pipelines)
    settings = json.loads((root / "settings.json").read_text())
    settings["env_config"]["prod"] = {}
    (root / "settings.json").write_text(json.dumps(settings))

    def run(code, **modules):
        for name, content in modules.items():
            module = types.ModuleType(name.replace("_dot_", "."))
            monkeypatch.setitem(sys.modules, module.__name__, module)
            vars(module).update(content)
        program = str(Path(sys.executable).with_name("tauro"))
        names = {"__name__": "page"}
        exec(code.replace(PROGRAM, program).replace("/srv/shop", str(root)), names)
        return names

    run.project = str(root)
    return run


@pytest.fixture
def helper(execute):
    return execute(HELPER)


def test_the_module_returns_a_run_and_tells_what_failed_and_whether_another_try_may_help(helper, execute):
    def call(pipeline):
        program = str(Path(sys.executable).with_name("tauro"))
        return helper["tauro_run"](execute.project, pipeline, "prod", "2025-01-01", "2025-01-02", program=program)

    run = call("good")
    assert (run["state"], run["start_date"], run["end_date"]) == ("completed", "2025-01-01", "2025-01-02")
    failures = {}
    for name in ("away", "wrong", "unknown"):
        with pytest.raises(helper["TauroFailed"]) as caught:
            call(name)
        failures[name] = caught.value
    assert "away: ConnectionError: the warehouse is away" in str(failures["away"])
    assert "Pipeline 'unknown' not found" in str(failures["unknown"])
    assert {name: error.transient for name, error in failures.items()} == {
        "away": True,
        "wrong": False,
        "unknown": False,
    }


class Task:
    """What Airflow makes of a function, as far as the page uses it."""

    def __init__(self, function):
        self.function = function

    def override(self, **_):
        return self

    def __call__(self, name):
        return self

    def __rshift__(self, other):
        return other


def test_a_task_of_airflow_runs_the_day_before_and_fails_for_good_where_a_retry_is_no_use(helper, execute):
    class AirflowFailException(Exception):
        pass

    sdk = {"task": lambda **_: Task, "dag": lambda **_: lambda function: function}
    modules = {"airflow": {}, "airflow_dot_sdk_dot_exceptions": {"AirflowFailException": AirflowFailException}}
    names = execute(AIRFLOW, tauro_run=helper, airflow_dot_sdk=sdk, **modules)
    pipeline = names["pipeline"].function
    moment = datetime(2025, 1, 2, 2, tzinfo=UTC)
    assert pipeline("good", logical_date=moment) == {"good": None}
    with pytest.raises(helper["TauroFailed"]):
        pipeline("away", logical_date=moment)
    with pytest.raises(AirflowFailException, match="a column is missing"):
        pipeline("wrong", logical_date=moment)


def test_an_asset_of_dagster_runs_its_partition_and_says_whether_it_may_be_tried_again(helper, execute):
    class Failure(Exception):
        def __init__(self, text, allow_retries):
            super().__init__(text)
            self.allow_retries = allow_retries

    dagster = {
        "Failure": Failure,
        "MaterializeResult": lambda metadata: metadata,
        "RetryPolicy": lambda **_: None,
        "DailyPartitionsDefinition": lambda **_: None,
        "Definitions": lambda **_: None,
        "asset": lambda **_: lambda function: function,
    }
    names = execute(DAGSTER, tauro_run=helper, dagster=dagster)
    context = types.SimpleNamespace(partition_key="2025-01-01")
    assert names["materialize"](context, "good")["rows"] == {"good": None}
    for pipeline, again in (("away", True), ("wrong", False)):
        with pytest.raises(Failure) as caught:
            names["materialize"](context, pipeline)
        assert caught.value.allow_retries is again
