"""``%%tauro_config``: the cell's settings lie over the project's, are validated at once, and can be saved."""

import json

import pytest


def test_a_cells_settings_take_effect_in_the_next_run(notebook, project):
    done = notebook("%%tauro_config pipelines\nsums: {nodes: [load]}")
    assert done.error is None, done.out
    assert "sums.nodes = [load]" in str(done.value)
    run = notebook("%tauro run --pipeline sums").value
    assert [node.node for node in run.nodes] == ["load"]
    assert '"total"' in (project / "config/base/pipelines.json").read_text()


def test_a_cell_that_is_executed_again_replaces_what_it_said(notebook, project):
    notebook("%%tauro_config global_settings\na: 1\nb: {c: 1}")
    notebook("%%tauro_config global_settings\nb: {d: 2}")
    shown = notebook("%tauro config show --section global_settings").value["sections"]["global_settings"]
    assert (shown["a"], shown["b"]) == (1, {"d": 2})


def test_settings_for_one_environment_leave_the_others_alone(notebook, project):
    assert notebook("%%tauro_config global_settings --env dev\nonly: here").error is None
    assert "only" in str(notebook("%tauro config show --env dev").value)
    assert "only" not in str(notebook("%tauro config show --env base").value)


@pytest.mark.parametrize(
    ("cell", "says", "place"),
    [
        ("%%tauro_config nodes\nload:\n  functon: x", "functon", "In[1]:3:3"),
        ("%%tauro_config nodes\nload: {a: [}", "", "In[1]:2:"),
        ("%%tauro_config pipelines\nsums:\n  nodes: [load, nope]", "nope", "In[1]:3:"),
        ("%%tauro_config\npipelnes: {}", "'pipelnes' is no section", "In[1]:2:1"),
        ('%%tauro_config nodes --format json\n{"load": {"functon": 1}}', "functon", "In[1]:2:11"),
        ("%%tauro_config nodes --format dsl\n[load]\nfuncton = x", "functon", "In[1]:3:1"),
    ],
)
def test_what_is_wrong_points_into_the_cell_and_changes_nothing(notebook, project, cell, says, place):
    notebook.shell.execution_count = 1
    failed = notebook(cell)
    assert failed.error is not None
    assert says in failed.error.text
    assert place in failed.error.text
    assert len(failed.shown) <= 8
    assert notebook("%tauro run --pipeline sums").error is None


def test_faults_that_were_there_before_do_not_stop_a_cell(notebook, project):
    pipelines = project / "config/base/pipelines.json"
    pipelines.write_text(json.dumps({**json.loads(pipelines.read_text()), "bad": {"nodes": ["nope"]}}))
    assert notebook("%%tauro_config global_settings\nfine: true").error is None


@pytest.mark.parametrize("cell", ["%%tauro_config global_settings", "%%tauro_config global_settings\n\n"])
def test_without_a_body_it_shows_the_section_and_where_each_value_is_written(notebook, project, cell):
    notebook("%%tauro_config global_settings\nmine: 1")
    shown = notebook(cell).value
    assert "start_date" in str(shown)
    assert "config/base/global_settings.json:1:" in str(shown)
    assert "In[" in str(shown)


def test_what_was_laid_over_the_files_is_forgotten_on_demand(notebook, project):
    notebook("%%tauro_config global_settings\nmine: 1")
    assert "mine" not in str(notebook("%tauro_config global_settings --forget").value)


def test_saving_keeps_the_files_comments_and_the_cell_lies_over_it_no_more(notebook, project):
    file = project / "config/base/global_settings.yaml"
    (project / "config/base/global_settings.json").unlink()
    file.write_text("# Ours\nstart_date: 2025-01-01  # the first\nend_date: 2025-01-31\n")
    done = notebook("%%tauro_config global_settings --save\nstart_date: 2025-01-15\nmine: [1, 2]")
    assert done.error is None, done.out
    assert file.read_text() == ('# Ours\nstart_date: "2025-01-15"  # the first\nend_date: 2025-01-31\nmine: [1, 2]\n')
    assert notebook.shell.magics_manager.registry["TauroMagics"].session.overlays == ()


def test_saving_for_an_environment_makes_its_file(notebook, project):
    done = notebook("%%tauro_config --env dev --save\nglobal_settings: {mine: dev}")
    assert done.error is None, done.out
    assert (project / "config/dev/global_settings.yaml").read_text() == "mine: dev\n"
    assert "config/dev/global_settings.yaml:1:" in str(notebook("%tauro config show --env dev --origin").value)


def test_a_cell_with_a_fault_is_not_saved(notebook, project):
    before = (project / "config/base/pipelines.json").read_text()
    assert notebook("%%tauro_config pipelines --save\nsums: {nodes: [nope]}").error is not None
    assert (project / "config/base/pipelines.json").read_text() == before


def test_secrets_of_a_cell_are_not_shown(notebook, project):
    shown = notebook("%%tauro_config global_settings\ndb_password: correct-horse")
    assert "correct-horse" not in str(shown.value) + json.dumps(shown.value.data)
