"""What a kernel keeps between its cells, and what it lets go of."""

import sys

import pytest

from tauro.errors import TauroError
from tauro_magics.session import Session
from tauro_magics.tree import tree


@pytest.fixture
def session():
    session = Session()
    yield session
    session.close()


def test_projects_of_all_environments_compute_on_one_engine(session, project):
    engine = session.project().engine
    assert session.project("dev").engine is engine
    (project / "config/base/global_settings.json").write_text('{"spark_config": {"spark.sql.ansi.enabled": true}}')
    assert session.project().engine is not engine


def test_files_are_read_anew_each_time(session, project):
    assert "sums" in session.project().pipelines
    (project / "config/base/pipelines.json").write_text('{"other": {"nodes": ["make"]}}')
    assert list(session.project().pipelines) == ["other"]


def test_a_project_with_faulty_values_is_told_with_all_of_them(session, project):
    (project / "config/base/global_settings.json").write_text('{"max_parallel_nodes": "x", "mode": 3}')
    with pytest.raises(TauroError) as told:
        session.project()
    assert len(told.value.faults) == 2


def test_closing_removes_what_was_kept_on_disk(session):
    folder = session.scratch
    assert folder.is_dir()
    session.close()
    assert not folder.exists()


def test_the_table_of_commands_says_what_the_commands_say(notebook):
    for name, (module, summary) in tree.table.items():
        if module.startswith("tauro_magics"):
            assert tree.get_command(None, name).get_short_help_str(limit=200) == summary


def test_unloading_forgets_the_modules_of_cells(notebook, project):
    notebook("%%tauro_node make\ndef make():\n    return []")
    assert any(name.startswith("tauro_cell_") for name in sys.modules)
    notebook.shell.extension_manager.unload_extension("tauro_magics")
    assert not any(name.startswith("tauro_cell_") for name in sys.modules)
