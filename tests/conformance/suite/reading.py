"""Cases of reads: of files that somebody else has written, and of tables with a past."""

from datetime import date

import polars as pl

from suite.model import Case, Read, Write
from suite.writing import APPEND, DAYS, ONE, TWO

DDL = "id INT, v STRING, p DECIMAL(10,2), d DATE, t TIMESTAMP, b BOOLEAN"
TYPED = "id,v,p,d,t,b\n1,a,1.10,2024-02-29,2024-03-31T01:30:00.5Z,true\n,,,,,\n2,b,-3,2024-02-09,2024-03-31,FALSE\n"
LOOSE = "id,d\n 2 ,2024-2-9\n"
CSV = {
    "text unless told otherwise": ({"in/a.csv": TYPED}, {}),
    "a schema": ({"in/a.csv": TYPED}, {"schema": DDL}),
    "loose values": ({"in/a.csv": LOOSE}, {"schema": "id INT, d DATE"}),
    "empty fields and empty texts": ({"in/a.csv": 'a,b\n1,\n"",2\n"x","y"\n'}, {}),
    "quotes, breaks and blank lines": ({"in/a.csv": 'a,b\n\n"l1\nl2","say ""x"""\n\n1,2\n'}, {}),
    "windows": ({"in/a.csv": "a,b\r\n1,2\r\n3,4\r\n"}, {}),
    "a mark at the start": ({"in/a.csv": "\ufeffa,b\n1,2\n"}, {}),
    "no header": ({"in/a.csv": "1,2\n3,4\n"}, {"options": {"header": False}}),
    "no header and a schema": ({"in/a.csv": "1,2\n3,4\n"}, {"options": {"header": "false"}, "schema": "x INT, y INT"}),
    "other signs": ({"in/a.csv": "a;b\n1;'x;y'\n"}, {"options": {"sep": ";", "quote": "'"}}),
    "a text for nothing": ({"in/a.csv": "a,b\nNA,1\n2,NAN\n"}, {"options": {"nullValue": "NA"}}),
    "several files": ({"in/a.csv": "a,b\n1,2\n", "in/b.csv": "a,b\n3,4\n"}, {}),
    "files of a pattern": ({"in/a.csv": "a\n1\n", "in/b.txt": "a\n2\n"}, {"filepath": "in/*.csv"}),
    "a pattern of folders": (
        {"in/1/a.csv": "a\n1\n", "in/2/a.csv": "a\n2\n", "in/3/4/a.csv": "a\n3\n"}, {"filepath": "in/[13]*/*.csv"}
    ),
    "partitions": ({"in/y=2024/a.csv": "a\n1\n", "in/y=x%20y/b.csv": "a\n2\n"}, {}),
    "a partition of nulls": ({"in/y=1/a.csv": "a\n1\n", "in/y=__HIVE_DEFAULT_PARTITION__/b.csv": "a\n2\n"}, {}),
    "partitions in the schema": ({"in/y=1/a.csv": "a\n1\n", "in/y=2/b.csv": "a\n2\n"}, {"schema": "a INT, y INT"}),
    "renamed columns": ({"in/a.csv": "Order ID,b\n1,2\n"}, {"schema": "order_id INT, b INT"}),
    "only a header": ({"in/a.csv": "a,b\n"}, {}),
    "a single empty field": ({"in/a.csv": 'a\nx\n""\ny\n'}, {}),
    "inferred types": ({"in/a.csv": "a,b\n1,x\n"}, {"options": {"inferSchema": True}}),
    "some of the rows": ({"in/a.csv": "a,b\n1,x\n2,y\n"}, {"partition_filter": "b = 'y'"}),
    "some of numbers": ({"in/a.csv": "a\n1\n2\n10\n"}, {"partition_filter": "a > 1", "schema": "a INT"}),
}  # fmt: skip
JSON = {
    "a schema": ({"in/a.json": '{"id":1,"t":"2024-03-31T01:30:00Z"}\n{"t":null}\n'}, {"schema": "id INT, t TIMESTAMP"}),
    "no schema": ({"in/a.json": '{"b":1,"a":{"y":[1.5],"x":"s"}}\n{"c":true,"a":{"z":1}}\n'}, {}),
    "files of different columns": ({"in/a.json": '{"a":1}\n', "in/b.json": '{"a":2,"b":"x"}\n'}, {}),
    "blank lines": ({"in/a.json": '\n{"a":1}\r\n\n{"a":2}'}, {}),
    "decimals": ({"in/a.json": '{"a":1.10}\n'}, {"schema": "a DECIMAL(10,2)"}),
    "partitions": ({"in/y=1/a.json": '{"a":1}\n', "in/y=2/b.json": '{"a":2}\n'}, {}),
}
TEXT = {
    "lines": ({"in/a.txt": "a\n\nb,c\n"}, {}),
    "windows": ({"in/a.txt": "a\r\nb"}, {}),
    "a whole file": ({"in/a.txt": "a\nb\n"}, {"options": {"wholetext": True}}),
}
BROKEN = {
    "a short line": "a,b\n1,2\n3\n4,5\n",
    "a long line": "a,b\n1,2\n3,4,5\n",
    "a short line and a long one": "a,b\n1\n2,3,4\n",
    "a short line among quotes": 'a,b\n"1",2\n3\n',
    "a cut end": "a,b\n1,2\n3",
    "an open quote": 'a,b\n"1,2\n3,4\n',
}
WRONG = {
    "a text in a column of numbers": ({"in/a.csv": "a\n1\nx\n"}, {"schema": "a INT"}, "."),
    "a day that is none": ({"in/a.csv": "a\n2025-02-30\n"}, {"schema": "a DATE"}, "."),
    "a number too big": ({"in/a.csv": "a\n3000000000\n"}, {"schema": "a INT"}, "."),
    "names in another order": ({"in/a.csv": "b,a\n1,2\n"}, {"schema": "a INT, b INT"}, "another order|order"),
    "a column that is not there": ({"in/a.csv": "a\n1\n"}, {"partition_filter": "b = 1"}, "'b', which is no column"),
}


def _past():
    """Return cases of tables with several versions, partitions and files."""
    growing = tuple(
        Write(pl.DataFrame({"v": [number], "d": [date(2025, 1, number + 1)]}), {**APPEND, "partition_by": "d"})
        for number in range(3)
    )
    asked = ({}, {"version": 1}, {"version": 0}, {"partition_filter": "v >= 2"}, {"partition_filter": "v + 0 = 2"},
             {"partition_filter": "d > '2025-01-01'"}, {"partition_filter": "d = '2025-01-02' OR v = 0"})  # fmt: skip
    reads = (*map(Read, asked), Read({"version": 9}, "has no version 9"), Read({"partition_filter": "x = 1"}, "'x'"))
    days = Write(DAYS.drop_nulls(), {"partition_by": ["d"]})
    parted = (Read({"partition_filter": "d >= '2025-01-01'"}), Read({"partition_filter": "v IN (1, 4)"}),
              Read({"partition_filter": "d IS NULL"}), Read({"filepath": "data/t/d=2025-01-*/*.parquet"}))  # fmt: skip
    query = "SELECT count(*) AS n, max(v) AS most FROM rows WHERE v IS NOT NULL AND d BETWEEN :start_date AND :end_date"
    asks = Read({"format": "query", "query": query, "views": {"rows": "t"}})
    least = "SELECT v, :least + 1 AS w FROM rows WHERE v > :least"
    bound = Read({"format": "query", "query": least, "views": {"rows": "t"}, "params": {"least": 2}})
    return {
        "delta: versions": Case("delta", growing, reads),
        "delta: a query": Case("delta", growing, (asks, bound)),
        "parquet: some of the partitions": Case("parquet", (days,), parted),
        "parquet: a query": Case("parquet", (Write(DAYS),), (asks, bound)),
        "parquet: columns of a schema": Case("parquet", (Write(ONE),), (Read({"schema": "id BIGINT"}),)),
        "parquet: a wider schema": Case("parquet", (Write(ONE),), (Read({"schema": "id BIGINT, more STRING"}),)),
        "parquet: no data": Case("parquet", (), (Read({}, "has no data"),)),
        "delta: no data": Case("delta", (), (Read({}, "has no data"),)),
        "delta: read as parquet": Case("delta", (Write(TWO),), (Read({"format": "parquet"}, "Delta|delta"),)),
    }


def all_reads():
    """Return every case of reads by its name."""
    cases = {}
    for format_, named in (("csv", CSV), ("json", JSON), ("text", TEXT)):
        for name, (files, settings) in named.items():
            cases[f"{format_}: read: {name}"] = Case(format_, (), (Read(settings),), files, place="in")
    for name, text in BROKEN.items():
        read = Read({}, "cannot be read|incorrect number of fields")
        cases[f"csv: broken: {name}"] = Case("csv", (), (read,), {"in/a.csv": text}, place="in")
    lines = Read({"options": {"multiLine": True}}, "reads one object a line", 5)
    cases["json: many lines"] = Case("json", (), (lines,), {"in/a.json": '[{"a": 1},\n {"a": 2}]'}, place="in")
    for name, (files, settings, says) in WRONG.items():
        cases[f"csv: wrong: {name}"] = Case("csv", (), (Read(settings, says),), files, place="in")
    return cases | _past()
