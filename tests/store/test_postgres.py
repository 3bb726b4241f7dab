"""What is PostgreSQL's own: how it is reached, and what is said when it is not."""

import json
import subprocess
import sys
import traceback
from urllib.parse import quote

import pytest

from tauro.errors import ConfigurationError, DependencyError, ExecutionError, TauroError
from tauro.store import open_store
from tauro.store.postgres import without_secrets
from tauro.store.records import RunFilter

from .values import LEASE, NEW, NOW, OWNER

SECRET = "s3cr3t/p@ss word"
QUOTED = quote(SECRET, safe="")


@pytest.fixture
def url(postgres_server):
    return postgres_server()


def test_the_password_is_in_no_error_and_in_no_figure(tmp_path, url):
    wrong = url.replace("kept-to-itself", QUOTED)
    nobody = f"postgresql://tauro:{QUOTED}@127.0.0.1:1/postgres?connect_timeout=2"
    unreadable = (f"postgresql://tauro:{QUOTED}@h/d?nonsense={QUOTED}", f"postgresql://tauro:{QUOTED}@[h/d")
    for given in (wrong, nobody, *unreadable, f"mysql://u:{QUOTED}@h/d"):
        with pytest.raises(TauroError) as caught:
            open_store(tmp_path, {"TAURO_DB_URL": given})
        told = "".join(traceback.format_exception(caught.value)) + json.dumps(caught.value.to_dict())
        assert SECRET not in told
        assert QUOTED not in told
    with open_store(tmp_path, {"TAURO_DB_URL": url}) as store:
        assert "kept-to-itself" not in store.stats().place


@pytest.mark.parametrize("given", ["mysql://host/d", "postgresql", "sqlite:///x.db", "postgresql://h:port/d"])
def test_what_is_no_url_of_postgresql_is_refused(tmp_path, given):
    with pytest.raises(ConfigurationError, match="TAURO_DB_URL"):
        open_store(tmp_path, {"TAURO_DB_URL": given})


def test_a_server_that_is_not_there_is_told_with_its_place(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(ExecutionError, match=r"postgresql://127\.0\.0\.1:1/d cannot be used"):
        open_store(tmp_path, {"TAURO_DB_URL": "postgresql://127.0.0.1:1/d"})


def test_secrets_are_hidden_in_every_spelling():
    url = f"postgresql://u:{QUOTED}@h/d?sslpassword=hush"
    for text in (SECRET, QUOTED, url, f"u:{QUOTED}", "hush"):
        assert without_secrets(f"<{text}>", url) == "<***>"


def test_without_the_driver_the_command_that_installs_it_is_told(tmp_path):
    code = """
import sys
sys.modules["psycopg"] = None
from pathlib import Path
from tauro.store import open_store
try:
    open_store(Path(sys.argv[1]), {"TAURO_DB_URL": "postgresql://h/d"})
except Exception as error:
    print(error.exit_code, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == f"{DependencyError.exit_code} pip install 'tauro[postgres]'\n"


def test_a_store_in_a_file_never_loads_the_driver(tmp_path):
    code = """
import sys
from pathlib import Path
from tauro.store import open_store
open_store(Path(sys.argv[1]) / "state", {}).close()
print(sorted({"psycopg", "pandas", "pyspark", "rich", "dataclasses", "yaml"} & {*sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_connection_that_the_server_has_ended_is_made_anew(tmp_path, url):
    with open_store(tmp_path, {"TAURO_DB_URL": url}) as store, open_store(tmp_path, {"TAURO_DB_URL": url}) as other:
        run = store.create_run(NEW, now=NOW).run
        number = store._database._connection.info.backend_pid
        with other._database.write() as sql:
            sql.all("SELECT pg_terminate_backend(?)", number)
        with pytest.raises(ExecutionError, match="cannot be used"):
            store.get_run(run.id)
        assert store.get_run(run.id) == run
        assert store.claim(run.id, OWNER, lease=LEASE, now=NOW) == 1


def test_a_store_of_a_newer_version_is_told_and_left_as_it_is(tmp_path, url):
    with open_store(tmp_path, {"TAURO_DB_URL": url}) as store, store._database.write() as sql:
        sql.change("INSERT INTO migrations (version) VALUES (99)")
    with pytest.raises(ConfigurationError, match="newer Tauro"):
        open_store(tmp_path, {"TAURO_DB_URL": url})


def test_without_a_schema_in_the_url_the_tables_are_in_one_of_our_own(tmp_path, url):
    plain = url.partition("&options")[0]
    with open_store(tmp_path, {"TAURO_DB_URL": plain}) as store, store._database.read() as sql:
        assert sql.one("SELECT schemaname FROM pg_tables WHERE tablename = 'runs' AND schemaname = 'tauro'")
        assert sql.one("SELECT to_regclass('public.runs')") == (None,)
    with open_store(tmp_path, {"TAURO_DB_URL": url}) as store:
        assert store.list_runs(RunFilter()) == []
