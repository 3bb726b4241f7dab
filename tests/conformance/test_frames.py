"""On the embedded engine each kind of frame is written and read to the same table, and refused for the same reason."""

import os

import pandas as pd
import polars as pl
import pytest
from suite.cases import CASES, folder_of
from suite.columns import PANDAS
from suite.comparing import differences, surprises
from suite.differences import listed
from suite.playing import Player, catalog, told

from tauro.io.frames import KINDS, convert, to_spark

LONG = bool(os.environ.get("TAURO_LONG_TESTS"))
# The others are made into those of Polars at the door: each plays every third case.
OTHERS = [
    (kind, name)
    for number, kind in enumerate(KINDS[1:])
    for index, name in enumerate(CASES)
    if LONG or CASES[name].wide or index % 3 == number
]


@pytest.mark.parametrize("name", CASES)
def test_a_case_comes_to_what_it_says(embedded, name):
    """What all do alike could still be wrong."""
    assert surprises(CASES[name], embedded(name)) == []


@pytest.mark.parametrize(("kind", "name"), [*((KINDS[0], name) for name in CASES), *OTHERS])
def test_a_kind_of_frame_comes_to_the_same_as_sparks_own(embedded, kind, name):
    assert surprises(CASES[name], embedded(name, kind)) == []
    assert differences(CASES[name], embedded(name), embedded(name, kind)) == listed(name, kind)


@pytest.mark.parametrize("column", PANDAS)
def test_every_type_of_pandas_is_stored_alike_and_its_index_is_not(engine, tmp_path, column):
    frame = pd.DataFrame({"v": PANDAS[column]}).set_index(pd.Index([7, 8], name="k"))
    found = []
    for number, value in enumerate((to_spark(frame, engine.session()), frame)):
        settings = {"t": {"format": "delta", "filepath": f"data/{number}"}}
        rows = catalog(tmp_path, "output", settings, Player("local", engine)).write("t", value).rows
        found.append((rows, told(tmp_path / f"data/{number}", "delta")))
    assert found[0] == found[1]


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_frames_of_all_kinds_are_added_to_one_table(engine, tmp_path, format_):
    settings = {"t": {"format": format_, "filepath": "t", "write_mode": "append", "schema": "id BIGINT, v STRING"}}
    store = catalog(tmp_path, "output", settings, Player("local", engine))
    for number, kind in enumerate(("spark", *KINDS, "spark")):
        frame = pl.DataFrame({"id": [number], "v": ["é"]})
        store.write("t", convert(frame, kind, engine.session))
    assert sorted(store.read("t", "polars.DataFrame").value.rows()) == [(number, "é") for number in range(6)]


def test_each_case_has_a_folder_of_its_own():
    assert len({folder_of(name) for name in CASES}) == len(CASES)
