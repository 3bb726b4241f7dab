"""Pickles: read only where the settings allow it, by the rules for paths, whatever value they hold."""

import os
import pickle

import pandas as pd
import polars as pl
import pytest

from tauro.errors import DatasetNotFound, NodeError, SecurityError, UnsafePath
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.stored import stored_dataset


class Trap:
    """Executes something while it is read."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.mkdir, (str(self.file),))


@pytest.fixture
def read(open_config, put, engine, tmp_path):
    """Write a pickle and read it."""

    def read_(value, kind="polars.DataFrame", *, filepath="data/x.pkl", raw=None, **settings):
        settings = {"format": "pickle", "filepath": filepath, "allow_untrusted_pickle": True, **settings}
        if raw is not False:
            put("data/x.pkl", pickle.dumps(value) if raw is None else raw)
        config = open_config(input={"i": settings})
        stored = stored_dataset(config, config.dataset("i"))
        catalog = Catalog({"i": stored}, {}, MemoryDatasets({}), engine.session, config.window, tmp_path / "spool")
        return catalog.read("i", kind)

    return read_


@pytest.mark.parametrize("frame", [pl.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]})], ids=["polars", "pandas"])
def test_a_pickled_frame_is_read_as_the_kind_that_is_asked_for(read, frame):
    found = read(frame)
    assert (found.value.rows(), found.rows) == ([(1,), (2,)], 2)
    assert sorted(row.a for row in read(frame, "spark").value.collect()) == [1, 2]


def test_any_other_value_is_handed_on_as_it_is(read):
    assert read({"weights": [1.5, 2.5]}).value == {"weights": [1.5, 2.5]}


def test_without_leave_nothing_of_a_pickle_is_executed(read, tmp_path):
    with pytest.raises(SecurityError, match="to read one executes what stands in it"):
        read(Trap(tmp_path / "made"), allow_untrusted_pickle=False)
    assert not (tmp_path / "made").exists()


def test_with_leave_a_pickle_executes_what_stands_in_it(read, tmp_path):
    read(Trap(tmp_path / "made"))
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize("raw", [b"", b"no pickle", pickle.dumps(pl.DataFrame({"a": [1]}))[:-9], b"cnowhere\nX\n."])
def test_what_is_no_pickle_is_told(read, raw):
    with pytest.raises(NodeError, match="'i' cannot be unpickled"):
        read(None, raw=raw)


def test_a_pickle_that_is_not_there_is_no_data(read):
    with pytest.raises(DatasetNotFound, match="'i' has no data"):
        read(None, filepath="nowhere.pkl")


def test_a_pickle_behind_a_link_is_refused(read, root, tmp_path):
    (tmp_path / "other.pkl").write_bytes(pickle.dumps(1))
    (root / "link.pkl").symlink_to(tmp_path / "other.pkl")
    with pytest.raises(UnsafePath, match="symbolic link"):
        read(None, filepath="link.pkl", raw=False)


def test_a_pickle_that_everybody_may_write_is_refused(read, root, put):
    put("open.pkl", pickle.dumps(1)).chmod(0o666)
    with pytest.raises(UnsafePath, match="writable for everybody"):
        read(None, filepath="open.pkl", raw=False)


def test_a_pickle_outside_of_the_project_is_refused(read, tmp_path):
    (tmp_path / "other.pkl").write_bytes(pickle.dumps(1))
    with pytest.raises(UnsafePath, match="not relative"):
        read(None, filepath=str(tmp_path / "other.pkl"), raw=False)
