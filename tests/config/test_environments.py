"""Names of environments, and the layers that each is made of."""

import pytest

from tauro.config.environments import allowed, chain, normalise, resolve
from tauro.errors import UnknownEnvironment, ValidationError
from tauro.project import Project


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("base", "base"),
        ("dev", "dev"),
        ("sandbox", "sandbox"),
        ("prod", "prod"),
        (" Dev\n", "dev"),
        ("DEVELOPMENT", "dev"),
        ("Production ", "prod"),
        ("sandbox_alice", "sandbox_alice"),
        ("Sandbox_Alice_2", "sandbox_alice_2"),
        ("sandbox_" + "a" * 64, "sandbox_" + "a" * 64),
    ],
)
def test_a_valid_name_is_normalised(given, name):
    assert resolve(given) == name
    assert resolve(name) == name


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        "staging",
        "sandbox_",
        "sandbox_" + "a" * 65,
        "sandbox_al-ice",
        "sandbox_../x",
        "sandbox_a/b",
        "sandbox_ä",
        "sandbox_a b",
        "dev\0",
        "base/../prod",
    ],
)
def test_any_other_name_is_refused_with_exit_code_3(given):
    with pytest.raises(UnknownEnvironment) as caught:
        resolve(given)
    assert caught.value.exit_code == 3
    assert f"'{given}'" in caught.value.message
    assert "sandbox_<developer>" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "near"), [("prd", "prod"), ("devv", "dev"), ("sandbx", "sandbox"), ("BASE1", "base")]
)
def test_a_misspelt_name_gets_the_nearest_ones(given, near):
    with pytest.raises(UnknownEnvironment) as caught:
        resolve(given)
    assert caught.value.details.nearest[0] == near


def test_a_project_may_declare_further_environments():
    assert resolve("Staging", ["staging", "QA"]) == "staging"
    assert resolve("qa", ["staging", "QA"]) == "qa"
    with pytest.raises(UnknownEnvironment) as caught:
        resolve("stagin", ["staging"])
    assert caught.value.details.nearest == ("staging",)
    assert caught.value.details.looked_up == ("base", "dev", "sandbox", "prod", "staging", "sandbox_<developer>")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("base", ("base",)),
        ("dev", ("base", "dev")),
        ("prod", ("base", "prod")),
        ("sandbox", ("base", "sandbox")),
        ("sandbox_alice", ("base", "sandbox", "sandbox_alice")),
        ("staging", ("base", "staging")),
    ],
)
def test_the_layers_of_an_environment_start_with_base(name, layers):
    assert chain(name) == layers


def test_normalising_twice_is_normalising_once():
    for name in (" Production", "sandbox_X ", "development", "Other"):
        assert normalise(normalise(name)) == normalise(name)


# -- TAURO_ALLOWED_ENVS ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" ", ()),
        (",, ,", ()),
        ("staging", ("staging",)),
        (" Staging , qa,", ("staging", "qa")),
        ("Production", ("prod",)),
        ("eu-west-1,2024_archive", ("eu-west-1", "2024_archive")),
    ],
)
def test_the_variable_names_further_environments_parted_by_commas(text, names):
    assert allowed({"TAURO_ALLOWED_ENVS": text}) == names
    assert allowed({}) == ()


@pytest.mark.parametrize("text", ["a/b", "../x", ".hidden", "a b", "ä", "a;b", "staging,a\nb", "x" * 73, "-a"])
def test_a_name_in_the_variable_that_can_be_none_is_a_validation_error(text):
    """It would become the name of a folder."""
    with pytest.raises(ValidationError, match="TAURO_ALLOWED_ENVS") as caught:
        allowed({"TAURO_ALLOWED_ENVS": text})
    assert (caught.value.exit_code, bool(caught.value.hint)) == (3, True)


def test_the_variable_makes_an_environment_valid_for_every_project(project):
    files = {"config/staging/global_settings.yaml": "layer: staging\n"}
    folder = project(files)
    with pytest.raises(UnknownEnvironment):
        Project.open(folder, "staging", environ={})
    opened = Project.open(folder, "Staging", environ={"TAURO_ALLOWED_ENVS": "qa,staging"})
    assert (opened.env, opened.config.layers) == ("staging", ("base", "staging"))
    assert opened.config.settings.layer == "staging"


def test_the_variable_takes_no_environment_away(project):
    for env in ("base", "dev", "prod", "sandbox_alice"):
        assert Project.inspect(project(), env, environ={"TAURO_ALLOWED_ENVS": "staging"})[0].env == env


def test_a_misspelt_environment_of_the_variable_gets_the_nearest_name(project):
    with pytest.raises(UnknownEnvironment) as caught:
        Project.open(project(), "stagin", environ={"TAURO_ALLOWED_ENVS": "staging"})
    assert caught.value.details.nearest == ("staging",)
    assert "staging" in caught.value.hint


def test_an_environment_of_the_variable_without_settings_is_a_warning(project):
    _, (warning,) = Project.inspect(project(), "qa", environ={"TAURO_ALLOWED_ENVS": "qa"})
    assert (warning.id, warning.warning) == ("environment-without-settings", True)


def test_a_wrong_variable_stops_every_command_and_says_which_it_is(project):
    with pytest.raises(ValidationError, match="'a/b' cannot be the name of an environment"):
        Project.open(project(), "base", environ={"TAURO_ALLOWED_ENVS": "a/b"})
