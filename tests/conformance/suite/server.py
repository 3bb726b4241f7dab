"""Apache Spark in a process of its own, which plays whatever it is asked for: its start takes longer than many cases.

``python -m suite.server JARS``: each line of its input is a verb and a folder, as a list in JSON. What it
found lies in the folder then, pickled, and a line of its output says so.
"""

import json
import os
import pickle
import sys
from pathlib import Path

from suite.cases import BY_APACHE_SPARK as NAMES
from suite.cases import CASES, folder_of
from suite.playing import Player, play, reads
from tauro.engines import engine_for

CONFIG = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.log.level": "OFF",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def cases(engine, folder):
    """Return what came of every case, and where."""
    player = Player("spark", engine)
    return {name: (play(CASES[name], folder / folder_of(name), player), folder / folder_of(name)) for name in NAMES}


def others(engine, folder):
    """Return what is read of tables that others have written: those of the folders in ``places.json``."""
    player = Player("spark", engine)
    places = json.loads((folder / "places.json").read_text())
    return {name: reads(CASES[name], Path(root), player) for name, root in places.items()}


VERBS = {"cases": cases, "others": others}


def main():
    (jars,) = sys.argv[1:]
    # What Java and the project's code print belongs to nobody.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    config = {**CONFIG, "spark.jars": jars}
    engine = engine_for("spark", app_name="tests", spark_config=config, spark_master="local[1]")
    engine.session()
    for line in sys.stdin:
        verb, folder = json.loads(line)
        found = VERBS[verb](engine, Path(folder))
        Path(folder, "found.pickle").write_bytes(pickle.dumps(found))
        answers.write(f"{json.dumps([verb, folder])}\n")
    engine.close()


if __name__ == "__main__":
    main()
