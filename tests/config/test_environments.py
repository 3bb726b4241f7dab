"""Names of environments, and the layers that each is made of."""

import pytest

from tauro.config.environments import chain, normalise, resolve
from tauro.errors import UnknownEnvironment


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
