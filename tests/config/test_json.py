"""JSON: strict, with a place for every fault."""

import pytest

from tauro.config.document import SyntaxFaults
from tauro.config.formats import parse_document


def read(text):
    return parse_document(text.encode(), "a.json").data


def faults(text):
    with pytest.raises(SyntaxFaults) as caught:
        read(text)
    assert caught.value.exit_code == 2
    assert all(fault.exit_code == 2 for fault in caught.value.faults)
    return caught.value.faults


def test_a_json_text_is_read():
    assert read('{"a": [1, 2.5, -3, 1e3, true, false, null, "x\\ty", {"": {}}]}') == {
        "a": [1, 2.5, -3, 1000.0, True, False, None, "x\ty", {"": {}}]
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,}', "a.json:1:9"),
        ('{\n  "a": tru\n}', "a.json:2:8"),
        ("{'a': 1}", "a.json:1:2"),
        ("// comment\n{}", "a.json:1:1"),
        ('{"a": 01}', "a.json:1:8"),
        ('{"a": 1} x', "a.json:1:10"),
        ('{"a": "x\ny"}', "a.json:1:9"),
        ("", "a.json:1:1"),
        ('{"a":\n [1, 2}', "a.json:2:7"),
    ],
)
def test_text_that_is_no_json_is_one_fault_at_its_place(text, place):
    (fault,) = faults(text)
    assert (fault.id, str(fault.place)) == ("syntax", place)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_faults_at_their_place(word):
    (fault,) = faults(f'{{"x": "{word}",\n "y": {word}}}')
    assert (str(fault.place), fault.message) == ("a.json:2:7", f"{word} is not JSON")


def test_a_number_that_no_float_can_hold_is_a_fault_at_its_place():
    (fault,) = faults("[1,\n 1e999]")
    assert str(fault.place) == "a.json:2:2"


def test_an_integer_of_thousands_of_digits_is_a_fault_at_its_place():
    (fault,) = faults('{"a": ' + "1" * 5000 + "}")
    assert str(fault.place) == "a.json:1:7"
    assert len(fault.message) < 100


def test_half_of_a_surrogate_pair_is_a_fault_at_its_place():
    (fault,) = faults('{"a": "\\ud83d\\ude00",\n"b": "x\\ud83d"}')
    assert str(fault.place) == "a.json:2:6"


def test_a_whole_surrogate_pair_is_one_character():
    assert read('["\\ud83d\\ude00"]') == ["😀"]


def test_every_key_that_stands_twice_is_a_fault_at_its_second_place():
    found = faults('{"a": 1,\n "b": {"x": 1, "x": 2},\n "a": 3,\n "c": {"x": 1}}')
    assert [(fault.id, str(fault.place)) for fault in found] == [
        ("duplicate-key", "a.json:2:16"),
        ("duplicate-key", "a.json:3:2"),
    ]


def test_a_key_may_stand_in_several_mappings():
    assert read('[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


def test_a_hundred_levels_are_read_and_one_more_is_a_fault_where_it_begins():
    assert read("[" * 100 + "]" * 100)
    (fault,) = faults('{"a":\n' + "[" * 100 + "]" * 100 + "}")
    assert str(fault.place) == "a.json:2:100"
