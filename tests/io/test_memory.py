"""Values that are handed on in memory live as long as somebody still reads them."""

import gc
import weakref

import polars as pl
import pytest

from tauro.errors import DatasetNotFound
from tauro.io.catalog import Catalog, MemoryDatasets


class Value:
    """Something large that is no frame."""


def no_session():
    raise AssertionError("a Spark session was opened")


def catalog(**readers):
    return Catalog({}, {}, MemoryDatasets(readers), no_session, None, None)


def test_a_value_need_not_be_a_frame_and_is_handed_on_itself():
    model = Value()
    datasets = catalog(model=1)
    assert datasets.write("model", model).rows is None
    assert datasets.read("model", "spark").value is model


def test_a_frame_is_handed_on_in_the_kind_that_the_reader_wants():
    datasets = catalog(frame=2)
    assert datasets.write("frame", pl.DataFrame({"id": [1, 2]})).rows == 2
    read = datasets.read("frame", "pandas.DataFrame")
    assert (read.value.to_dict("list"), read.rows) == ({"id": [1, 2]}, 2)


def test_a_value_is_forgotten_with_its_last_reader():
    datasets = catalog(model=2)
    datasets.write("model", Value())
    first = weakref.ref(datasets.read("model", "spark").value)
    datasets.memory.release(["model"])
    gc.collect()
    assert first() is not None
    datasets.memory.release(["model"])
    gc.collect()
    assert first() is None


def test_a_reader_that_is_tried_again_finds_the_value_again():
    datasets = catalog(model=1)
    datasets.write("model", Value())
    assert datasets.read("model", "spark").value is datasets.read("model", "spark").value


def test_a_value_made_after_its_readers_have_gone_is_not_kept():
    datasets = catalog(model=1)
    datasets.memory.release(["model"])
    datasets.write("model", Value())
    with pytest.raises(DatasetNotFound):
        datasets.read("model", "spark")


def test_a_value_that_nobody_reads_is_not_kept():
    datasets = catalog()
    value = Value()
    kept = weakref.ref(value)
    datasets.write("model", value)
    del value
    gc.collect()
    assert kept() is None


def test_a_value_that_nobody_has_made_is_an_error():
    with pytest.raises(DatasetNotFound, match="'model' is in memory only, and nobody has made it in this run"):
        catalog(model=1).read("model", "spark")


def test_the_originals_name_with_slashes_is_the_same_dataset():
    datasets = catalog(**{"a.b.c": 1})
    datasets.write("a/b/c", 1)
    assert datasets.read("a.b.c", "spark").value == 1
