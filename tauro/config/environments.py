"""Names of environments, and which layers of configuration each is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tauro.errors import UnknownEnvironment, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

BASE = "base"
STANDARD = (BASE, "dev", "sandbox", "prod")
_SYNONYMS = {"development": "dev", "production": "prod"}
_SANDBOX = re.compile(r"sandbox_[a-z0-9_]{1,64}")


def normalise(name: str) -> str:
    """Return the environment's name without surrounding blanks, in lower case, synonyms resolved."""
    plain = name.strip().lower()
    return _SYNONYMS.get(plain, plain)


def resolve(name: str, declared: Iterable[str] = ()) -> str:
    """Return the valid, normalised name of an environment.

    Args:
        name: The name as a person gave it.
        declared: Environments that the project's index names beside the standard ones.

    Raises:
        UnknownEnvironment: It is neither standard, nor declared, nor a developer's sandbox.
    """
    plain = normalise(name)
    known = [*STANDARD, *(other for other in map(normalise, declared) if other not in STANDARD)]
    if plain in known or _SANDBOX.fullmatch(plain):
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
    if _SANDBOX.fullmatch(name):
        return (BASE, "sandbox", name)
    return (BASE, name)
