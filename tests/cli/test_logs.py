"""What a run logs, where it goes, in which form, and what a host finds unchanged afterwards."""

import json
import logging
import os
import re
import sys
import warnings
from datetime import datetime
from io import StringIO
from pathlib import Path
from textwrap import dedent

import click
import loguru
import pytest

from tauro.cli.cli import cli
from tauro.cli.log import start_logging
from tauro.errors import UnsafePath, UsageFault
from tauro.exec.log import LogListener
from tauro.project import Project

NODES = """\
    import logging, sys, warnings
    from concurrent.futures import ThreadPoolExecutor
    from loguru import logger as log_guru
    import helper

    LOG = logging.getLogger(__name__)


    def speak():
        LOG.debug("by its name, debug")
        LOG.info("by its name")
        logging.info("by the root logger")
        logging.getLogger("any").info("by any logger", extra={"rows": 5})
        log_guru.debug("by loguru, debug")
        log_guru.bind(table="daily").info("by loguru")
        warnings.warn("by a warning")
        helper.work("by a module")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(helper.work, "by a thread").result()
            pool.submit(LOG.info, "by a library").result()
        return 1


    def listen(value):
        LOG.info("by another node")
        try:
            raise ValueError("bad row")
        except ValueError:
            LOG.exception("by an exception")
"""
SPEAKING = {
    "config/base/pipelines.yaml": "speaking: {nodes: [speak, listen]}\n",
    "config/base/nodes.yaml": (
        "speak: {function: speaking.speak, output: said}\nlisten: {function: speaking.listen, input: said}\n"
    ),
    "src/speaking.py": NODES,
    "src/helper.py": "import logging\n\n\ndef work(text):\n    logging.getLogger(__name__).info(text)\n",
}
SAID_ONCE = (
    "by its name",
    "by the root logger",
    "by any logger",
    "by loguru",
    "by a module",
    "by a thread",
    "by a library",
    "by another node",
    "by an exception",
)


@pytest.fixture
def speaking(project):
    """A project whose nodes log in every way."""
    return project(**SPEAKING)


@pytest.fixture
def warned():
    """The nodes' warning is a warning; elsewhere in the tests any is an error."""
    with pytest.warns(UserWarning, match="by a warning"):
        yield


@pytest.fixture
def one_node(project):
    """A project with one node, whose code is given."""

    def make(code, settings=""):
        return project(
            **{
                "config/base/pipelines.yaml": "p: {nodes: [n]}\n",
                "config/base/nodes.yaml": "n: {function: own.n}\n",
                "config/base/global_settings.yaml": settings or "layer: x\n",
                "src/own.py": dedent(code),
            }
        )

    return make


def objects(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def state():
    """Return everything of a process's logging that a command could change."""
    loggers = [logging.getLogger(name) for name in (None, "tauro", "tauro.run", "speaking", "any", "py.warnings")]
    return {
        "loggers": [(x.level, list(x.handlers), x.propagate, x.disabled, list(x.filters)) for x in loggers],
        "filters": {handler: list(handler.filters) for x in loggers for handler in x.handlers},
        "showwarning": warnings.showwarning,
        "loguru": str(loguru.logger),
        "files": {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()},
    }


def leaves(command, path=()):
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    return [
        leaf
        for name in command.list_commands(context)
        for leaf in leaves(command.get_command(context, name), (*path, name))
    ]


@pytest.mark.parametrize("command", leaves(cli), ids=" ".join)
def test_every_command_takes_the_options_of_logging(tauro, command):
    text = tauro(*command, "--help").out
    for option in ("--verbose", "--quiet", "--log-level LEVEL", "--log-file PATH", "--log-format [text|json]"):
        assert option in text


# -- what nodes log -------------------------------------------------------------------------------


@pytest.mark.usefixtures("warned")
def test_what_nodes_log_in_any_way_is_in_the_run_s_log_with_run_and_node(speaking, tauro):
    result = tauro("run", "--pipeline", "speaking", "--log-format", "json", "--output", "json")
    run = json.loads(result.out)["run_id"]
    told = {item["message"]: item for item in objects(speaking / "logs/tauro.log")}
    assert {item["run"] for item in told.values()} == {run}
    found = {text: told[text]["component"] for text in SAID_ONCE}
    assert found == {
        "by its name": "speaking",
        "by the root logger": "root",
        "by any logger": "any",
        "by loguru": "speaking",
        "by a module": "helper",
        "by a thread": "helper",
        "by a library": "speaking",
        "by another node": "speaking",
        "by an exception": "speaking",
    }
    nodes = {text: told[text].get("node") for text in SAID_ONCE}
    expected = dict.fromkeys(SAID_ONCE, "speak") | dict.fromkeys(("by another node", "by an exception"), "listen")
    assert nodes == expected | {"by a thread": None, "by a library": None}
    (warning,) = [item for text, item in told.items() if "by a warning" in text]
    assert (warning["component"], warning["level"], warning["node"]) == ("py.warnings", "WARNING", "speak")
    assert re.fullmatch(rf"UserWarning: by a warning \({speaking}/src/speaking\.py:\d+\)", warning["message"])
    assert (told["by any logger"]["rows"], told["by loguru"]["table"]) == (5, "daily")
    assert told["by an exception"]["traceback"].endswith("ValueError: bad row")
    assert not any("debug" in text for text in told)


def test_the_program_tells_each_record_once_in_each_place(speaking, program):
    result = program("run", "--pipeline", "speaking", "--verbose")
    assert result.code == 0
    for told in ((speaking / "logs/tauro.log").read_text(), result.err):
        assert told.count("run=run-") >= len(SAID_ONCE)
        for text in (*SAID_ONCE, "by its name, debug", "by loguru, debug"):
            assert len(re.findall(rf"\| {text} \|", told)) == 1
        assert told.count("by a warning") == 1
        assert told.count("Traceback") == 1


def test_without_a_wish_for_records_the_program_s_console_has_warnings_alone(speaking, program):
    result = program("run", "--pipeline", "speaking")
    assert result.err.splitlines() == [
        f"{speaking}/src/speaking.py:16: UserWarning: by a warning",
        '  warnings.warn("by a warning")',
    ]
    assert (speaking / "logs/tauro.log").read_text().count("by a warning") == 1


def test_a_quiet_program_shows_no_warnings_either_and_logs_errors(speaking, program):
    result = program("run", "--pipeline", "speaking", "--quiet")
    assert result.err == ""
    first, *rest = (speaking / "logs/tauro.log").read_text().splitlines()
    assert " | ERROR    | speaking | by an exception | run=" in first
    assert all(line.startswith("    ") for line in rest)


def test_parallel_nodes_log_under_their_own_names(project, tauro):
    count = 8
    folder = project(
        **{
            "config/base/pipelines.yaml": f"p: {{nodes: [{', '.join(f'n{i}' for i in range(count))}]}}\n",
            "config/base/nodes.yaml": "".join(f"n{i}: {{function: own.n{i}}}\n" for i in range(count)),
            "config/base/global_settings.yaml": f"max_parallel_nodes: {count}\n",
            "src/own.py": "import logging, time\n"
            + "".join(
                f"def n{i}():\n    for k in range(20):\n        logging.info('n{i}')\n        time.sleep(0.001)\n"
                for i in range(count)
            ),
        }
    )
    assert tauro("run", "--pipeline", "p", "--log-format=json").code == 0
    told = [item for item in objects(folder / "logs/tauro.log") if item["component"] == "root"]
    assert len(told) == 20 * count
    assert all(item["node"] == item["message"] for item in told)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package ``acme`` that is installed, not the project's."""
    folder = tmp_path / "environment/site-packages"
    (folder / "acme").mkdir(parents=True)
    (folder / "acme/__init__.py").write_text(
        "import logging\n\n\ndef f():\n"
        "    for level in (10, 20, 30, 40):\n        logging.getLogger('acme.core').log(level, 'acme %d', level)\n"
    )
    monkeypatch.syspath_prepend(folder)
    yield
    sys.modules.pop("acme", None)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_of_installed_libraries_only_warnings_and_errors_are_logged(one_node, tauro, level):
    folder = one_node("import acme\n\n\ndef n():\n    acme.f()\n")
    tauro("run", "--pipeline", "p", "--log-level", level)
    log = folder / "logs/tauro.log"
    found = re.findall(r"acme (\d+)", log.read_text())
    assert found == (["40"] if level == "ERROR" else ["30", "40"])


@pytest.mark.usefixtures("installed")
def test_a_package_that_is_installed_for_its_node_functions_is_the_project_s_own(project, tauro):
    folder = project(
        **{
            "config/base/pipelines.yaml": "p: {nodes: [n]}\n",
            "config/base/nodes.yaml": "n: {function: acme.f}\n",
        }
    )
    tauro("run", "--pipeline", "p")
    assert re.findall(r"acme (\d+)", (folder / "logs/tauro.log").read_text()) == ["20", "30", "40"]


@pytest.mark.parametrize(
    "code",
    [
        "logging.config.dictConfig({'version': 1})",
        "logging.config.dictConfig({'version': 1, 'root': {'handlers': [], 'level': 'ERROR'}})",
        "logging.basicConfig(force=True, level='ERROR')",
        "logging.shutdown()",
        "loguru.logger.remove()",
    ],
)
def test_code_that_sets_up_logging_of_its_own_takes_nothing_from_the_run_s_events(one_node, program, code):
    folder = one_node(f"import logging, logging.config, loguru\n\n\ndef n():\n    {code}\n")
    result = program("run", "--pipeline", "p")
    assert result.code == 0, result.err
    text = (folder / "logs/tauro.log").read_text()
    assert "tauro.run | completed in" in text
    assert "Run completed" in text


def test_code_that_removes_loguru_s_own_handler_finds_one_and_keeps_its_records(one_node, program):
    code = """
        from loguru import logger

        logger.remove(0)


        def n():
            logger.info("still here")
        """
    folder = one_node(code)
    assert program("run", "--pipeline", "p").code == 0
    assert (folder / "logs/tauro.log").read_text().count("still here") == 1


# -- options and settings -------------------------------------------------------------------------


def test_json_is_one_object_a_line_with_utc_times(speaking, tauro):
    tauro("run", "--pipeline", "speaking", "--log-file", "x.log", "--log-format", "JSON".lower())
    for item in objects(speaking / "x.log"):
        assert list(item)[:5] == ["time", "level", "component", "message", "run"]
        assert datetime.fromisoformat(item["time"]).utcoffset().total_seconds() == 0


def test_the_form_comes_from_the_environment_as_every_option_does(speaking, tauro, monkeypatch):
    monkeypatch.setenv("TAURO_RUN_LOG_FORMAT", "json")
    tauro("run", "--pipeline", "speaking")
    assert objects(speaking / "logs/tauro.log")


@pytest.mark.usefixtures("project")
def test_a_form_that_there_is_not_is_a_usage_error(tauro):
    result = tauro("run", "--pipeline", "memory", "--log-format", "xml")
    assert result.code == 3
    assert "'text', 'json'" in result.err


def test_records_on_the_console_have_the_form_too(speaking, program):
    result = program("config", "list-pipelines", "--verbose", "--log-format", "json")
    assert json.loads(result.err)["message"].startswith("Opened ")
    assert "speaking" in result.out
    assert not (speaking / "logs").exists()


def test_a_look_writes_the_file_that_is_named(speaking, tauro):
    tauro("config", "list-pipelines", "--log-file", "x.log", "--log-level", "debug", "--log-format", "json")
    (item,) = objects(speaking / "x.log")
    assert (item["level"], item["component"]) == ("DEBUG", "tauro.cli")


LEVELS_CODE = """
import logging

LOG = logging.getLogger("x")


def n():
    for level in (10, 20, 30, 40, 50):
        LOG.log(level, "at %d", level)
"""


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ("layer: x", (), ([20, 30, 40, 50], "text")),
        ("logging: {level: debug}", (), ([10, 20, 30, 40, 50], "text")),
        ("logging: {level: ERROR, format: json}", (), ([40, 50], "json")),
        ("logging: {level: critical}", (), ([50], "text")),
        ("logging: {level: ERROR, format: json}", ("--log-level", "WARNING"), ([30, 40, 50], "json")),
        ("logging: {level: DEBUG, format: json}", ("--quiet",), ([40, 50], "json")),
        (
            "logging: {level: ERROR, format: json}",
            ("--verbose", "--log-format", "text"),
            ([10, 20, 30, 40, 50], "text"),
        ),
        ("logging: {level: INFO}", ("--log-format", "json"), ([20, 30, 40, 50], "json")),
    ],
)
def test_the_settings_say_level_and_form_of_the_file_where_no_option_does(one_node, tauro, settings, options, expected):
    levels, form = expected
    folder = one_node(LEVELS_CODE, settings=settings)
    result = tauro("run", "--pipeline", "p", *options)
    assert result.code == 0
    text = (folder / "logs/tauro.log").read_text()
    assert [int(level) for level in re.findall(r"at (\d+)", text)] == levels
    assert all(line.startswith("{") == (form == "json") for line in text.splitlines())
    assert "not carried out" not in result.err


def test_the_settings_do_not_ask_for_records_on_the_console(one_node, tauro):
    one_node(LEVELS_CODE, settings="logging: {level: DEBUG, format: json}")
    assert tauro("run", "--pipeline", "p").err == ""
    assert "at 20" in tauro("run", "--pipeline", "p", "--log-level", "INFO").err


# -- a log that cannot be written -----------------------------------------------------------------


def test_a_log_that_cannot_be_written_is_told_once_and_fails_no_run(one_node, tauro, tmp_path):
    folder = one_node(LEVELS_CODE)
    (tmp_path / "elsewhere").mkdir()
    (folder / "logs").symlink_to(tmp_path / "elsewhere")
    result = tauro("run", "--pipeline", "p")
    assert result.code == 0
    assert result.err == "Warning: The log cannot be written: Path has a symbolic link 'logs': logs/tauro.log\n"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["../x.log", "/tmp/x.log", ".x.log", "link.log", ""])
def test_a_named_file_that_breaks_the_rules_is_refused_before_anything_runs(one_node, tauro, name):
    folder = one_node("def n():\n    open('ran', 'w').close()\n")
    (folder / "link.log").symlink_to("elsewhere")
    result = tauro("run", "--pipeline", "p", "--log-file", name)
    assert result.code == 6
    assert not (folder / "ran").exists()
    assert not (folder / "elsewhere").exists()


# -- secrets --------------------------------------------------------------------------------------

LEAKING = """
    import logging, warnings
    from concurrent.futures import ThreadPoolExecutor
    from loguru import logger

    SECRET = open("secret").read()
    LOG = logging.getLogger(f"x.{SECRET}")


    def threaded():
        LOG.info("thread %s", SECRET)


    def n():
        LOG.info("message %s", SECRET)
        LOG.info("context", extra={"given": SECRET, "listed": [SECRET], "password": "hunter2"})
        logger.bind(bound=SECRET).info("loguru {}", SECRET)
        logger.info("like password=hunter2")
        warnings.warn(SECRET)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(threaded).result()
        try:
            raise ValueError(SECRET)
        except ValueError:
            LOG.exception("traceback")
            logger.exception("traceback")
        raise RuntimeError(SECRET)
"""


@pytest.mark.parametrize("options", [("--verbose",), ("--verbose", "--log-format", "json"), (), ("--output", "json")])
def test_no_secret_reaches_a_log_or_the_console(one_node, program, options):
    secret = 'cr0wn"jewels'
    folder = one_node(LEAKING, settings="jdbc: ${VAULT_PASSWORD}\n")
    (folder / "secret").write_text(secret)
    result = program("run", "--pipeline", "p", *options, env={**os.environ, "VAULT_PASSWORD": secret})
    assert result.code == 4
    for told in ((folder / "logs/tauro.log").read_text(), result.err, result.out):
        assert "cr0wn" not in told
        assert "hunter2" not in told
    log = (folder / "logs/tauro.log").read_text()
    for text in ("message ***", "loguru ***", "thread ***", "UserWarning: ***", "ValueError: ***"):
        assert text in log


# -- hosts ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("warned")
def test_a_command_in_a_process_leaves_its_logging_as_it_was(speaking, tauro):
    before = state()
    for options in ((), ("--verbose",), ("--log-file", "x.log", "--log-format", "json")):
        assert tauro("run", "--pipeline", "speaking", *options).code == 0
        assert state() == before
    tauro("config", "validate", "--verbose")
    assert state() == before


def test_a_run_that_fails_leaves_it_so_too(project, tauro):
    project()
    before = state()
    assert tauro("run", "--pipeline", "broken", "--log-file", "x.log").code == 4
    assert tauro("run", "--pipeline", "broken", "--log-file", "../x.log").code == 6
    assert state() == before


@pytest.mark.usefixtures("warned")
def test_a_host_s_handlers_have_what_they_would_have_without_the_command(speaking, tauro):
    stream, gurus = StringIO(), []
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s"))
    logging.getLogger().addHandler(handler)
    number = loguru.logger.add(gurus.append, format="{message}", level="INFO")
    try:
        tauro("run", "--pipeline", "speaking", "--verbose")
        # The root logger's level is WARNING: nothing below it.
        assert stream.getvalue().split("\n")[0] == "ERROR speaking"
        assert "INFO" not in stream.getvalue()
        assert [str(text).strip() for text in gurus] == ["by loguru"]
        loguru.logger.info("afterwards")
        assert str(gurus[-1]).strip() == "afterwards"
    finally:
        logging.getLogger().removeHandler(handler)
        loguru.logger.remove(number)


@pytest.mark.usefixtures("warned")
def test_in_a_host_the_console_has_none_of_loguru_s_records_a_second_time(speaking, tauro):
    number = loguru.logger.add(lambda text: click.echo(text, err=True, nl=False), format="{message}")
    try:
        result = tauro("run", "--pipeline", "speaking", "--verbose")
    finally:
        loguru.logger.remove(number)
    assert len(re.findall(r"by loguru$", result.err, re.MULTILINE)) == 1
    assert "| by loguru |" not in result.err
    assert len(re.findall(r"\| by any logger \|", result.err)) == 1
    assert (speaking / "logs/tauro.log").read_text().count("| by loguru |") == 1


def test_caplog_works_after_a_run_in_its_process(one_node, tauro, caplog):
    one_node(LEVELS_CODE)
    tauro("run", "--pipeline", "p", "--quiet")
    caplog.clear()
    logging.getLogger("tauro.run").warning("from tauro")
    logging.getLogger("x").info("too low")
    with caplog.at_level("INFO"):
        logging.getLogger("x").info("as wished")
    assert caplog.messages == ["from tauro", "as wished"]


@pytest.mark.filterwarnings("default:by a warning:UserWarning")
def test_a_host_that_captures_warnings_has_them_in_the_log_once(speaking, tauro):
    logging.captureWarnings(True)
    try:
        tauro("run", "--pipeline", "speaking")
    finally:
        logging.captureWarnings(False)
    assert (speaking / "logs/tauro.log").read_text().count("UserWarning: by a warning") == 1


# -- programs -------------------------------------------------------------------------------------


def test_a_program_logs_its_runs_to_stderr_and_its_file(speaking, capsys, tmp_path):
    before = state()
    with start_logging("info", tmp_path / "deep/program.log") as log, Project.open(speaking, environ={}) as project:
        with pytest.warns(UserWarning, match="by a warning"):
            project.run("speaking", listeners=(log, LogListener()))
        logging.getLogger("program").warning("its own")
    assert state() == before
    told = (tmp_path / "deep/program.log").read_text()
    for text in SAID_ONCE:
        assert len(re.findall(rf"\| {text} \| run=run-", told)) == 1
    assert told.endswith("| program | its own\n")  # no run goes on any more
    err = capsys.readouterr().err
    assert "| by its name | run=run-" in err
    assert "| by loguru |" not in err


def test_a_run_hides_its_project_s_secrets_in_a_program_s_log(one_node, tmp_path, capsys, monkeypatch):
    folder = one_node(LEAKING, settings="jdbc: ${VAULT_PASSWORD}\n")
    (folder / "secret").write_text("crownjewels")
    monkeypatch.setenv("VAULT_PASSWORD", "crownjewels")
    with (
        start_logging(log_file=tmp_path / "x.log"),
        Project.open(folder) as project,
        warnings.catch_warnings(action="ignore"),
    ):
        assert project.run("p", listeners=(LogListener(),)).state == "failed"
    told = (tmp_path / "x.log").read_text()
    assert "thread ***" in told
    assert "crownjewels" not in told + capsys.readouterr().err


def test_a_program_that_sets_up_logging_again_tells_nothing_twice(capsys):
    first = start_logging()
    with start_logging(verbose=True):
        logging.getLogger("tauro.x").debug("once")
    assert capsys.readouterr().err.count("once") == 1
    first.close()


@pytest.mark.parametrize(
    ("arguments", "levels"),
    [
        ({}, [20, 30, 40]),
        ({"level": "Warning"}, [30, 40]),
        ({"level": "ERROR", "verbose": True}, [10, 20, 30, 40]),
        ({"quiet": True}, [40]),
    ],
)
def test_a_program_chooses_its_level(capsys, arguments, levels):
    with start_logging(**arguments):
        for level in (10, 20, 30, 40):
            logging.getLogger("tauro.x").log(level, "at %d", level)
    assert [int(level) for level in re.findall(r"at (\d+)", capsys.readouterr().err)] == levels


def test_a_level_that_there_is_not_is_told_with_the_nearest(tmp_path):
    before = state()
    with pytest.raises(UsageFault, match="There is no log level 'warn'") as caught:
        start_logging("warn")
    assert caught.value.details.nearest == ("WARNING",)
    (tmp_path / "link.log").symlink_to("x")
    with pytest.raises(UnsafePath):
        start_logging(log_file=tmp_path / "link.log")
    assert state() == before


def test_a_warning_of_ours_is_shown_without_the_line_that_gave_it(project, program):
    code = """
        import warnings
        from tauro.errors import TauroWarning

        def make():
            warnings.warn("It goes on", TauroWarning)
            return 42

        def take(value): pass
        """
    project(**{"src/steps.py": code})
    assert program("run", "--pipeline", "memory").err == "Warning: It goes on\n"
