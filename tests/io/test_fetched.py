"""Files behind URIs that engines do not read: fetched by fsspec, read like any, never written; secrets stay unseen."""

import gc
import io
import sys
import tempfile

import fsspec
import polars as pl
import pytest

from tauro.errors import DatasetNotFound, DependencyError, Unsupported
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.stored import open_dataset, stored_dataset

CSV = b"id,v\n1,a\n2,b\n"


@pytest.fixture
def far():
    """Return the file system of this process's memory, and what puts a file there."""
    system = fsspec.filesystem("memory")
    system.store.clear()

    def put(path, content):
        with system.open(path, "wb") as file:
            file.write(content)

    yield put
    system.store.clear()


@pytest.fixture
def read(open_config, engine, tmp_path, monkeypatch):
    """Return the rows of an input, by Polars and by Spark."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def read_(filepath, format_="csv", **settings):
        config = open_config(input={"i": {"format": format_, "filepath": filepath, **settings}})
        found = []
        for kind in ("polars.DataFrame", "spark"):
            stored = stored_dataset(config, config.dataset("i"))
            catalog = Catalog({"i": stored}, {}, MemoryDatasets({}), engine.session, config.window, tmp_path / "spool")
            value = catalog.read("i", kind).value
            found.append(sorted(value.rows() if kind != "spark" else map(tuple, value.collect())))
        assert found[0] == found[1]
        return found[0]

    return read_


def parquet(**columns):
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def test_a_file_elsewhere_is_read_like_one_here(far, read):
    far("/in/a.csv", CSV)
    assert read("memory://in/a.csv", schema="id INT, v STRING") == [(1, "a"), (2, "b")]
    assert read("memory://in/a.csv", schema="id INT, v STRING", partition_filter="id > 1") == [(2, "b")]


def test_a_pattern_and_a_folder_stand_for_several_files(far, read):
    far("/in/a.csv", CSV)
    far("/in/b.csv", b"id,v\n3,c\n")
    far("/in/c.txt", b"x\n")
    both = [(1, "a"), (2, "b"), (3, "c")]
    assert read("memory://in/*.csv", schema="id INT, v STRING") == both
    assert read("memory://in/*.txt", "text") == [("x",)]
    far("/all/a.csv", CSV)
    assert read("memory://all", schema="id INT, v STRING") == both[:2]


def test_partitions_in_the_names_of_folders_are_columns(far, read):
    far("/p/day=2025-01-01/a.parquet", parquet(id=[1]))
    far("/p/day=2025-01-02/a.parquet", parquet(id=[2]))
    assert read("memory://p", "parquet") == [(1, "2025-01-01"), (2, "2025-01-02")]


def test_what_is_not_there_is_told(far, read):
    with pytest.raises(DatasetNotFound, match="'i' has no data"):
        read("memory://in/nothing.csv")
    with pytest.raises(DatasetNotFound, match="'i' has no data"):
        read("memory://in/*.csv")


def test_a_query_may_read_what_is_elsewhere(far, open_config, session):
    far("/in/a.csv", CSV)
    query = {"format": "query", "query": "SELECT count(*) FROM i", "views": "i"}
    config = open_config(input={"i": {"format": "csv", "filepath": "memory://in/a.csv"}, "q": query})
    stored = open_dataset(config, "q")
    assert stored.read(session).collect() == [(2,)]


def test_files_are_fetched_once_and_gone_when_nobody_needs_them(far, open_config, session, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    far("/in/a.csv", CSV)
    config = open_config(input={"i": {"format": "csv", "filepath": "memory://in/a.csv"}})
    stored = stored_dataset(config, config.dataset("i"))
    assert stored.read(session).count() == 2
    (folder,) = tmp_path.glob("tauro-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    fsspec.filesystem("memory").store.clear()
    assert stored.read(session).count() == 2
    del stored
    gc.collect()
    assert list(tmp_path.glob("tauro-*")) == []


@pytest.mark.parametrize(
    ("section", "format_", "why"),
    [("output", "csv", "cannot be written"), ("input", "delta", "cannot be read as delta")],
)
def test_what_cannot_be_done_there_is_refused_before_anything_runs(open_config, section, format_, why):
    config = open_config(**{section: {"t": {"format": format_, "filepath": "memory://x"}}})
    with pytest.raises(Unsupported, match=f"t: What is behind memory:// {why}") as caught:
        stored_dataset(config, config.dataset("t"))
    assert caught.value.place.file == f"config/base/{section}.json"


@pytest.mark.parametrize(
    ("master", "refused"), [("spark://host:7077", True), ("yarn", True), ("local[2]", False), (None, False)]
)
def test_a_cluster_does_not_see_what_is_fetched_to_this_machine(open_config, master, refused):
    settings = {"mode": "spark", **({"spark_master": master} if master else {})}
    config = open_config(input={"t": {"format": "csv", "filepath": "memory://x"}}, global_settings=settings)
    if refused:
        with pytest.raises(Unsupported, match="where the cluster does not see it"):
            stored_dataset(config, config.dataset("t"))
    else:
        assert stored_dataset(config, config.dataset("t")).name == "t"


@pytest.mark.parametrize(
    ("uri", "hint"),
    [("https://host/x.csv", "pip install fsspec aiohttp requests"), ("sftp://h/x", "pip install fsspec paramiko")],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(open_config, monkeypatch, uri, hint):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    config = open_config(input={"t": {"format": "csv", "filepath": uri}})
    with pytest.raises(DependencyError, match="are fetched by fsspec, and something is not installed") as caught:
        stored_dataset(config, config.dataset("t"))
    assert (caught.value.exit_code, caught.value.hint) == (5, hint)
    assert caught.value.place.file == "config/base/input.json"


SECRET = "https://user:hunter2@host/in/a.csv?sig=s3cr3ts3cr3t"


def test_passwords_and_signatures_of_uris_are_not_shown(open_config, session, monkeypatch):
    def refuse(uri):
        raise OSError(f"cannot open {uri}")

    monkeypatch.setattr("fsspec.get_filesystem_class", lambda scheme: None)
    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    config = open_config(input={"t": {"format": "csv", "filepath": SECRET}})
    stored = stored_dataset(config, config.dataset("t"))
    assert stored.location.shown == "https://***@host/in/a.csv?***"
    with pytest.raises(OSError, match="cannot open") as caught:
        stored.read(session)
    told = config.redact(str(caught.value))
    assert "hunter2" not in told
    assert "s3cr3t" not in told
