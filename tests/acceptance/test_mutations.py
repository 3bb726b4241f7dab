"""Sound projects with something changed by chance: whatever it is, the answer is a report, and never a traceback.

Each case is made from its number alone, so that a failure can be repeated: see ``Mutant``. There are 2,000 of them,
and 20,000 with TAURO_LONG_TESTS=1.
"""

from __future__ import annotations

import json
import logging
import os
import random
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import PurePath

import pytest

from tauro.cli.cli import invoke
from tauro.config.document import SyntaxFaults
from tauro.config.formats import SUFFIXES, format_of
from tauro.scaffold.generator import FORMATS, project_files

CASES = 20_000 if os.environ.get("TAURO_LONG_TESTS") else 2_000
BATCH = 200
MOST_SECONDS = 1.0  # of processor time: a busy machine changes nothing

PROJECTS = {
    name: {
        place: text
        for place, text in project_files("medallion_basic", "shop", config_format=name).items()
        if place.startswith(("config/", "src/", "settings_"))
    }
    for name in FORMATS
}
COMMANDS = (
    ("config", "validate", "--env", "dev"),
    ("config", "validate", "--env", "dev"),
    ("config", "list-pipelines", "--env", "sandbox_alice"),
    ("config", "pipeline-info", "--env", "prod", "--pipeline", "silver_transformation"),
    ("config", "show", "--env", "dev"),
    ("config", "diff", "dev", "prod"),
    ("run", "--env", "dev", "--pipeline", "gold_aggregation", "--validate-only"),
    ("run", "--env", "dev", "--pipeline", "silver_transformation", "--start-date", "2025-01-03", "--dry-run"),
)
WORDS = (
    "", "null", "~", "true", "no", "off", "0", "-1", "3.5", "1e999", ".nan", "22:30", "2025-02-30", "2025-13-45", "now",
    "'", '"', "[", "]", "{", "}", ":", ",", "-", "=", "#", "&a", "*a", "<<", "!!python/name:os.system", "|", ">", "%",
    "@", "${", "${A}", "${A:-${B}}", "${project_name}", "$${", "..", "../x", "/", "~/x", "data", "nodes", "delta",
    "csv", "jdbc", "xlsx", "append", "merge", "streaming", "extract", "nodes.silver", "bronze.sales.orders", "\t",
    "\x00", "\x1b[2J", "\u2028", "\ufeff", "é", "😀", "\\", "\\ud800", "9" * 50, "a.b.c.d", "input", "output", "base",
    "x" * 5_000,
)  # fmt: skip
VALUES = (
    None, True, 0, -1, 10**30, 2.5, "", "x", "no", "2025-02-30", "${gone}", "../x", [], [[]], {}, {"x": {}}, [None],
    ["x", 1], {"name": "extract"}, [{"name": 1}], "bronze.sales.orders", "extract", "x" * 2_000,
)  # fmt: skip
OPTIONS = ("--env", "--node", "--resume", "--output", "--section", "--start-date", "--pipeline", "--quiet", "-q")


class Mutant:
    """A project that one number changes.

    Args:
        number: Decides everything.
    """

    def __init__(self, number: int) -> None:
        self.chance = random.Random(number)
        self.format = self.chance.choice(FORMATS)
        self.files = dict(PROJECTS[self.format])
        self.arguments = list(self.chance.choice(COMMANDS))
        self.changed: list[str] = []
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            mutate = self.chance.choice((self.text, self.token, self.value) * 2 + (self.whole,))
            mutate(self._some_file())
        if self.chance.random() < 0.1:
            self.command_line()

    def _some_file(self) -> str:
        settings = [place for place in self.files if not place.endswith(".py")]
        return self.chance.choice(settings if self.chance.random() < 0.9 else sorted(self.files))

    def _put(self, place: str, text: str | None) -> None:
        self.changed.append(place)
        self.files.pop(place)
        if text is not None:
            self.files[place] = text

    def text(self, place: str) -> None:
        """Change lines and letters."""
        lines = self.files[place].split("\n")
        one, other = (self.chance.randrange(len(lines)) for _ in range(2))
        how = self.chance.randrange(9)
        if how == 0:
            del lines[one]
        elif how == 1:
            lines.insert(other, lines[one])
        elif how == 2:
            lines[one], lines[other] = lines[other], lines[one]
        elif how == 3:
            lines[one] = self.chance.choice((" ", "  ", "\t", "    ")) + lines[one]
        elif how == 4:
            lines[one] = lines[one].lstrip()
        elif how == 5:
            lines[one] = lines[one][: self.chance.randrange(len(lines[one]) + 1)]
        elif how == 6:
            del lines[min(one, other) : max(one, other)]
        elif how == 7:
            lines = lines * self.chance.choice((2, 3))
        else:
            at = self.chance.randrange(len(lines[one]) + 1)
            lines[one] = lines[one][:at] + self.chance.choice(WORDS) + lines[one][at + self.chance.randrange(3) :]
        self._put(place, "\n".join(lines))

    def token(self, place: str) -> None:
        """Change words."""
        words = self.files[place].split(" ")
        one, other = (self.chance.randrange(len(words)) for _ in range(2))
        how = self.chance.randrange(4)
        if how == 0:
            del words[one]
        elif how == 1:
            words[one], words[other] = words[other], words[one]
        elif how == 2:
            words.insert(one, words[other])
        else:
            words[one] = self.chance.choice(WORDS)
        self._put(place, " ".join(words))

    def value(self, place: str) -> None:
        """Change what the file means, and write it in its format."""
        if PurePath(place).suffix not in SUFFIXES:
            return
        chosen = format_of(place)
        with suppress(SyntaxFaults, ValueError):  # an earlier change has broken the file; the format cannot write this
            data = chosen.parse(self.files[place], place)
            parents = [parent for parent in containers(data) if parent]
            if parents:
                self._change(self.chance.choice(parents))
            self._put(place, chosen.dump(data))

    def _change(self, parent: dict | list) -> None:
        step = self.chance.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        how = self.chance.randrange(5)
        if how == 0:
            del parent[step]
        elif how == 1 and isinstance(parent, dict):
            name = self.chance.choice((step[:-1], step + "s", step.upper(), self.chance.choice(WORDS)))
            parent[name] = parent.pop(step)
        elif how == 2:
            parent[step] = [parent[step]]
        elif how == 3:
            parent[step] = {step if isinstance(step, str) else "name": parent[step]}
        else:
            parent[step] = self.chance.choice(VALUES)

    def whole(self, place: str) -> None:
        """Change whole files."""
        how = self.chance.randrange(4)
        if how == 0:
            self._put(place, None)
        elif how == 1:
            self._put(place, "")
        elif how == 2:
            self._put(place, self.files[self._some_file()])
        else:
            suffix = self.chance.choice((".yaml", ".json", ".dsl", ".yml", ".txt"))
            self.files[str(PurePath(place).with_suffix(suffix))] = self.files[place]

    def command_line(self) -> None:
        """Change words of the command line; what runs code of the project stays a look."""
        look = [word for word in self.arguments if word in ("--dry-run", "--validate-only")]
        words = [word for word in self.arguments if word not in look]
        at = self.chance.randrange(1, len(words))
        how = self.chance.randrange(3)
        if how == 0:
            del words[at]
        elif how == 1:
            words[at] = self.chance.choice(WORDS + OPTIONS)
        else:
            words.insert(at, self.chance.choice(WORDS + OPTIONS))
        self.arguments = [*words, *look]


def containers(data):
    """Yield every mapping and list of ``data``."""
    if isinstance(data, (dict, list)):
        yield data
        for inner in data.values() if isinstance(data, dict) else data:
            yield from containers(inner)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty current folder, and no options from the machine's own variables."""
    for name in [name for name in os.environ if name.startswith("TAURO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    yield tmp_path
    logger = logging.getLogger("tauro")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def ask(arguments):
    """Return exit code, stdout, stderr and seconds of processor time of a command line."""
    out, err = StringIO(), StringIO()
    started = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        code = invoke(arguments)
    return code, out.getvalue(), err.getvalue(), time.process_time() - started


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("start", range(0, CASES, BATCH))
def test_a_project_with_something_changed_is_answered_with_a_report(machine, monkeypatch, start):
    for number in range(start, start + BATCH):
        mutant = Mutant(number)
        folder = machine / str(number)
        for place, text in mutant.files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text, encoding="utf-8", newline="")
        monkeypatch.chdir(folder)
        before = listing(folder)
        code, out, err, seconds = ask(mutant.arguments)
        case = f"case {number}: {' '.join(mutant.arguments)} after {mutant.changed}\n{out}{err}"
        assert code in {0, 2, 3, 4, 5, 6}, case
        assert "Traceback" not in out + err, case
        assert seconds < MOST_SECONDS, case
        if code:
            assert "Error: " in err, case
            check_report(folder, mutant.arguments, code, case)
        assert listing(folder) == before, case


def check_report(folder, arguments, code, case):
    """Every fault has a place that is in its file, or a name."""
    if "--output" in arguments:
        return
    at = next((index for index, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    again, _, err, _ = ask([*arguments[:at], "--output", "json", *arguments[at:]])
    assert again == code, case
    error = json.loads(err.rstrip("\n").split("\n")[-1])["error"]
    for fault in error["faults"]:
        place = fault["place"]
        assert place or fault["looked_up"] or fault["severity"] == "warning", case
        if place:
            lines = (folder / place["file"]).read_text(encoding="utf-8", errors="replace").split("\n")
            assert 1 <= place["line"] <= len(lines), case
            assert 1 <= place["column"] <= len(lines[place["line"] - 1]) + 1, case
