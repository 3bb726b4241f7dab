"""What is said to Unity Catalog: each write is one statement, read here by another reader of SQL."""

import pytest
from sqlglot import exp, parse_one

from tauro.config.model import DatasetConfig
from tauro.io.tables import create_statement, insert_statement

TABLE = "`main`.`sales`.`the orders`"


def dataset(**settings):
    return DatasetConfig(name="t", section="output", **settings)


def named(tree):
    return [table.sql(dialect="databricks") for table in tree.find_all(exp.Table)]


def test_a_table_is_made_of_the_rows_of_a_view():
    tree = parse_one(create_statement(TABLE, "v", dataset()), dialect="databricks")
    assert isinstance(tree, exp.Create)
    assert (tree.kind, named(tree)) == ("TABLE", [TABLE, "v"])
    properties = [type(one).__name__ for one in tree.args["properties"].expressions]
    assert properties == ["FileFormatProperty"]


def test_its_partitions_place_and_meaning_are_told_whatever_signs_they_have():
    own = dataset(partition_by=("day", "a`b"), filepath="s3://lake/it's", description="What\\'s new")
    tree = parse_one(create_statement(TABLE, "v", own), dialect="databricks")
    told = tree.args["properties"]
    assert [one.name for one in told.find(exp.PartitionedByProperty).find_all(exp.Identifier)] == ["day", "a`b"]
    assert told.find(exp.LocationProperty).this.this == "s3://lake/it's"
    assert told.find(exp.SchemaCommentProperty).this.this == "What\\'s new"


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_rows_are_put_into_a_table_by_one_statement(mode):
    text = insert_statement(TABLE, "v", ["id", "a`b"], mode)
    assert text.count("`id`, `a``b`") == (2 if mode == "append" else 1)
    # The reader does not know REPLACE WHERE; what is around it is an INSERT.
    assert (" REPLACE WHERE true " in text) is (mode == "overwrite")
    tree = parse_one(text.replace(" REPLACE WHERE true", ""), dialect="databricks")
    assert isinstance(tree, exp.Insert)
    assert named(tree) == [TABLE, "v"]
    assert [column.name for column in tree.expression.expressions] == ["id", "a`b"]
