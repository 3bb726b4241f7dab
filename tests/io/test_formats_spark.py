"""What only Apache Spark reads and writes: orc, xml, tables of its catalog, databases; and Avro."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import fastavro
import polars as pl
import pyarrow.orc
import pytest

TWO = "SELECT * FROM VALUES (1, 'a', date '2025-01-02'), (2, 'é', null) AS t(id, name, day)"
ONE = "SELECT * FROM VALUES (3, 'c', date '2025-01-03') AS t(id, name, day)"
NONE = TWO + " WHERE id > 9"
BROKEN = (
    "SELECT id, raise_error('broken here') AS name, day FROM VALUES (9, 'x', date '2025-01-02') AS t(id, name, day)"
)
WIDE = "SELECT 4L AS id, 'd' AS name, date '2025-01-03' AS day"
MORE = "SELECT 4 AS id, 'd' AS name, date '2025-01-03' AS day, 1 AS more"
XML = "<all><row><id>1</id><name>a</name></row><row><id>2</id><name>é</name></row></all>"

PARTS = "SELECT count(*), count(DISTINCT part), count(DISTINCT name) FROM found"
# Delta's own catalog stands in for Unity Catalog: it takes the same statements.
MAIN = {"catalog_name": "spark_catalog", "schema": "default"}
ROWS = {"options": {"rowTag": "row"}}


def modes(**settings):
    """Return writes of every mode, each followed by a read."""
    read = {"settings": {key: value for key, value in settings.items() if key != "write_mode"}}
    writes = [("overwrite", TWO), ("append", ONE), ("append", MORE), ("append", WIDE), ("overwrite", BROKEN),
              ("ignore", ONE), ("error", ONE), ("overwrite", ONE), ("overwrite", NONE)]  # fmt: skip
    steps = [[{"settings": {**settings, "write_mode": mode}, "rows": rows}, read] for mode, rows in writes]
    return [step for pair in steps for step in pair]


def database(options, table, **more):
    """Return a dataset of a database, to be read, to be added to, and to be overwritten."""
    read = {"format": "jdbc", "options": {**options, "dbtable": table, **more}}
    return read, {**read, "write_mode": "append"}, {**read, "write_mode": "overwrite"}


def cases(folder, server):
    jdbc, _, derby = database({"url": f"jdbc:derby:{folder}/db;create=true"}, "numbers")
    read = {"settings": jdbc}
    people, add, replace = database(server, 'crm."The people"')
    guarded, add_guarded, replace_guarded = database(server, "crm.guarded")
    fresh, _, replace_fresh = database(server, "fresh")
    parts, _, _ = database(server, "numbers", partitionColumn="id", lowerBound=0, upperBound=1000, numPartitions=4)
    reads = {"settings": people}, {"settings": guarded}
    return {
        "orc": modes(format="orc", filepath="data/orc"),
        "avro": modes(format="avro", filepath="data/avro"),
        "table": modes(format="table", table_name="sales"),
        "table by its name": [
            {"settings": {"format": "table", "table_name": "sales", "schema": "default", "partition_by": "day"}}
        ],
        "a new table": [
            {"settings": {"format": "table", "table_name": "fresh", "write_mode": "ignore"}, "rows": ONE},
            {"settings": {"format": "table", "table_name": "fresh", "write_mode": "ignore"}, "rows": TWO},
            {"settings": {"format": "table", "table_name": "fresh"}},
        ],
        "unity_catalog": modes(format="unity_catalog", table_name="people", partition_by="day", **MAIN),
        "a new table of Unity Catalog": [
            {"settings": {"format": "unity_catalog", "table_name": "made", "filepath": f"{folder}/it's there", **MAIN,
                          "write_mode": "ignore", "description": "What's new"}, "rows": rows}
            for rows in (ONE, TWO)
        ] + [{"settings": {"format": "unity_catalog", "table_name": "made", **MAIN}},
             {"settings": {"format": "delta", "filepath": f"{folder}/it's there"}}],
        "no name of three parts": [{"settings": {"format": "unity_catalog", "table_name": "fresh", "schema": "s"}}],
        "no table": [{"settings": {"format": "table", "table_name": "nowhere"}}],
        "orc parted": [
            {"settings": {"format": "orc", "filepath": "data/p", "partition_by": "day"}, "rows": ONE},
            {"settings": {"format": "orc", "filepath": "data/p", "partition_filter": "day = '2025-01-03'"}},
            {"settings": {"format": "orc", "filepath": "data/p/*/*.orc", "schema": "id INT"}},
        ],
        "text": [
            {"settings": {"format": "text", "filepath": "data/t"}, "rows": "SELECT 'a' AS value"},
            {"settings": {"format": "text", "filepath": "data/t"}, "rows": "SELECT 'a\\nb' AS value"},
            {"settings": {"format": "text", "filepath": "data/t"}, "rows": "SELECT string(null) AS value"},
            {"settings": {"format": "text", "filepath": "data/t"}},
        ],
        "csv": [
            {"settings": {"format": "csv", "filepath": f"in/{name}.csv"}, "count": PARTS}
            for name in ("lines", "breaks")
        ],
        "xml": [
            {"settings": {"format": "xml", "filepath": "in/*.xml", **ROWS}},
            {"settings": {"format": "xml", "filepath": "in/a.xml", "schema": "name STRING", **ROWS}},
        ],
        "jdbc": [
            {"settings": {**jdbc, "write_mode": "append"}, "rows": TWO},
            read,
            {"settings": {**jdbc, "write_mode": "append"}, "rows": BROKEN},
            {"settings": {**jdbc, "write_mode": "append"}, "rows": ONE},
            read,
            {"settings": {**jdbc, "partition_filter": "id > 2"}},
            {"settings": derby, "rows": TWO},
            read,
            {"settings": {"format": "jdbc", "options": {"url": "jdbc:mysql://u:hunter2@h/d", "dbtable": "t"}}},
        ],
        "postgresql": [
            reads[0],
            {"settings": add, "rows": "SELECT 3 AS ID, 'c' AS name, 1.5 AS total"},
            {"settings": add, "rows": "SELECT id, 'x' AS name FROM VALUES (4), (3) AS t(id)"},
            reads[0],
            {"settings": replace, "rows": "SELECT 5 AS ID, 'é' AS name"},
            reads[0],
            {"settings": replace, "rows": "SELECT id, 'x' AS name FROM VALUES (6), (6) AS t(id)"},
            {"settings": replace, "rows": "SELECT 6 AS id, 'x' AS nam"},
            {"settings": replace, "rows": "SELECT id, raise_error('broken here') AS name FROM VALUES (6) AS t(id)"},
            {"settings": replace | {"options": replace["options"] | {"password": "hunter2"}}, "rows": ONE},
            reads[0],
            {"settings": replace, "rows": "SELECT 1 AS id, 'x' AS name WHERE 1 > 2"},
            reads[0],
        ],
        "postgresql, interrupted": [
            {"settings": add_guarded, "rows": "SELECT id FROM VALUES (2), (99), (3) AS t(id)"},
            reads[1],
            {"settings": replace_guarded, "rows": "SELECT id FROM VALUES (2), (99), (3) AS t(id)"},
            reads[1],
        ],
        "postgresql, a new table": [{"settings": replace_fresh, "rows": TWO}, {"settings": fresh}],
        "postgresql, in parts": [
            {"settings": parts, "count": "SELECT count(*), count(DISTINCT part), sum(id) FROM found"},
            {"settings": {**parts, "partition_filter": "id >= 990"}},
            {"settings": {"format": "jdbc", "options": {**server, "query": "SELECT max(id) FROM numbers"}}},
        ],
        "query": [
            {"settings": {"format": "query", "query": "SELECT id * :n AS m FROM default.sales", "params": {"n": 2}}},
        ],
    }  # fmt: skip


SHOP = """
    CREATE SCHEMA crm;
    CREATE TABLE crm."The people" (id int PRIMARY KEY, name text NOT NULL, total numeric(12, 3), seen text DEFAULT '-');
    INSERT INTO crm."The people" VALUES (1, 'a', 1.5), (2, 'b', NULL);
    CREATE TABLE numbers AS SELECT generate_series(0, 999) AS id;
    CREATE TABLE crm.guarded (id int);
    INSERT INTO crm.guarded VALUES (1);
    CREATE FUNCTION crm.cut() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
    CREATE TRIGGER cut BEFORE INSERT ON crm.guarded FOR EACH ROW WHEN (NEW.id = 99) EXECUTE FUNCTION crm.cut();
"""


@pytest.fixture(scope="module")
def shop(postgres_server):
    """Fill a database, whose table crm.guarded loses the connection of who adds the row 99; return its options."""
    import psycopg

    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    with psycopg.connect(postgres_server.url.replace("/postgres?", "/shop?"), autocommit=True) as connection:
        connection.execute(SHOP)
    options = postgres_server.jdbc()
    return {**options, "url": options["url"].replace("/postgres", "/shop")}


@pytest.fixture(scope="module")
def played(tmp_path_factory, installed_connectors, shop):
    """Return what the steps came to, and the folder of the data."""
    if shutil.which("java") is None:
        pytest.skip("Apache Spark needs Java, and here is none")
    folder = tmp_path_factory.mktemp("formats")
    (folder / "project/in").mkdir(parents=True)
    (folder / "project/in/a.xml").write_text(XML, encoding="utf-8")
    lines = "id,name\n" + '1,"a, b"\n' * 600_000
    (folder / "project/in/lines.csv").write_text(lines)
    (folder / "project/in/breaks.csv").write_text(lines + '2,"c\nd"\n')
    program = [sys.executable, str(Path(__file__).with_name("formats_play.py")), str(folder)]
    done = subprocess.run(
        [*program, str(installed_connectors)],
        input=json.dumps(cases(folder, shop)), capture_output=True, text=True, timeout=280, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {**json.loads(done.stdout.splitlines()[-1]), "data": folder / "project/data"}


OF_TWO = [["1", "a", "2025-01-02"], ["2", "é", "None"]]
OF_ONE = [["3", "c", "2025-01-03"]]


@pytest.mark.parametrize("name", ["orc", "avro", "table", "unity_catalog"])
def test_every_mode_leaves_what_it_says_and_a_failure_leaves_what_was_there(played, name):
    told, found = played[name][::2], played[name][1::2]
    both = sorted([*OF_TWO, *OF_ONE], key=repr)
    assert found[:7] == [OF_TWO, both, both, both, both, both, both]
    assert found[7:] == [OF_ONE, []]
    assert "'more' is new" in told[2]
    assert "'id' is bigint, in the table int" in told[3]
    assert "broken here" in told[4]
    assert told[5] is None
    assert "write_mode is 'error'" in told[6]


def test_the_rows_of_orc_are_counted_and_another_reader_finds_the_table_without_rows(played):
    assert [played["orc"][step] for step in (0, 2, 14, 16)] == [2, 1, 1, 0]
    (file,) = (played["data"] / "orc").glob("*.orc")
    assert pyarrow.orc.read_table(file).schema.names == ["id", "name", "day"]


def test_orc_is_partitioned_filtered_and_read_by_a_pattern_and_a_schema(played):
    assert played["orc parted"] == [1, OF_ONE, [["3"]]]


def test_the_avro_that_spark_writes_is_read_by_others(played):
    (file,) = (played["data"] / "avro").glob("*.avro")
    with file.open("rb") as content:
        assert list(fastavro.reader(content)) == []


def test_a_table_is_found_by_its_schema_too_and_one_that_is_not_there_is_told(played):
    assert played["table by its name"] == [[]]
    assert "'t' is no table of the catalog" in played["no table"][0]


def test_a_table_of_unity_catalog_is_made_where_it_is_told_and_left_alone_by_the_mode_that_says_so(played):
    assert played["a new table of Unity Catalog"] == [None, None, OF_ONE, OF_ONE]
    (told,) = played["no name of three parts"]
    assert "'t' is 's.fresh', and a table of Unity Catalog is catalog.schema.table" in told


def test_a_table_that_is_not_there_is_made_by_the_mode_that_leaves_one_alone(played):
    assert played["a new table"] == [None, None, OF_ONE]


def test_text_of_spark_refuses_what_is_no_line(played):
    first, broken, null, found = played["text"]
    assert first == 1
    assert "line break in it" in broken
    assert "null, which no line" in null
    assert found == [["a"]]
    assert pl.read_csv(played["data"] / "t/*.txt", has_header=False).rows() == [("a",)]


def test_a_large_csv_file_is_read_in_parts_where_no_value_has_a_line_break(played):
    (lines,), (breaks,) = played["csv"]
    assert lines == ["600000", "2", "1"]
    assert breaks == ["600001", "1", "2"]


def test_xml_is_read_by_its_rows_and_a_schema(played):
    assert played["xml"] == [[["1", "a"], ["2", "é"]], [["a"], ["é"]]]


def test_rows_are_added_to_a_database_all_or_none(played):
    first, read, broken, second, both, filtered, *_ = played["jdbc"]
    assert (first, second) == (None, None)
    assert read == OF_TWO
    assert "broken here" in broken
    assert both == sorted([*OF_TWO, *OF_ONE], key=repr)
    assert filtered == OF_ONE


def test_rows_of_a_database_are_replaced_and_a_driver_that_lacks_is_named_without_its_password(played):
    overwrite, found, driver = played["jdbc"][6:]
    assert (overwrite, found) == (None, OF_TWO)
    assert "spark.jars.packages: 'com.mysql:mysql-connector-j:" in driver
    assert "hunter2" not in driver


OF_SHOP = [["1", "a", "1.500", "-"], ["2", "b", "None", "-"]]
OF_THREE = ["3", "c", "1.500", "-"]
OF_FIVE = [["5", "é", "None", "-"]]


def test_postgresql_is_read_added_to_and_overwritten_and_the_table_keeps_its_types_and_defaults(played):
    before, _, twice, added, _, replaced, *_ = played["postgresql"]
    assert before == OF_SHOP
    assert added == [*OF_SHOP, OF_THREE]
    assert "duplicate key value" in twice
    assert replaced == OF_FIVE


def test_an_overwrite_that_fails_leaves_the_rows_of_postgresql_and_nothing_else(played, shop, postgres_server):
    twice, column, broken, password, after, none, emptied = played["postgresql"][6:]
    assert twice.startswith("The database of 't': ERROR: duplicate key value violates unique constraint")
    assert "has no column 'nam' | Did you mean 'name'?" in column
    assert "broken here" in broken
    assert 'password authentication failed for user "tauro"' in password
    assert "hunter2" not in password
    assert after == OF_FIVE
    assert (none, emptied) == (None, [])
    import psycopg

    with psycopg.connect(postgres_server.url.replace("/postgres?", "/shop?")) as connection:
        left = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tauro%'").fetchall()
    # A connection that is cut off cannot tidy up after itself.
    assert len(left) == 1
    assert shop["password"] not in str(played["postgresql"])


def test_a_write_whose_connection_is_cut_off_adds_and_replaces_nothing(played):
    add, after_add, replace, after_replace = played["postgresql, interrupted"]
    assert "terminating connection" in add
    assert "terminating connection" in replace
    assert after_add == after_replace == [["1"]]


def test_a_table_that_postgresql_has_not_is_made(played):
    assert played["postgresql, a new table"] == [None, OF_TWO]


def test_postgresql_is_read_in_parts_by_conditions_and_by_a_query(played):
    parts, filtered, query = played["postgresql, in parts"]
    assert parts == [["1000", "4", "499500"]]
    assert len(filtered) == 10
    assert query == [["999"]]


def test_a_query_reads_tables_of_the_catalog(played):
    assert played["query"] == [[]]
