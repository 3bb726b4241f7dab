"""SQL in settings: a condition is one expression without a query inside, a query is one SELECT that only reads."""

import logging
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.report import At, Report
from tauro.config.validation.sql import check_sql
from tauro.project import Project

CONDITIONS = ("replace_predicate", "partition_filter", "merge_condition")
OUTPUT, INPUT = "config/base/output.yaml", "config/base/input.yaml"


@pytest.fixture
def faults(project):
    """Return the faults of SQL in a project."""

    def run(files=None, environ=None, env="base", **sections):
        config, _ = Project.inspect(project(files, **sections), env, environ=environ or {})
        return [fault for fault in config.validate() if fault.id == "sql"]

    return run


class Dataset:
    """What check_sql looks at, without files."""

    name = "o"
    replace_predicate = partition_filter = merge_condition = query = when_matched = when_not_matched = None

    def __init__(self, **fields):
        vars(self).update(fields)


class NoPlaces:
    data = None

    def place(self, path, *, key=False):
        return None

    def origin(self, path):
        return None


def told(**fields):
    report = Report({"output": NoPlaces()})
    check_sql(Dataset(**fields), At("output", ("o",)), report)
    return [fault.message for fault in report.faults]


# -- conditions -----------------------------------------------------------------------------------

SOUND = [
    "day >= '2025-01-01' AND day <= '2025-01-31'", "a = 1 OR (b = 2 AND NOT c)", "a IN (1, 2, 3)",
    "a IS NULL", "a BETWEEN 1 AND 2", "name LIKE 'a;b%'", "name = \"it's\"", "name = 'a -- b'", "name = '/* ; */'",
    "`my column` = 1", "a == 1", "a <=> 1", "date '2025-01-01' <= d", "to_date(d) = current_date()", "a.b[0].c > 1",
    "target.id = source.id", "CASE WHEN a THEN b ELSE c END", "cast(a AS int) > 1", "a RLIKE '^x$'", "true", "ä = 'ö'",
    "a = 1\nAND b = 2", "  a = 1  ", "exists(items, x -> x > 1)", "a = 1 -- the first", "a /* which */ = 1",
]  # fmt: skip
NO_CONDITIONS = {
    "": "cannot be read",
    "   ": "cannot be read",
    "-- nothing": "cannot be read",
    "a = = 1": "cannot be read",
    "a = 'x": "a quote or comment is not closed",
    "a = `x": "a quote or comment is not closed",
    "a = 1 /* x": "a quote or comment is not closed",
    "(a = 1": "cannot be read",
    "a = 1)": "cannot be read",
    "a = 1) OR (1 = 1": "cannot be read",
    "a = 1) --": "cannot be read",
    "WHERE a = 1": "cannot be read",
    "SELECT 1": "cannot be read",
    "a AS b": "cannot be read",
    "a = 1;": "must be one",
    "a = 1;;": "must be one",
    "; a = 1": "cannot be read",
    "a = 1; DROP TABLE t": "must be one",
    "a = 1; SHOW TABLES": "must be one",
    "a, b": "must be one",
    "a = 1 GROUP BY b": "must be one",
    "a = 1 ORDER BY b": "must be one",
    "a = 1 LIMIT 1": "must be one",
    "a = 1 HAVING b": "must be one",
    "a = 1 UNION SELECT 2": "must be one",
    "a = 1 LATERAL VIEW explode(x)": "must be one",
    "a = 1 WINDOW w AS (PARTITION BY b)": "must be one",
    "a IN (SELECT b FROM t)": "a query inside",
    "EXISTS (SELECT 1 FROM t)": "a query inside",
    "a = (SELECT max(b) FROM t)": "a query inside",
    "a IN (VALUES 1, 2)": "a query inside",
    "(WITH x AS (SELECT 1) SELECT * FROM x) = 1": "a query inside",
    "f((((SELECT 1))))": "a query inside",
    "(" * 5000 + "a" + ")" * 5000: "nested too deeply",
}


@pytest.mark.parametrize("key", CONDITIONS)
@pytest.mark.parametrize("text", SOUND)
def test_a_condition_is_sound(key, text):
    assert told(**{key: text}) == []


@pytest.mark.parametrize("key", CONDITIONS)
@pytest.mark.parametrize("text", NO_CONDITIONS, ids=range(len(NO_CONDITIONS)))
def test_what_is_no_single_condition_is_a_fault(key, text):
    (message,) = told(**{key: text})
    assert message.startswith(f"o: '{key}' ")
    assert NO_CONDITIONS[text] in message


# -- queries --------------------------------------------------------------------------------------

QUERIES = [
    "SELECT 1", "select a, b from t where c = 1 group by a having count(*) > 1 order by b limit 5", "SELECT 1;",
    "SELECT 1 ;\n", "(SELECT 1)", "SELECT * FROM a UNION ALL SELECT * FROM b", "SELECT ';' AS a",
    "WITH x AS (SELECT 1 AS a), y AS (SELECT * FROM x) SELECT * FROM y", "SELECT /*+ BROADCAST(t) */ * FROM t",
    "SELECT * FROM (SELECT 1) t", "FROM t SELECT *", "SELECT * FROM delta.`/data/x` VERSION AS OF 3",
    "SELECT 'DROP TABLE t'", "SELECT 1 -- DELETE FROM t",
    "SELECT a FROM t LATERAL VIEW explode(b) c", "SELECT 1\nUNION\nSELECT 2",
]  # fmt: skip
NO_QUERIES = {
    "": "must be one SELECT",
    ";": "must be one SELECT",
    "-- nothing": "must be one SELECT",
    "SELECT 1; SELECT 2": "must be one SELECT",
    "SELECT 1; DROP TABLE t": "must be one SELECT",
    "DROP TABLE t": "must be one SELECT",
    "CREATE TABLE t AS SELECT 1": "must be one SELECT",
    "CREATE OR REPLACE VIEW v AS SELECT 1": "must be one SELECT",
    "INSERT INTO t SELECT 1": "must be one SELECT",
    "INSERT OVERWRITE t SELECT 1": "must be one SELECT",
    "FROM t INSERT INTO u SELECT *": "must be one SELECT",
    "UPDATE t SET a = 1": "must be one SELECT",
    "DELETE FROM t": "must be one SELECT",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE": "must be one SELECT",
    "TRUNCATE TABLE t": "must be one SELECT",
    "ALTER TABLE t ADD COLUMN a INT": "must be one SELECT",
    "SET spark.x = 1": "must be one SELECT",
    "USE other": "must be one SELECT",
    "SHOW TABLES": "must be one SELECT",
    "DESCRIBE t": "must be one SELECT",
    "EXPLAIN SELECT 1": "must be one SELECT",
    "CALL f()": "must be one SELECT",
    "CACHE TABLE t": "must be one SELECT",
    "REFRESH TABLE t": "must be one SELECT",
    "VALUES (1)": "must be one SELECT",
    "WITH x AS (DELETE FROM t) SELECT 1": "must only read",
    "WITH x AS (INSERT INTO t SELECT 1) SELECT 1": "must only read",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x": "must",
    "SELECT * INTO t FROM u": "must only read",
    "SELECT TRANSFORM (a) USING 'rm -rf /' AS (b) FROM t": "must only read",
    "SELECT a b c FROM t": "near 'c'",
    "SELECT 'x": "a quote or comment is not closed",
    "selct 1": "cannot be read",
    "WITH x AS (SHOW TABLES) SELECT 1": "",
}


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_that_reads_is_sound(text):
    assert told(query=text) == []


@pytest.mark.parametrize("text", NO_QUERIES)
def test_what_is_no_single_query_that_only_reads_is_a_fault(text):
    (message,) = told(query=text)
    assert message.startswith("o: 'query' ")
    assert NO_QUERIES[text] in message


# -- any text -------------------------------------------------------------------------------------

pieces = st.lists(
    st.sampled_from(["a", "=", "1", "'x'", "AND", "(", ")", ";", "SELECT", "FROM", "t", "--", "/*", "*/", "'", "`", '"',
                     "\n", ",", "DROP", "TABLE", "WITH", "AS", "INSERT", "INTO", "UNION", "SHOW", "EXPLAIN", "VALUES",
                     "${x}", "{", "}", "$", "\\", "é", "\0", "[", "]", "->", "::", "@", "#", "%", "?", ":a"]),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(text=st.one_of(pieces, st.text(max_size=20)))
@settings(max_examples=600, deadline=None)
def test_any_text_is_sound_or_one_fault_and_never_anything_else(text):
    assert len(told(replace_predicate=text)) <= 1
    assert len(told(query=text)) <= 1


@given(text=st.one_of(pieces, st.sampled_from(SOUND)))
@settings(max_examples=600, deadline=None)
def test_a_sound_condition_stays_one_where_it_is_put_in_brackets(text):
    """It cannot close what an engine puts around it, and bring in something of its own."""
    if told(replace_predicate=text) == []:
        assert told(replace_predicate=f"NOT ({text}\n) AND b") == []
        assert told(query=f"SELECT * FROM t WHERE ({text}\n)") == []


@pytest.mark.parametrize("text", ["SHOW TABLES", "WITH x AS (SHOW TABLES) SELECT 1", "CALL f()", "ALTER TABLE t FROB"])
def test_the_reader_of_sql_talks_to_nobody(caplog, capfd, text):
    with caplog.at_level(logging.DEBUG):
        assert len(told(query=text)) == 1
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("sqlglot").disabled


# -- places ---------------------------------------------------------------------------------------


def output(text):
    return f"o:\n  format: delta\n  filepath: data/o\n  overwrite_strategy: replaceWhere\n  replace_predicate: {text}\n"


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ("day = = 1", "= 1"),
        ("'day = = 1'", "= 1"),
        ('"day = = 1"', "= 1"),
        ("day > 1 AND  # a comment", "AND"),
        ("ü = = 'ö'", "= 'ö'"),
        ("\"name = 'x y' z\"", "z"),
        # The text of the file is not the text of the SQL, so its start must do.
        ("'name = ''x'' y z w'", "'name"),
        ('"a\\u0020= = 1"', '"a'),
        # No particular letter is wrong.
        ("a = 1;", "a = 1;"),
        ("'a IN (SELECT 1)'", "'a IN"),
        ('"a = \'x"', "\"a = 'x"),
    ],
)
def test_the_caret_stands_under_what_is_wrong(faults, text, under):
    (fault,) = faults(output=output(text))
    assert (fault.place.file, fault.place.line) == (OUTPUT, 5)
    assert fault.place.text[fault.place.column - 1 :].startswith(under)
    assert (fault.exit_code, fault.warning, fault.hint) == (3, False, "Correct the SQL.")


@pytest.mark.parametrize(
    "text", ["|\n    a = 1\n    AND AND b\n", ">-\n    a = = 1\n", "a = 1\n    AND AND b\n", '"a =\n    = 1"\n']
)
def test_sql_on_several_lines_is_told_where_it_starts(faults, text):
    (fault,) = faults(output=output(text))
    assert (fault.place.line, fault.place.column) == (5, len("  replace_predicate: ") + 1)


def test_the_caret_stands_inside_the_line_where_the_sql_ends_too_soon(faults):
    (fault,) = faults(output=output("a = 1 AND b ="))
    assert fault.place.text[fault.place.column - 1 :] == "="
    (fault,) = faults(output=output("''"))
    assert fault.place.text[fault.place.column - 1 :] == "''"


def test_json_and_dsl_have_places_too(faults):
    (fault,) = faults({"config/base/output.yaml": None, "config/base/output.json":
                       '{"o": {"format": "delta", "filepath": "x", "merge_condition": "a = = 1"}}'})  # fmt: skip
    assert fault.place.text[fault.place.column - 1 :].startswith('= 1"')
    assert fault.place.file == "config/base/output.json"


def test_a_dsl_file_has_places_too(faults):
    text = '[o]\nformat = delta\nfilepath = x\nmerge_condition = "a = = 1"\n'
    (fault,) = faults({"config/base/output.yaml": None, "config/base/output.dsl": text})
    assert str(fault.place).startswith("config/base/output.dsl:4:")
    assert fault.place.text[fault.place.column - 1 :].startswith('= 1"')


def test_each_wrong_text_is_a_fault_of_its_own(faults):
    found = faults(
        output="o:\n  format: delta\n  filepath: x\n  merge_condition: a = = 1\n  partition_filter: b = = 1\n",
        input="i: {format: csv, filepath: x}\nj:\n  format: query\n  query: DROP TABLE t\n",
    )
    assert sorted((fault.place.file, fault.place.line) for fault in found) == [(INPUT, 4), (OUTPUT, 4), (OUTPUT, 5)]


def test_the_sql_of_a_higher_layer_is_told_there(faults):
    files = {"config/dev/output.yaml": "o: {replace_predicate: a = = 1}\n"}
    (fault,) = faults(files, env="dev", output=output("a = 1"))
    assert str(fault.place) == "config/dev/output.yaml:1:28"


# -- references -----------------------------------------------------------------------------------


def test_a_reference_is_resolved_before_the_sql_is_read(faults):
    text = output("\"day >= '${start_date}' AND region = '${REGION}'\"")
    assert faults(output=text, environ={"REGION": "eu"}) == []


@pytest.mark.parametrize("value", ["x' OR '1' = '1'; DROP TABLE t --", "x'; --", "x' AND (SELECT 1) AND 'y", "it's"])
def test_a_variable_cannot_bring_in_a_second_statement_or_a_query(faults, value):
    (fault,) = faults(output=output("\"region = '${REGION}'\""), environ={"REGION": value})
    # What is quoted is the file's line; the caret stands at its start.
    assert "${REGION}" in fault.place.text
    assert fault.place.column == len("  replace_predicate: ") + 1


def test_a_secret_in_sql_is_not_shown(faults):
    found = faults(output=output('"a = = ${API_TOKEN}"'), environ={"API_TOKEN": "hunter2hunter2"})
    assert len(found) == 1
    assert "hunter2" not in repr(found)


def test_a_reference_without_a_value_is_one_fault_and_its_sql_none(faults):
    for text in ("day >= '${NOBODY}'", "day >= ${NOBODY}", "${NOBODY}"):
        assert faults(output=output(f'"{text}"')) == []


def test_a_project_without_sql_does_not_load_its_reader(project, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sqlglot"]:
        monkeypatch.delitem(sys.modules, name)
    config, _ = Project.inspect(project(), environ={})
    config.validate()
    assert "sqlglot" not in sys.modules
