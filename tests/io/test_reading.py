"""What is found and counted when data is read, and what is not there."""

import gzip

import pytest

from tauro.errors import DatasetNotFound, Unsupported, ValidationError
from tauro.io.stored import open_dataset, stored_dataset

CSV = "id,name\n1,a\n2,b\n"


@pytest.fixture
def source(store):
    """Return an input dataset below ``in``."""

    def make(format_="csv", path="in", **settings):
        return store(format_, section="input", filepath=path, **settings)

    return make


# -- missing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_data_that_is_not_there_is_an_error_that_names_the_place(source, format_):
    missing = source(format_)
    with pytest.raises(DatasetNotFound, match="Dataset 't' has no data") as caught:
        missing.read()
    assert caught.value.details.looked_up == ("in",)
    assert not missing.dataset.exists


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_a_folder_without_data_files_holds_no_data(source, put, format_):
    """Engines would return an empty frame."""
    put("in/_SUCCESS", "")
    put("in/.hidden.csv", CSV)
    put("in/_temporary/part-0.csv", CSV)
    with pytest.raises(DatasetNotFound):
        source(format_).read()


def test_a_folder_of_parquet_files_is_no_delta_table(store, source):
    store("parquet", filepath="in").write(_polars(id=[1]))
    with pytest.raises(DatasetNotFound):
        source("delta").read()


@pytest.mark.parametrize("pattern", ["in/*.csv", "in/?.csv", "in/[xy].csv", "in/{a,b}.csv", "none/**/*.csv"])
def test_a_pattern_that_matches_nothing_finds_no_data(source, put, pattern):
    put("in/long.txt", CSV)
    with pytest.raises(DatasetNotFound):
        source(path=pattern).read()


def test_a_dataset_that_no_section_names_is_an_error_with_the_nearest_name(open_config):
    config = open_config(input={"flights_csv": {"format": "csv", "filepath": "in"}})
    with pytest.raises(DatasetNotFound, match="'flight_csv' is in no input or output section") as caught:
        open_dataset(config, "flight_csv")
    assert caught.value.hint == "Did you mean 'flights_csv'?"


# -- patterns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in/*.csv", "a b1 b2 c"),
        ("in/b?.csv", "b1 b2"),
        ("in/[ac].csv", "a c"),
        ("in/[^ac]*.csv", "b1 b2"),
        ("in/{a,b*}.csv", "a b1 b2"),
        ("in/deep/*/*.csv", "d e"),
        ("in/*/x/*.csv", "d"),
        ("in/**/*.csv", "a b1 b2 c d e"),
        ("in/*", "a b1 b2 c d e"),
        ("in", "a b1 b2 c d e"),
    ],
)
def test_a_pattern_reads_and_counts_the_files_that_it_matches(source, put, pattern, names):
    for place in ("a", "b1", "b2", "c", "deep/x/d", "deep/y/e"):
        name = place.rpartition("/")[2]
        put(f"in/{place}.csv", f"name\n{name}\n{name}\n")
    found = source(path=pattern)
    wanted = sorted(names.split() * 2)
    assert sorted(found.read()["name"]) == wanted
    assert found.rows() == len(wanted)


def test_a_pattern_does_not_match_in_the_name_of_a_folder_that_is_only_similar(source, put):
    put("in1/a.csv", CSV)
    with pytest.raises(DatasetNotFound):
        source(path="in/*.csv").read()


# -- how many rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id,name\n1,a\n2,b\n", 2),
        ("id,name\n1,a\n2,b", 2),
        ("id,name\r\n1,a\r\n2,b\r\n", 2),
        ("\nid,name\n\n1,a\n\n\n2,b\n\n", 2),
        ("id,name\r\n\r\n1,a\r\n2,b", 2),
        ('id,name\n1,"a, b"\n2,"say ""hello"""\n', 2),
        ("id,name\n", 0),
        ("id,name", 0),
    ],
    ids=["lines", "no final break", "crlf", "blank lines", "blank crlf", "quotes", "header", "header without break"],
)
def test_the_lines_of_a_csv_file_are_its_rows(source, put, text, rows):
    put("in/a.csv", text)
    found = source()
    assert found.rows() == rows
    assert found.read().height == rows


def test_every_csv_file_has_its_own_header(source, put):
    put("in/a.csv", CSV)
    put("in/b.csv", CSV)
    put("in/c.csv", "id,name\n")
    assert source().rows() == source().read().height == 4


@pytest.mark.parametrize("options", [{"header": False}, {"header": "false"}, {"Header": "FALSE"}])
def test_without_header_every_line_is_a_row(source, put, options):
    put("in/a.csv", CSV)
    found = source(options=options)
    assert found.rows() == found.read().height == 3


@pytest.mark.parametrize(
    "text",
    ['id,name\n1,"two\nlines"\n', "id,name\r1,a\r", 'id,name\n1,"a\rb"\n'],
    ids=["line break in quotes", "cr only", "cr in quotes"],
)
def test_a_count_that_lines_do_not_tell_is_not_told(source, put, text):
    put("in/a.csv", text)
    assert source().rows() is None
    assert source().read().height == 1


@pytest.mark.parametrize("options", [{"multiLine": True}, {"comment": "#"}])
def test_options_that_make_lines_and_rows_differ_leave_the_count_open(source, put, options):
    put("in/a.csv", CSV)
    assert source(options=options).rows() is None


def test_packed_files_are_read_but_not_counted(source, put):
    put("in/a.csv.gz", gzip.compress(CSV.encode()))
    assert source().rows() is None
    assert source().read().rows() == [("1", "a"), ("2", "b")]


def test_each_object_of_a_json_file_is_a_row(source, put):
    put("in/a.json", '{"id": 1, "name": "a \\" b"}\n\n{"id": 2, "name": "\\n"}')
    found = source("json")
    assert found.rows() == 2
    assert found.read().sort("id").rows(named=True) == [{"id": 1, "name": 'a " b'}, {"id": 2, "name": "\n"}]


def test_a_long_file_is_counted_across_the_borders_of_what_is_read_at_once(source, put):
    """Two MiB and more: a line break may be the last letter of a piece, or the first of the next."""
    line = "x" * 1022
    put("in/a.csv", "name\n" + (line + "\n") * 3000)
    put("in/b.csv", "name\n" + (line + "y\n") * 3000 + "\n")
    assert source().rows() == 6000


@pytest.mark.parametrize(("format_", "line"), [("csv", "1,a\n"), ("json", '{"id": 1}\n')])
def test_much_text_is_not_read_only_to_be_counted(source, put, monkeypatch, format_, line):
    file = put(f"in/a.{format_}", line * 10)
    rows = source(format_, options={"header": False} if format_ == "csv" else {}).rows
    assert rows() == 10
    monkeypatch.setattr("tauro.io.files.COUNTED_BYTES", file.stat().st_size - 1)
    assert rows() is None


def test_the_value_of_a_partition_is_in_the_folders_name(source, put):
    put("in/year=2024/a.csv", CSV)
    put("in/_month=1/b.csv", CSV)
    years = source(path="in/year=*")
    assert years.rows() == 2
    assert source(path="in").rows() == 4


# -- schema and options -------------------------------------------------------------------------


def test_the_schema_gives_a_csv_file_its_types(source, put):
    put("in/a.csv", CSV)
    assert source(schema="id INT, name STRING").read().rows() == [(1, "a"), (2, "b")]


def test_options_reach_the_reader(source, put):
    put("in/a.csv", "id;name\n1;'a;b'\n")
    assert source(options={"sep": ";", "quote": "'"}).read().rows() == [("1", "a;b")]


def test_the_text_that_stands_for_nothing_is_read_as_null(source, put):
    """The embedded engine looks for it only when it infers types."""
    put("in/a.csv", "id,name\nNA,a\n2,NA\n3,NAN\n")
    assert source(options={"nullValue": "NA"}).read().rows() == [(None, "a"), ("2", None), ("3", "NAN")]


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("csv", {"encoding": "latin1"}),
        ("csv", {"dateFormat": "dd/MM/yyyy"}),
        ("csv", {"ignoreLeadingWhiteSpace": True}),
        ("csv", {"lineSep": "|"}),
        ("json", {"primitivesAsString": True}),
        ("parquet", {"modifiedAfter": "2099-01-01T00:00:00"}),
        ("parquet", {"partitionOverwriteMode": "dynamic"}),
        ("delta", {"PARTITIONOVERWRITEMODE": "DYNAMIC"}),
        ("delta", {"replaceWhere": "id = 1"}),
        ("delta", {"txnAppId": "x"}),
    ],
)
@pytest.mark.parametrize("section", ["input", "output"])
def test_an_option_that_the_embedded_engine_passes_over_is_refused(open_config, section, format_, options):
    """The rows would be others than the option asks for, and nobody would be told."""
    config = open_config(**{section: {"t": {"format": format_, "filepath": "t", "options": options}}})
    with pytest.raises(Unsupported, match=f"passes over the option '{next(iter(options))}'") as caught:
        stored_dataset(config, config.dataset("t"))
    assert caught.value.place.file == f"config/base/{section}.json"


def test_overwriting_some_partitions_only_is_refused_as_a_setting_of_the_session_too(open_config):
    """The embedded engine would overwrite them all."""
    settings = {"spark_config": {"spark.sql.sources.partitionOverwriteMode": "DYNAMIC"}}
    config = open_config(global_settings=settings, output={"t": {"format": "parquet", "filepath": "t"}})
    with pytest.raises(Unsupported, match="would overwrite every partition") as caught:
        stored_dataset(config, config.dataset("t"))
    assert caught.value.place.file == "config/base/global_settings.json"


def test_such_an_option_is_taken_when_it_asks_for_what_the_engine_does_anyway(open_config):
    options = {"encoding": "UTF-8", "dateFormat": "yyyy-MM-dd", "quoteAll": False, "partitionOverwriteMode": "static"}
    config = open_config(input={"t": {"format": "csv", "filepath": "t", "options": options}})
    assert stored_dataset(config, config.dataset("t")).name == "t"


def test_apache_spark_takes_every_option(open_config):
    dataset = {"format": "csv", "filepath": "t", "options": {"encoding": "latin1"}}
    config = open_config(input={"t": dataset}, global_settings={"mode": "spark"})
    assert stored_dataset(config, config.dataset("t")).name == "t"


@pytest.mark.parametrize(("format_", "why"), [("kafka", "it is for streams"), ("rate", "it is for streams")])
def test_a_format_that_this_version_does_not_serve_is_refused_with_why_and_those_that_it_does(
    open_config, format_, why
):
    config = open_config(input={"t": {"format": format_, "filepath": "in"}})
    with pytest.raises(Unsupported, match=f"Format '{format_}' is not available.*{why}") as caught:
        stored_dataset(config, config.dataset("t"))
    assert {"csv", "delta", "avro", "query"} < set(caught.value.details.looked_up)
    assert caught.value.place.file == "config/base/input.json"


def test_a_merge_into_plain_files_is_refused(open_config):
    config = open_config(output={"t": {"format": "parquet", "filepath": "t", "write_mode": "merge"}})
    with pytest.raises(Unsupported, match="write_mode 'merge' is not available"):
        stored_dataset(config, config.dataset("t"))


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_replace_where_is_refused_for_formats_that_are_overwritten_whole(open_config, format_):
    config = open_config(output={"t": {"format": format_, "filepath": "t", "overwrite_strategy": "replaceWhere"}})
    with pytest.raises(Unsupported, match="is overwritten whole"):
        stored_dataset(config, config.dataset("t"))


def test_a_predicate_that_nothing_would_look_at_is_refused(open_config):
    """Without its strategy the whole table would be overwritten."""
    config = open_config(output={"t": {"format": "delta", "filepath": "t", "replace_predicate": "id > 3"}})
    with pytest.raises(ValidationError, match="no effect without overwrite_strategy"):
        stored_dataset(config, config.dataset("t"))


def _polars(**columns):
    import polars as pl

    return pl.DataFrame(columns)
