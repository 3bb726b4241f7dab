"""Apache Spark leaves the same tables as the embedded engine, reads them alike, and refuses for the same reason.

Sorted behind the other tests: it plays while they run.
"""

import pytest
from suite.cases import BY_APACHE_SPARK, BY_CLUSTER, CASES
from suite.comparing import canonical, differences
from suite.differences import DIFFERENCES, READ_BY_THE_OTHER, SPARK, listed
from suite.playing import Player, reads


@pytest.mark.parametrize("name", BY_APACHE_SPARK)
def test_both_engines_come_to_the_same(embedded, by_apache_spark, name):
    found, _ = by_apache_spark[name]
    assert differences(CASES[name], embedded(name), found) == listed(name, SPARK)


@pytest.mark.parametrize("name", [name for name in BY_APACHE_SPARK if CASES[name].writes and CASES[name].reads])
def test_what_apache_spark_has_written_the_embedded_engine_reads_as_it_does(engine, by_apache_spark, name):
    found, root = by_apache_spark[name]
    other = found._replace(reads=reads(CASES[name], root, Player("local", engine)))
    assert differences(CASES[name], found, other) == listed(name, READ_BY_THE_OTHER)


@pytest.mark.parametrize(("who", "name"), [(who, name) for who, names in BY_CLUSTER.items() for name in names])
@pytest.mark.timeout(900)
def test_a_cluster_and_a_server_come_to_the_same_as_apache_spark_alone(by_apache_spark, by_cluster, who, name):
    alone, _ = by_apache_spark[name]
    found, _ = by_cluster[who][name]
    assert differences(CASES[name], alone, found) == listed(name, who)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.what[:40])
def test_a_difference_that_is_listed_names_cases_that_there_are(difference):
    assert [name for name in difference.shown if name not in CASES] == []


def test_tables_are_compared_whatever_the_order_of_their_rows():
    assert canonical(([("a", "int")], [(2,), (1,)])) == canonical(([("a", "int")], [(1,), (2,)]))
    assert canonical(([("a", "int")], [(2,)])) != canonical(([("a", "long")], [(2,)]))
