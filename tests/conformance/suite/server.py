"""Apache Spark in a process of its own, which plays whatever it is asked for: its start takes longer than many cases.

``python -m suite.server ENGINE``, what ``engine_for`` is given as JSON: each line of its input is a verb and a
folder, as a list in JSON. What it found lies in the folder then, pickled, and a line of its output says so.
"""

import json
import os
import pickle
import sys
from pathlib import Path

from suite.cases import CASES, folder_of
from suite.playing import Player, play, reads
from tauro.engines import engine_for


def cases(player, folder):
    """Return what came of the cases of ``names.json``, and where."""
    names = json.loads((folder / "names.json").read_text())
    return {name: (play(CASES[name], folder / folder_of(name), player), folder / folder_of(name)) for name in names}


def others(player, folder):
    """Return what is read of tables that others have written: those of the folders in ``places.json``."""
    places = json.loads((folder / "places.json").read_text())
    return {name: reads(CASES[name], Path(root), player) for name, root in places.items()}


def checks(player, folder):
    """Return what checks make of rows: some of the cases of tests/io/checks_play.py."""
    import checks_play

    return checks_play.play_all(checks_play.on_spark(player.engine.session()), folder, checks_play.few_cases())


def delta(player, folder):
    """Return what became of the writes of tests/io/delta_play.py."""
    import delta_play

    return delta_play.play_all(player.engine, delta_play.all_cases(), folder)


VERBS = {"cases": cases, "others": others, "checks": checks, "delta": delta}


def main():
    given = json.loads(sys.argv[1])
    # What Java and the project's code print belongs to nobody.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    mode = given.pop("mode")
    engine = engine_for(mode, app_name="tests", **{"spark_config": {}, **given})
    engine.prepare()
    player = Player(mode, engine)
    for line in sys.stdin:
        verb, folder = json.loads(line)
        found = VERBS[verb](player, Path(folder))
        Path(folder, "found.pickle").write_bytes(pickle.dumps(found))
        answers.write(f"{json.dumps([verb, folder])}\n")
    engine.close()


if __name__ == "__main__":
    main()
