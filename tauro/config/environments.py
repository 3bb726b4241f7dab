"""Names of environments, and which layers of configuration each is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tauro.errors import UnknownEnvironment, ValidationError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE = "base"
STANDARD = (BASE, "dev", "sandbox", "prod")
ALLOWED = "TAURO_ALLOWED_ENVS"
_SYNONYMS = {"development": "dev", "production": "prod"}
# Text: re compiles them when they are first used.
_SANDBOX = r"sandbox_[a-z0-9_]{1,64}"
_NAME = r"[a-z0-9][a-z0-9_-]{0,71}"


NAME_HINT = "Use letters, digits, '_' and '-'."


def normalise(name: str) -> str:
    """Return the environment's name without surrounding blanks, in lower case, synonyms resolved."""
    plain = name.strip().lower()
    return _SYNONYMS.get(plain, plain)


def is_name(name: str) -> bool:
    """Say whether a normalised name can be that of an environment; it is the name of a folder, too."""
    return re.fullmatch(_NAME, name) is not None


def is_sandbox(name: str) -> bool:
    """Say whether a normalised name is that of a developer's sandbox."""
    return re.fullmatch(_SANDBOX, name) is not None


def allowed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environments that ``$TAURO_ALLOWED_ENVS`` adds to the standard ones, parted by commas.

    Raises:
        ValidationError: One of them cannot be the name of an environment.
    """
    names = tuple(normalise(name) for name in environ.get(ALLOWED, "").split(",") if name.strip())
    for name in names:
        if not is_name(name):
            raise ValidationError(f"{ALLOWED}: '{name}' cannot be the name of an environment", hint=NAME_HINT)
    return names


def resolve(name: str, declared: Iterable[str] = ()) -> str:
    """Return the valid, normalised name of an environment.

    Args:
        name: The name as a person gave it.
        declared: Environments that the project's index or the user names beside the standard ones.

    Raises:
        UnknownEnvironment: It is neither standard, nor declared, nor a developer's sandbox.
    """
    plain = normalise(name)
    known = list(dict.fromkeys((*STANDARD, *map(normalise, declared))))
    if plain in known or is_sandbox(plain):
        return plain
    raise UnknownEnvironment(
        f"Environment '{name}' not recognized",
        looked_up=(*known, "sandbox_<developer>"),
        nearest=nearest(plain, known),
        hint="Use one of: " + ", ".join([*known, "sandbox_<developer>"]) + ".",
    )


def chain(name: str) -> tuple[str, ...]:
    """Return the layers of a valid environment, first loaded first: ``base``, then its own.

    A developer's sandbox stands on ``sandbox``.
    """
    if name == BASE:
        return (BASE,)
    if is_sandbox(name):
        return (BASE, "sandbox", name)
    return (BASE, name)
