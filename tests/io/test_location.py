"""Where a dataset's data is: names, paths, URIs, and what is refused."""

import pytest

from tauro.errors import Unsupported, ValidationError
from tauro.io.location import locate
from tauro.io.stored import stored_dataset


@pytest.fixture
def place(open_config):
    """Return the location of a dataset that is described like this."""

    def locate_(name="t", *, section="output", env="base", environ=None, settings=None, **dataset):
        dataset.setdefault("format", "parquet")
        sections = {section: {name: dataset}, "global_settings": settings or {}}
        config = open_config(env=env, environ=environ, **sections)
        return locate(config, config.dataset(name.replace("/", ".")))

    return locate_


def test_a_three_part_name_is_stored_below_output_path_and_environment(place, root):
    found = place("bronze.sales.raw", env="dev")
    assert found.path == root / "data" / "output" / "dev" / "bronze" / "sales" / "raw"
    assert found.shown == "data/output/dev/bronze/sales/raw"


def test_the_originals_slashes_in_a_name_are_dots(place, root):
    assert place("bronze/sales/raw").path == root / "data" / "output" / "base" / "bronze" / "sales" / "raw"


def test_a_three_part_name_follows_output_path_out_of_the_project(place, tmp_path):
    found = place("a.b.c", settings={"output_path": str(tmp_path / "lake") + "/"})
    assert found.path == tmp_path / "lake" / "base" / "a" / "b" / "c"
    assert found.shown == str(found.path)


def test_a_three_part_name_can_be_stored_in_another_store(place):
    found = place("a.b.c", settings={"output_path": "s3://lake/tables"})
    assert (found.uri, found.path) == ("s3://lake/tables/base/a/b/c", None)


def test_a_filepath_wins_over_a_three_part_name(place, root):
    assert place("a.b.c", filepath="elsewhere/c").path == root / "elsewhere" / "c"


def test_a_relative_path_starts_at_the_projects_root(place, root):
    assert place(filepath="./data//x").path == root / "data" / "x"


def test_an_absolute_path_is_taken_as_it_is(place, tmp_path):
    found = place(filepath=str(tmp_path / "lake"))
    assert found.path == tmp_path / "lake"
    assert found.shown == str(tmp_path / "lake")


@pytest.mark.parametrize("prefix", ["file://", "file:", "FILE://"])
def test_a_file_uri_is_the_path_that_it_names(place, tmp_path, prefix):
    assert place(filepath=f"{prefix}{tmp_path}/lake").path == tmp_path / "lake"


@pytest.mark.parametrize(
    "uri", ["s3://bucket/key", "abfss://c@account.dfs.core.windows.net/x", "gs://b/x", "dbfs:/mnt/x", "hdfs://n:9000/x"]
)
def test_a_uri_elsewhere_is_handed_to_the_engine_unchanged(place, uri):
    found = place(filepath=uri)
    assert (found.uri, found.path, found.shown) == (uri, None, uri)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3a://key:s3cr3t@bucket/x", "s3a://***@bucket/x"),
        ("https://h/x.csv?sig=s3cr3t", "https://h/x.csv?***"),
        ("abfss://container@account.dfs.core.windows.net/x", "abfss://container@account.dfs.core.windows.net/x"),
    ],
)
def test_what_may_be_a_password_in_a_uri_is_not_shown(place, uri, shown):
    found = place(filepath=uri, section="input", format="csv")
    assert (found.uri, found.shown) == (uri, shown)


@pytest.mark.parametrize("mode", ["ignore", "error"])
@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_a_mode_that_asks_whether_there_is_data_is_refused_for_what_is_elsewhere(open_config, mode, format_):
    dataset = {"format": format_, "filepath": "s3://bucket/t", "write_mode": mode}
    config = open_config(output={"t": dataset})
    with pytest.raises(Unsupported, match=f"write_mode '{mode}' is not available for what is elsewhere") as caught:
        stored_dataset(config, config.dataset("t"))
    assert caught.value.place.file == "config/base/output.json"


@pytest.mark.parametrize(
    ("dataset", "uri", "shown"),
    [
        ({"format": "table", "table_name": "t", "schema": "s", "catalog_name": "c"}, "`c`.`s`.`t`", "c.s.t"),
        ({"format": "table"}, "`t`", "t"),
        ({"format": "jdbc", "options": {"URL": "jdbc:x://u:p@h", "dbTable": "s.t"}}, "", "s.t"),
        ({"format": "query", "query": "SELECT 1", "views": {"a": "b.c.d"}}, "", "b.c.d"),
        ({"format": "python", "module": "m", "function": "f"}, "", "m.f"),
    ],
)
def test_what_is_in_no_file_is_shown_by_what_it_is(place, dataset, uri, shown):
    assert place(section="input", **dataset) == (uri, None, shown)


def test_a_path_may_hold_a_variable(place, tmp_path):
    assert place(filepath="${LAKE}/x", environ={"LAKE": str(tmp_path)}).path == tmp_path / "x"


@pytest.mark.parametrize("path", ["../x", "data/../../x", "..", "/data/../etc"])
def test_a_path_that_climbs_is_refused(place, path):
    with pytest.raises(ValidationError, match=r"climbs by '\.\.'"):
        place(filepath=path)


def test_a_name_with_two_dots_in_it_does_not_climb(place, root):
    assert place(filepath="data/a..b").path == root / "data" / "a..b"


@pytest.mark.parametrize("path", ["", ".", "./", "/"])
@pytest.mark.parametrize("section", ["input", "output"])
def test_the_projects_own_folder_and_those_above_are_no_dataset(place, path, section):
    """A write replaces the folder of a dataset: this one holds the project's code."""
    with pytest.raises(ValidationError, match="project's own folder"):
        place(filepath=path, section=section)


def test_the_folder_that_holds_the_project_is_no_dataset(place, tmp_path):
    with pytest.raises(ValidationError, match="project's own folder"):
        place(filepath=str(tmp_path))


def test_a_tilde_is_refused_because_nothing_expands_it(place):
    with pytest.raises(ValidationError, match="starts with '~'") as caught:
        place(filepath="~/lake")
    assert "${HOME}" in caught.value.hint


@pytest.mark.parametrize("letter", list("%#*?[]{}\\\n\0"))
def test_letters_that_engines_take_for_something_else_are_refused_for_outputs(place, letter):
    with pytest.raises(ValidationError, match="which engines do not take as it is"):
        place(filepath=f"data/a{letter}b")


@pytest.mark.parametrize("letter", list("*?[]{}"))
def test_an_input_of_files_may_be_a_pattern_and_one_of_delta_may_not(place, letter):
    assert place(section="input", filepath=f"data/a{letter}b").uri.endswith(f"a{letter}b")
    with pytest.raises(ValidationError, match="which engines do not take as it is"):
        place(section="input", format="delta", filepath=f"data/a{letter}b")


@pytest.mark.parametrize("letter", list("%#\\\n"))
def test_escapes_and_fragments_are_refused_for_inputs_too(place, letter):
    with pytest.raises(ValidationError, match="which engines do not take as it is"):
        place(section="input", filepath=f"data/a{letter}b")


def test_a_dataset_without_path_and_without_three_part_name_is_refused_with_its_place(place):
    with pytest.raises(ValidationError, match="has no filepath") as caught:
        place("sales")
    assert caught.value.place.file == "config/base/output.json"


@pytest.mark.parametrize("name", ["a.b", "a.b.c.d", "a..c", ".b.c"])
def test_only_three_parts_make_a_path(place, name):
    with pytest.raises(ValidationError, match="has no filepath"):
        place(name)
