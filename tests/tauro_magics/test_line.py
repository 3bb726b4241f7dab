"""``%tauro`` takes what the shell takes, and a cell gets a value or fails in a few lines."""

import pytest

from tauro.errors import UsageFault
from tauro.exec.results import RunResult
from tauro_magics.line import parse


def test_without_anything_it_is_the_help(notebook):
    assert "run " in notebook("%tauro").out
    assert notebook("%tauro").out.startswith("Usage: %tauro")


def test_a_run_is_a_result_with_its_tables_and_the_next_cell_has_it(notebook, project):
    run = notebook("%tauro run --pipeline sums").value
    assert isinstance(run, RunResult)
    assert run.state == "completed"
    assert notebook("_.run_id").value == run.run_id
    assert notebook("_ is not None").value


def test_a_value_goes_to_a_variable_and_is_not_shown(notebook, project):
    cell = notebook("%tauro run --pipeline sums >> done")
    assert (cell.value, cell.error) == (None, None)
    assert notebook("done.state").value == "completed"


def test_the_name_may_follow_without_a_blank():
    assert parse("run --pipeline sums >>done", {}) == (["run", "--pipeline", "sums"], "done")


def test_parts_of_variables_are_filled_in_but_no_private_ones():
    variables = {"found": ValueError("abc"), "number": 1}
    assert parse("{found.args} {found.__class__} {nope.x}", variables).words == [
        "('abc',)",
        "{found.__class__}",
        "{nope.x}",
    ]
    with pytest.raises(UsageFault, match="no attribute 'nope'"):
        parse("--run {number.nope}", variables)


def test_a_failed_run_is_in_its_variable_too(notebook, project):
    assert notebook("%tauro run --pipeline broken >> done").error is not None
    assert notebook("done.state").value == "failed"


def test_a_failed_run_fails_its_cell_in_at_most_eight_lines_without_traceback_and_secrets(notebook, project):
    cell = notebook("%tauro run --pipeline broken")
    assert cell.value is None
    assert len(cell.shown) <= 8
    shown = "\n".join(cell.shown)
    assert "Node 'fail' failed: RuntimeError: no luck" in shown
    assert "src/nodes.py:13:5" in shown
    assert "Resume with: %tauro run --resume run-" in shown
    assert "Traceback" not in shown + cell.err
    assert "hunter2" not in shown + cell.err + str(cell.error)


def test_with_verbose_the_traceback_is_there(notebook, project):
    cell = notebook("%tauro run --pipeline broken --verbose")
    assert "Traceback (most recent call last)" in "\n".join(cell.shown)


def test_a_report_of_many_faults_is_cut_and_says_so(notebook, project):
    settings = "{" + ", ".join(f'"p{number}": {{"nodes": ["nope{number}"]}}' for number in range(20)) + "}"
    (project / "config/base/pipelines.json").write_text(settings, encoding="utf-8")
    shown = notebook("%tauro config validate").shown
    assert len(shown) <= 8
    assert "more lines with --verbose" in "\n".join(shown)
    assert len(notebook("%tauro config validate --verbose").shown) > 20


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("run --pipelin sums", "There is no option '--pipelin'"),
        ("rnu", "There is no command 'rnu'"),
        ("run --pipeline 'sums", "No closing quotation"),
        ("run --pipeline sums >> 3x", "'3x' is no name of a variable"),
        ("run --pipeline sums >>", "'' is no name of a variable"),
        ("run", "Missing option '--pipeline'"),
        ("run --pipeline nope", "Pipeline 'nope' not found"),
        ("run --pipeline sums --start-date soon", "soon"),
        ("run --resume run-1", "There is no run 'run-1'"),
    ],
)
def test_what_is_wrong_with_a_line_fails_the_cell_and_says_what_to_do(notebook, project, line, says):
    shown = "\n".join(notebook(f"%tauro {line}").shown)
    assert shown.startswith("Error: ")
    assert says in shown
    assert "Hint: " in shown


def test_a_fault_of_our_own_fails_the_cell_without_a_traceback(notebook, project, monkeypatch):
    monkeypatch.setattr("tauro.project.Project.plan", lambda *_args, **_more: 1 // 0)
    shown = notebook("%tauro run --pipeline sums").shown
    assert shown[0] == "Error: GENERAL_ERROR: ZeroDivisionError: integer division or modulo by zero"
    assert "Traceback" not in "\n".join(shown)
    assert "Traceback" in "\n".join(notebook("%tauro run --pipeline sums --verbose").shown)


def test_a_command_that_ends_without_success_shows_what_it_found_and_fails(notebook, project):
    cell = notebook("%tauro orchestrate health")
    assert "unhealthy" in cell.out
    assert "No scheduler serves this store" in cell.shown[0]


def test_json_is_printed_as_the_shell_prints_it(notebook, project):
    assert '"pipelines": [' in notebook("%tauro config list-pipelines --output json").out


def test_quotes_and_braces_of_json_are_left_alone_and_names_of_variables_are_filled_in():
    line = parse("""run --hyperparams '{"rate": 0.01}' --pipeline {which} --node {other}""", {"which": "sums"})
    assert line.words == ["run", "--hyperparams", '{"rate": 0.01}', "--pipeline", "sums", "--node", "{other}"]
    assert parse("run >> result", {}) == (["run"], "result")
    with pytest.raises(UsageFault):
        parse('run "', {})


def test_a_run_is_resumed_when_its_cause_is_mended(notebook, project):
    notebook("%tauro run --pipeline broken >> done")
    code = project / "src/nodes.py"
    code.write_text(code.read_text().replace('raise RuntimeError("no luck: password=hunter2")', "return loaded"))
    resumed = notebook("done.resume()").value
    assert resumed.state == "completed"
    assert resumed.resumes == notebook("done.run_id").value
    assert [node.node for node in resumed.nodes] == ["fail", "after"]


def test_edited_code_is_what_the_next_run_executes_however_quick_the_edit_was(notebook, project):
    assert notebook("%tauro run --pipeline memory").error is None
    code = project / "src/nodes.py"
    code.write_text(code.read_text().replace("return [1, 2, 3]", "return [1, 2, 4]"))
    assert "AssertionError" in "\n".join(notebook("%tauro run --pipeline memory").shown)
    code.write_text(code.read_text().replace("return [1, 2, 4]", "return [1, 2, 3]"))
    assert notebook("%tauro run --pipeline memory").error is None


def test_a_table_that_is_not_there_fails_in_few_lines(notebook, project):
    notebook("%tauro run --pipeline sums >> done")
    shown = notebook("done['gold.sums.totals']").shown
    assert "Nearest: gold.sums.total" in "\n".join(shown)
    assert len(shown) <= 8


def test_a_secret_of_the_settings_is_in_no_error(notebook, project, monkeypatch):
    settings = '{"start_date": "2025-01-01", "db_password": "correct-horse"}'
    (project / "config/base/global_settings.json").write_text(settings, encoding="utf-8")

    def fail(*_args, **_more):
        raise RuntimeError("correct-horse is no password")

    monkeypatch.setattr("tauro.project.Project.plan", fail)
    cell = notebook("%tauro run --pipeline sums --verbose")
    assert "is no password" in str(cell.error)
    assert "correct-horse" not in str(cell.error) + cell.error.text
