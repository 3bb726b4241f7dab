"""Which projects lie below a folder, which of them is meant, and when that cannot be told."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.config import search
from tauro.config.root import INDEX_NAMES
from tauro.config.search import Candidate, Tree, Wanted, best, locate, rank, scan
from tauro.errors import SettingsNotFound, UsageFault

not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Make files below an empty folder, which is the current one, and return the folder."""
    base = tmp_path / "base"
    base.mkdir()
    monkeypatch.chdir(base)

    def make(*files):
        for file in files:
            (base / file).parent.mkdir(parents=True, exist_ok=True)
            (base / file).write_text("{}")
        return base

    return make


def ranked(indexes, *names, **more):
    return [candidate.path for candidate in rank(indexes, Wanted(*names, **more))]


# -- what is found --------------------------------------------------------------------------------


def test_every_index_here_and_below_is_found_with_the_folders_that_were_looked_into(tree):
    base = tree("tauro.json", "a/settings.json", "a/settings_yml.json", "b/c/config.json", "b/notes.txt")
    found = scan(base)
    assert found.indexes == ("tauro.json", "a/settings.json", "a/settings_yml.json", "b/c/config.json")
    assert found.folders == ("", "a", "b", "b/c")
    assert found.complete


@pytest.mark.parametrize("name", INDEX_NAMES)
def test_every_name_of_an_index_is_found(tree, name):
    assert scan(tree(f"a/{name}", "a/other.json", "a/settings.yaml")).indexes == (f"a/{name}",)


def test_four_folders_deep_is_searched_and_not_five(tree):
    base = tree("1/2/3/4/settings.json", "1/2/3/4/5/settings.json")
    assert scan(base).indexes == ("1/2/3/4/settings.json",)
    assert "1/2/3/4/5" not in scan(base).folders


@pytest.mark.parametrize("folder", [".hidden", ".git", "node_modules", "site-packages", "__pycache__", "venv", ".venv"])
def test_hidden_folders_and_folders_of_packages_are_passed_over(tree, folder):
    base = tree(f"{folder}/settings.json", f"a/{folder}/b/settings.json", "a/settings.json")
    assert scan(base).indexes == ("a/settings.json",)


def test_the_folder_that_the_search_starts_from_may_have_any_name(tree):
    base = tree("node_modules/a/settings.json")
    assert scan(base / "node_modules").indexes == ("a/settings.json",)


def test_symbolic_links_are_not_followed(tree, tmp_path):
    base = tree("real/settings.json")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "settings.json").write_text("{}")
    (base / "out").symlink_to(tmp_path / "outside")
    (base / "again").symlink_to("real")
    (base / "real" / "round").symlink_to("..")
    (base / "tauro.json").symlink_to("real/settings.json")
    assert scan(base).indexes == ("real/settings.json",)
    assert scan(base).folders == ("", "real")


def test_a_folder_that_is_named_like_an_index_is_a_folder(tree):
    assert scan(tree("settings.json/tauro.json")).indexes == ("settings.json/tauro.json",)


def test_a_fifo_that_is_named_like_an_index_is_none(tree):
    base = tree()
    os.mkfifo(base / "settings.json")
    assert scan(base).indexes == ()


def test_a_folder_that_goes_away_or_is_closed_holds_nothing(tree, monkeypatch):
    base = tree("a/settings.json", "closed/settings.json")
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert scan(base).indexes == ("a/settings.json",)


@not_as_root
def test_a_folder_that_others_keep_closed_is_passed_over(tree):
    base = tree("a/settings.json", "closed/settings.json")
    (base / "closed").chmod(0)
    try:
        assert scan(base).indexes == ("a/settings.json",)
    finally:
        (base / "closed").chmod(0o700)


def test_a_tree_of_too_many_folders_is_searched_in_part_and_says_so(tree, monkeypatch):
    base = tree(*(f"{letter}/settings.json" for letter in "abcde"))
    monkeypatch.setattr(search, "MAX_FOLDERS", 6)
    assert scan(base).complete
    monkeypatch.setattr(search, "MAX_FOLDERS", 5)
    found = scan(base)
    assert not found.complete
    assert len(found.folders) == 5


def test_names_of_any_letters_are_found(tree):
    folder = os.fsdecode(b"not\xff utf-8\n")
    assert scan(tree(f"{folder}/settings.json")).indexes == (f"{folder}/settings.json",)


# -- which is best --------------------------------------------------------------------------------


def test_without_names_the_index_s_own_name_counts_and_then_the_depth():
    indexes = [f"a/{name}" for name in reversed(INDEX_NAMES)]
    assert ranked(indexes) == [f"a/{name}" for name in INDEX_NAMES]
    scores = [candidate.score for candidate in rank(indexes, Wanted())]
    assert scores == [29, 24, 19, 14, 9, 4]
    assert ranked(["a/b/settings.json", "c/settings.json", "settings.json"]) == [
        "settings.json",
        "c/settings.json",
        "a/b/settings.json",
    ]


@pytest.mark.parametrize(
    ("path", "names", "score"),
    [
        ("tauro.json", (), 5),
        ("silver/tauro.json", ("silver",), 104),
        ("silver/tauro.json", ("SILVER",), 104),
        ("Silver/tauro.json", ("silver",), 104),
        ("silver_old/tauro.json", ("silver",), 54),
        ("a/silver/tauro.json", ("silver",), 103),
        ("silver/sales/tauro.json", ("silver", "sales"), 203),
        ("sales/silver/tauro.json", ("silver", "sales"), 203),
        ("silver/sales_eu/tauro.json", ("silver", "sales"), 153),
        ("silver/x/tauro.json", ("silver", "sales"), 103),
        ("silver/settings_yml.json", ("silver",), 129),
        # The name of the index is no folder of the path.
        ("a/settings.json", ("settings",), 14),
    ],
)
def test_a_score_is_what_the_help_of_list_configs_says(path, names, score):
    (found,) = rank([path], Wanted(*names))
    assert found.score == score


def test_a_name_that_was_asked_for_outweighs_everything_else():
    indexes = ["settings_yml.json", "silver_old/settings_yml.json", "a/b/c/silver/tauro.json"]
    assert ranked(indexes, "silver") == list(reversed(indexes))


def test_a_candidate_matches_when_its_path_has_every_name():
    paths = ["silver/sales/tauro.json", "silver/tauro.json", "sales/tauro.json", "tauro.json"]
    found = {candidate.path: candidate.matches for candidate in rank(paths, Wanted("silver", "sales"))}
    assert found == {paths[0]: True, paths[1]: False, paths[2]: False, paths[3]: False}
    assert all(candidate.matches for candidate in rank(paths, Wanted()))


@pytest.mark.parametrize(("kind", "name"), [("yaml", "settings_yml.json"), ("json", "settings_json.json"),
                                            ("dsl", "settings_dsl.json")])  # fmt: skip
def test_a_config_type_leaves_its_own_indexes_only(kind, name):
    found = rank([f"a/{other}" for other in INDEX_NAMES], Wanted(config_type=kind))
    assert [(candidate.path, candidate.config_type) for candidate in found] == [(f"a/{name}", kind)]


def test_an_index_of_no_particular_format_has_no_type():
    assert [candidate.config_type for candidate in rank(["tauro.json"], Wanted())] == [None]


paths = st.lists(
    st.builds(
        lambda folders, name: "/".join((*folders, name)),
        st.lists(st.sampled_from(["silver", "gold", "sales", "old_silver", "a"]), max_size=4),
        st.sampled_from(INDEX_NAMES),
    ),
    unique=True,
)
wishes = st.builds(Wanted, st.sampled_from([None, "silver", "a"]), st.sampled_from([None, "sales"]), st.none())


@given(paths, wishes)
def test_ranking_loses_nothing_and_does_not_hang_on_the_order_that_it_is_given(indexes, wanted):
    found = rank(indexes, wanted)
    assert sorted(candidate.path for candidate in found) == sorted(indexes)
    assert rank(list(reversed(indexes)), wanted) == found
    assert [candidate.score for candidate in found] == sorted((c.score for c in found), reverse=True)


deep = st.integers(0, 4)


@given(deep, deep, st.sampled_from(INDEX_NAMES), st.sampled_from(INDEX_NAMES))
def test_the_path_counts_before_the_format_and_the_format_before_the_depth(depth, other_depth, name, other_name):
    whole = "/".join(["a"] * min(depth, 3) + ["silver", name])
    part = "/".join(["a"] * min(other_depth, 3) + ["silver_old", other_name])
    assert ranked([part, whole], "silver") == [whole, part]
    first, second = "/".join(["a"] * depth + [name]), "/".join(["b"] * other_depth + [other_name])
    if name != other_name:
        better = first if INDEX_NAMES.index(name) < INDEX_NAMES.index(other_name) else second
        assert ranked([first, second])[0] == better


@given(paths.filter(bool), wishes)
def test_the_best_that_has_the_names_is_chosen_and_equals_are_refused(indexes, wanted):
    candidates = rank(indexes, wanted)
    matching = [candidate for candidate in candidates if candidate.matches]
    folders = {candidate.folder for candidate in matching or candidates}
    if len(folders) == 1:
        assert best(candidates, wanted).folder in folders
    elif not matching or not wanted.names:
        with pytest.raises(UsageFault):
            best(candidates, wanted)
    else:
        scores = sorted(max(c.score for c in matching if c.folder == folder) for folder in folders)
        if scores[-1] == scores[-2]:
            with pytest.raises(UsageFault):
                best(candidates, wanted)
        else:
            assert best(candidates, wanted).score == scores[-1]


# -- which is meant -------------------------------------------------------------------------------


def test_without_names_an_index_here_is_taken_whatever_lies_below(tree):
    base = tree("tauro.json", "a/settings_yml.json")
    assert locate(base) == base


def test_without_names_the_nearest_index_above_is_taken_whatever_lies_below(tree):
    base = tree("tauro.json", "src/deep/settings_yml.json")
    assert locate(base / "src") == base


def test_without_an_index_here_or_above_the_only_one_below_is_taken(tree):
    base = tree("x/notes", "a/b/settings.json", "a/b/tauro.json")
    assert locate(base) == base / "a/b"


def test_several_below_are_refused_with_the_candidates(tree):
    base = tree("a/settings_yml.json", "b/tauro.json")
    with pytest.raises(UsageFault) as caught:
        locate(base)
    error = caught.value
    assert (error.exit_code, error.message) == (3, "2 projects could be meant")
    assert error.details.looked_up == ("a/settings_yml.json", "b/tauro.json")
    for option in ("--base-path", "--layer-name", "--use-case", "--interactive"):
        assert option in error.hint


def test_no_more_than_ten_candidates_are_listed(tree):
    base = tree(*(f"p{number}/tauro.json" for number in range(30)))
    with pytest.raises(UsageFault, match="30 projects") as caught:
        locate(base)
    assert len(caught.value.details.looked_up) == 10


def test_nothing_anywhere_is_a_configuration_error(tree):
    with pytest.raises(SettingsNotFound) as caught:
        locate(tree("a/notes.txt"))
    assert (caught.value.exit_code, caught.value.message) == (2, "No valid configuration found")


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (("silver", None), "silver"),
        ((None, "silver"), "silver"),
        (("silv", None), "silver"),
        (("gold", "sales"), "gold/sales"),
        (("sales", "gold"), "gold/sales"),
        (("gold", "hr"), "gold/hr"),
        (("Gold", "HR"), "gold/hr"),
    ],
)
def test_names_say_which_of_several_is_meant(tree, names, folder):
    base = tree("silver/tauro.json", "gold/sales/tauro.json", "gold/hr/tauro.json")
    assert locate(base, Wanted(*names)) == base / folder


@pytest.mark.parametrize("names", [("gold",), ("bronze",), ("gold", "bronze"), ("sales",)])
def test_names_that_several_or_none_have_are_refused(tree, names):
    base = tree("silver/sales/tauro.json", "gold/sales/tauro.json", "gold/hr/tauro.json")
    with pytest.raises(UsageFault):
        locate(base, Wanted(*names))


def test_a_whole_name_comes_before_a_part_of_one(tree):
    base = tree("gold/tauro.json", "gold_old/settings_yml.json")
    assert locate(base, Wanted("gold")) == base / "gold"


def test_with_names_a_project_below_is_taken_also_where_there_is_one_here(tree):
    base = tree("settings_yml.json", "silver/tauro.json")
    assert locate(base, Wanted("silver")) == base / "silver"


def test_with_names_the_project_around_is_taken_where_there_is_none_below(tree):
    base = tree("silver/tauro.json", "silver/src/m.py")
    assert locate(base / "silver" / "src", Wanted("silver")) == base / "silver"


def test_the_only_project_is_taken_though_it_has_not_the_name(tree):
    base = tree("a/tauro.json")
    assert locate(base, Wanted("silver")) == base / "a"


def test_a_config_type_is_held_among_the_projects_below(tree):
    base = tree("a/settings_yml.json", "b/settings_json.json")
    assert locate(base, Wanted(config_type="json")) == base / "b"
    with pytest.raises(SettingsNotFound):
        locate(base, Wanted(config_type="dsl"))


def test_a_folder_with_several_indexes_is_one_project(tree):
    base = tree("a/settings_yml.json", "a/settings_json.json", "a/tauro.json")
    assert locate(base) == base / "a"
    assert locate(base, Wanted("a")) == base / "a"


def test_the_user_picks_among_projects_and_not_among_the_indexes_of_one(tree):
    """What is picked is a folder: a second index of it would not be read."""
    base = tree("a/settings_yml.json", "a/settings_json.json", "b/tauro.json")
    asked = []

    def choose(candidates, wanted):
        asked.append((candidates, wanted))
        return candidates[-1]

    assert locate(base, Wanted(), choose=choose) == base / "b"
    ((candidates, wanted),) = asked
    assert [candidate.path for candidate in candidates] == ["a/settings_yml.json", "b/tauro.json"]
    assert wanted == Wanted()


def test_the_user_picks_though_there_is_a_project_here(tree):
    base = tree("settings_yml.json", "a/tauro.json")
    assert locate(base, choose=lambda candidates, _: candidates[1]) == base / "a"
    assert locate(base, choose=lambda candidates, _: candidates[0]) == base


def test_nothing_is_asked_where_there_is_nothing_to_pick(tree):
    def choose(candidates, wanted):
        raise AssertionError(candidates)

    base = tree("tauro.json", "src/m.py")
    assert locate(base / "src", choose=choose) == base
    (base / "tauro.json").unlink()
    with pytest.raises(SettingsNotFound):
        locate(base, choose=choose)


def test_a_project_here_is_found_without_a_search(tree):
    def look(base):
        raise AssertionError(base)

    base = tree("tauro.json", "a/tauro.json")
    assert locate(base, look=look) == base


def incomplete(*indexes):
    return lambda _: Tree(indexes, ("",), complete=False)


def test_a_search_that_ended_at_its_bounds_chooses_nothing(tree):
    """The project that is meant may be among the folders that were not looked into."""
    for wanted in (Wanted(), Wanted("a")):
        with pytest.raises(UsageFault) as caught:
            locate(tree(), wanted, look=incomplete("a/tauro.json"))
        assert caught.value.details.looked_up == ("a/tauro.json",)
        assert "10,000 folders" in caught.value.hint
        assert "--base-path" in caught.value.hint


def test_a_search_that_ended_at_its_bounds_and_found_nothing_says_so(tree):
    for wanted in (Wanted(), Wanted("a")):
        with pytest.raises(SettingsNotFound, match="No valid configuration found") as caught:
            locate(tree(), wanted, look=incomplete())
        assert "10,000 folders" in caught.value.hint


def test_the_user_may_pick_from_a_search_that_ended_at_its_bounds(tree):
    base = tree()
    assert locate(base, look=incomplete("a/tauro.json"), choose=lambda found, _: found[0]) == base / "a"


def test_the_folder_of_an_index_here_is_this_one():
    assert Candidate("tauro.json", None, 10, matches=True).folder == "."
    assert Candidate("a/b/tauro.json", None, 10, matches=True).folder == "a/b"
