"""A write that fails leaves what was there, and nothing else behind."""

import os
import signal
import subprocess
import sys
import threading

import polars as pl
import pytest
from pyspark.sql import functions as F  # noqa: N812 - the name all Spark code uses

from tauro.io.staging import adding, recover, replacing

FORMATS = ("csv", "json", "parquet", "delta")
OLD = pl.DataFrame({"id": [1, 2]})


@pytest.fixture
def failing(session):
    """Return a frame whose last row cannot be computed, after many that can."""
    last = 50_000
    broken = F.when(F.col("id") < last - 1, F.col("id")).otherwise(F.raise_error(F.lit("the last row")))
    return session.range(0, last, 1, 4).select(broken.alias("id"))


def everything_beside(table):
    return sorted(path.name for path in table.path.parent.iterdir())


@pytest.mark.parametrize("mode", ["overwrite", "append"])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_write_that_fails_half_way_leaves_the_earlier_rows(store, failing, format_, mode):
    table = store(format_, write_mode=mode, schema="id BIGINT")
    table.write(OLD)
    with pytest.raises(Exception, match="the last row"):
        table.write(failing)
    assert sorted(table.read()["id"]) == [1, 2]
    assert table.rows() == 2
    assert everything_beside(table) == ["t"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_first_write_that_fails_leaves_no_data(store, failing, format_):
    table = store(format_)
    with pytest.raises(Exception, match="the last row"):
        table.write(failing)
    assert not table.dataset.exists


@pytest.mark.parametrize("mode", ["overwrite", "append"])
@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_write_that_goes_well_leaves_nothing_beside_the_table(store, format_, mode):
    table = store(format_, write_mode=mode)
    table.write(OLD)
    table.write(OLD)
    assert everything_beside(table) == ["t"]


@pytest.mark.parametrize("format_", FORMATS)
def test_appends_at_the_same_time_all_arrive(store, format_):
    table = store(format_, write_mode="append", schema="id BIGINT")
    threads = [threading.Thread(target=table.write, args=(pl.DataFrame({"id": [n]}),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(table.read()["id"]) == list(range(8))


# -- the two ways, with plain files -------------------------------------------------------------


@pytest.fixture
def target(tmp_path):
    target = tmp_path / "lake" / "t"
    target.mkdir(parents=True)
    (target / "old").write_text("old")
    return target


@pytest.mark.parametrize("way", [replacing, adding])
def test_readers_see_the_old_files_until_the_block_ends(target, way):
    with way(target) as staged:
        staged.mkdir()
        (staged / "new").write_text("new")
        assert [path.name for path in target.iterdir()] == ["old"]
        assert staged.parent == target.parent, "a rename is only whole within one file system"
        assert staged.name.startswith("."), "readers of the parent folder pass over it"
    assert any(path.read_text() == "new" for path in target.iterdir())


@pytest.mark.parametrize("way", [replacing, adding])
def test_an_error_in_the_block_leaves_the_old_files_and_nothing_else(target, way):
    def interrupted():
        with way(target) as staged:
            staged.mkdir()
            (staged / "new").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in target.parent.iterdir()] == ["t"]


def test_when_the_new_folder_cannot_take_its_place_the_old_one_comes_back(target, monkeypatch):
    rename = os.rename

    def refusing(self, to):
        if self.name.endswith(".staging"):
            raise OSError("refused")
        rename(self, to)

    monkeypatch.setattr("pathlib.Path.rename", refusing)
    with pytest.raises(OSError, match="refused"), replacing(target) as staged:
        staged.mkdir()
    assert (target / "old").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["t"]


def test_what_is_hidden_in_a_write_is_not_added_under_a_name_that_is_seen(target):
    with adding(target) as folder:
        folder.mkdir()
        for name in ("part-0.csv", ".part-0.csv.crc", "_SUCCESS"):
            (folder / name).write_text("new")
    added = [file.name for file in target.rglob("*") if file.read_text() == "new"]
    assert [name.partition("-")[2] for name in added] == ["part-0.csv"]


def test_added_files_never_take_the_name_of_one_that_is_there(target):
    for _ in range(2):
        with adding(target) as staged:
            (staged / "d=1").mkdir(parents=True)
            (staged / "d=1" / "old").write_text("new")
            (staged / "_SUCCESS").touch()
    assert (target / "old").read_text() == "old"
    assert len(list((target / "d=1").iterdir())) == 2
    assert not (target / "_SUCCESS").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from tauro.io import staging

rename = Path.rename


def rename_and_die(self, target):
    done = rename(self, target)
    if str(target).endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return done


Path.rename = rename_and_die
with staging.replacing(Path(sys.argv[1])) as folder:
    folder.mkdir()
    (folder / "new.csv").write_text("a\\n2\\n")
"""


def killed_while_replacing(target, after):
    command = [sys.executable, "-c", KILLED, str(target), after]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(("after", "kept"), [(".old", "old.csv"), ("table", "new.csv")])
def test_a_kill_at_either_rename_loses_nothing_and_the_next_write_leaves_nothing_behind(tmp_path, after, kept):
    target = tmp_path / "table"
    target.mkdir()
    (target / "old.csv").write_text("a\n1\n")
    killed_while_replacing(target, after)
    recover(target)
    assert [path.name for path in target.iterdir()] == [kept]
    with replacing(target) as folder:
        folder.mkdir()
        (folder / "last.csv").write_text("a\n3\n")
    assert [path.name for path in tmp_path.iterdir()] == ["table"]
    assert [path.name for path in target.iterdir()] == ["last.csv"]


def test_what_another_process_has_put_aside_is_left_alone_while_it_lives(tmp_path):
    target = tmp_path / "table"
    target.mkdir()
    with replacing(target) as folder:
        ours = folder.with_name(folder.name + ".old")
        target.rename(ours)  # as another thread of this process does in the middle of its write
        recover(target)
        assert ours.is_dir()
        assert not target.exists()
        folder.mkdir()


def test_what_another_machine_has_put_aside_is_left_alone(tmp_path):
    aside = tmp_path / ".table.elsewhere-999999999-00000000.staging.old"
    aside.mkdir()
    recover(tmp_path / "table")
    assert aside.is_dir()
