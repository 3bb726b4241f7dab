"""The documented modules for programs: the examples of the specification word for word, and thin all the same."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tauro.cli import core
from tauro.cli.cli import invoke
from tauro.cli.config import ConfigDiscovery, ConfigLoader, ConfigManager, parse_dsl, parse_json, parse_yaml
from tauro.cli.core import ConfigFormat, ErrorHandler, ExitCode, LoggerManager, SecurityValidator
from tauro.cli.execution import ContextInitializer, PipelineExecutor
from tauro.cli.template import MedallionGenerator, TemplateGenerator, write_dsl, write_json, write_yaml
from tauro.config.model import ProjectConfig
from tauro.errors import (
    ConfigurationError,
    PipelineNotFound,
    RunFailed,
    SettingsNotFound,
    UnsafePath,
    UsageFault,
    error_of,
)

# "Programmatic API": the examples on configuration, context and execution. Their pipeline's name is the test's.
SPECIFIED = """
from tauro.cli.config import ConfigManager, ConfigDiscovery

# Discover and load configurations
discovery = ConfigDiscovery(base_path="./", layer_name="analytics")
config_files = discovery.discover()

# Create configuration manager
cm = ConfigManager(base_path="./", layer_name="my_layer", use_case="etl")
config = cm.load("dev")

config_manager = cm
from tauro.cli.execution import ContextInitializer

initializer = ContextInitializer(config_manager)
context = initializer.initialize("dev")

# Access context properties
print(context.spark)
print(context.global_settings)

from tauro.cli.execution import PipelineExecutor

executor = PipelineExecutor(context)
executor.execute(
    pipeline_name="my_pipeline",
    start_date="2025-01-01",
    end_date="2025-12-31"
)
"""
# "Programmatic Usage Pattern".
PATTERN = """
# Recommended order for programmatic use
from tauro.cli.config import ConfigManager
from tauro.cli.execution import ContextInitializer, PipelineExecutor

# 1. Configure
config_manager = ConfigManager()
config = config_manager.load("dev")

# 2. Initialize context
initializer = ContextInitializer(config_manager)
context = initializer.initialize("dev")

# 3. Execute
executor = PipelineExecutor(context)
executor.execute("my_pipeline", "2025-01-01", "2025-01-31")
"""


@pytest.mark.parametrize("example", [SPECIFIED, PATTERN], ids=["api", "pattern"])
def test_an_example_of_the_specification_runs_as_a_program_and_ends(tmp_path, example):
    """Nothing is closed in it: the program must end by itself all the same."""
    made = MedallionGenerator().generate("shop", tmp_path)
    script = example.replace("my_pipeline", "bronze_batch_ingestion")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=made.path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    if example is SPECIFIED:
        session, settings = done.stdout.splitlines()
        assert "SparkSession" in session
        assert "project_name='shop'" in settings
    else:
        assert done.stdout == ""
    assert (made.path / "data/output/dev/bronze/sales/orders/_delta_log").is_dir()


def test_projects_below_a_folder_are_discovered_best_first(tmp_path):
    for name in ("bronze/sales", "silver/sales", "silver/crm"):
        MedallionGenerator(sample=False).generate("project", tmp_path / name)
    found = ConfigDiscovery(tmp_path, layer_name="silver", use_case="crm").discover()
    assert [candidate.folder for candidate in found][:2] == ["silver/crm/project", "silver/sales/project"]
    assert len(found) == 3
    best = ConfigDiscovery(tmp_path, "silver", "sales").find_best_match()
    assert best.path == "silver/sales/project/settings_yml.json"
    assert ConfigDiscovery(tmp_path, config_type="json").find_best_match() is None
    with pytest.raises(UsageFault, match="3 projects could be meant"):
        ConfigDiscovery(tmp_path).find_best_match()
    assert ConfigManager(tmp_path, "bronze").root == tmp_path / "bronze/sales/project"
    assert ConfigManager(tmp_path, choose=lambda found, _: found[-1]).root.parts[-3:] == ("silver", "sales", "project")


def test_a_configuration_is_loaded_typed(project):
    config = ConfigManager(project()).load("dev")
    assert isinstance(config, ProjectConfig)
    assert (config.env, config.settings.layer) == ("dev", "dev")


def test_a_folder_without_project_is_an_error(tmp_path):
    with pytest.raises(SettingsNotFound, match="No valid configuration found"):
        ConfigManager(tmp_path)


def test_a_context_shows_all_sections(project):
    with ContextInitializer(ConfigManager(project())).initialize("dev") as context:
        assert context.env == "dev"
        assert context.global_settings.start_date == "2025-01-01"
        assert set(context.pipelines_config) == {"sales", "memory", "broken", "lacking"}
        assert "load" in context.nodes_config
        assert (set(context.input_config), set(context.output_config)) == ({"raw"}, {"bronze.sales.daily"})


def test_pipelines_are_planned_and_executed_and_tell_listeners(project):
    events = []
    with ContextInitializer(ConfigManager(project())).initialize() as context:
        executor = PipelineExecutor(context, [events.append])
        assert executor.list_pipelines() == ["sales", "memory", "broken", "lacking"]
        assert [node.name for node in executor.plan("memory").nodes] == ["make", "take"]
        assert events == []
        result = executor.execute("memory", "2025-01-02", "2025-01-03")
        assert (result.state, result.start_date, result.end_date) == ("completed", "2025-01-02", "2025-01-03")
        assert [type(event).__name__ for event in events][::5] == ["RunStarted", "RunEnded"]
        assert [node.node for node in executor.execute("memory", node_name="make").nodes] == ["make"]


def test_a_run_that_fails_and_a_pipeline_that_is_none_are_exceptions(project):
    with ContextInitializer(ConfigManager(project())).initialize() as context:
        with pytest.raises(RunFailed):
            PipelineExecutor(context).execute("broken")
        with pytest.raises(PipelineNotFound):
            PipelineExecutor(context).execute("brokn")


def test_exit_codes_are_those_of_the_specification():
    names = "SUCCESS GENERAL_ERROR CONFIGURATION_ERROR VALIDATION_ERROR EXECUTION_ERROR DEPENDENCY_ERROR SECURITY_ERROR"
    assert [code.name for code in ExitCode] == names.split()
    assert [int(code) for code in ExitCode] == list(range(7))
    assert all(error_of(code).code == ExitCode(code).name for code in range(1, 7))
    assert [str(each) for each in ConfigFormat] == ["yaml", "json", "dsl"]


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigurationError("It broke", hint="Mend it."), 2, "Error: CONFIGURATION_ERROR: It broke\nHint: Mend it.\n"),
        (UnsafePath("No"), 6, "Error: SECURITY_ERROR: No\n"),
        (KeyboardInterrupt(), 4, "Error: EXECUTION_ERROR: Cancelled\n"),
        (ZeroDivisionError("by zero"), 1, "Error: GENERAL_ERROR: ZeroDivisionError: by zero\nHint: Run it again with"),
        (SystemExit(3), 0, ""),
    ],
)
def test_an_error_handler_tells_any_error_and_knows_its_exit_code(capsys, error, code, told):
    assert ErrorHandler().handle(error) is ExitCode(code)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(told)


def test_paths_are_validated_and_read_by_the_rules(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/nodes.yaml").write_text("a: 1\n")
    (tmp_path / "link").symlink_to(tmp_path / "config")
    assert SecurityValidator.validate_path(tmp_path, "config/nodes.yaml") == tmp_path / "config/nodes.yaml"
    assert SecurityValidator.validate_path(str(tmp_path), Path("config")) == tmp_path / "config"
    assert SecurityValidator.validate_path(tmp_path, ".") == tmp_path
    assert SecurityValidator.read(tmp_path, "config/nodes.yaml") == b"a: 1\n"
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "open").write_text("")
    (tmp_path / "open").chmod(0o666)
    for wrong in ("/etc/passwd", "../x", ".hidden", "link", "link/nodes.yaml", "fifo", "open", "", "a\nb"):
        with pytest.raises(UnsafePath):
            SecurityValidator.validate_path(tmp_path, wrong)
        with pytest.raises(UnsafePath):
            SecurityValidator.read(tmp_path, wrong)
    with pytest.raises(FileNotFoundError):
        SecurityValidator.validate_path(tmp_path, "config/gone.yaml")


def test_settings_files_are_parsed_in_every_format_and_written_back(tmp_path):
    data = {"a": {"b": [1, "x", True], "c": None}, "d": "22:30"}
    written = {"yaml": (write_yaml, parse_yaml), "json": (write_json, parse_json), "dsl": (write_dsl, parse_dsl)}
    for suffix, (write, parse) in written.items():
        assert parse(write(data)) == data
        (tmp_path / f"x.{suffix}").write_text(write(data))
        assert ConfigLoader(tmp_path).load(f"x.{suffix}") == data
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml("a: [", "mine.yaml")
    assert caught.value.faults[0].place.file == "mine.yaml"


def test_generators_make_what_the_command_makes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = TemplateGenerator("medallion_basic", config_format="dsl", developers=["alice"]).generate("shop", "one")
    two = MedallionGenerator(config_format="dsl", developers=["alice"]).generate("shop", "two")
    line = "template --template medallion_basic --project-name shop --format dsl --sandbox-developers alice"
    assert invoke([*line.split(), "--output-dir", "three", "--quiet"]) == 0
    assert one.files == two.files
    for file in one.files:
        assert (one.path / file).read_bytes() == (two.path / file).read_bytes()
        assert (one.path / file).read_bytes() == (tmp_path / "three/shop" / file).read_bytes()
    with pytest.raises(UsageFault, match="There is no format 'toml'"):
        MedallionGenerator(config_format="toml").generate("other", tmp_path)


def test_a_program_logs_to_a_file_until_it_ends_the_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with LoggerManager.setup(level="WARNING", log_file="logs/mine.log"):
        logging.getLogger("tauro.test").warning("told")
        logging.getLogger("tauro.test").info("not told")
    logging.getLogger("tauro.test").warning("after the end")
    (line,) = (tmp_path / "logs/mine.log").read_text().splitlines()
    assert "told" in line
    assert "WARNING" in line
    (tmp_path / "link.log").symlink_to(tmp_path / "elsewhere.log")
    with pytest.raises(UnsafePath):
        LoggerManager.setup(log_file="link.log")


def test_the_names_of_the_specification_are_all_there():
    assert {name for name in core.__all__ if not hasattr(core, name)} == set()
    with pytest.raises(AttributeError):
        core.Nonsense  # noqa: B018 - the look-up is what is tested
