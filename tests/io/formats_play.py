"""Plays reads and writes on Apache Spark, in a process of its own: ``formats_play.py FOLDER CACHE < cases``.

CACHE is a folder for TAURO_CACHE_DIR, with connectors.
"""

import json
import os
import sys
from pathlib import Path

from tauro.engines import engine_for
from tauro.errors import TauroError
from tauro.exec.preflight import check_engine
from tauro.io.catalog import Catalog, MemoryDatasets
from tauro.io.stored import stored_dataset
from tauro.project import Project

QUIET = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.log.level": "OFF"}


def settings(folder):
    hive = {
        "spark.sql.catalog.unity": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:{folder}/metastore;create=true",
    }
    return {"mode": "spark", "spark_master": "local[2]", "spark_config": {**QUIET, **hive}}


def play(step, root, engine):
    """Read or write, and return the rows that are there, or that were told, or the error."""
    section = "input" if "rows" not in step else "output"
    (root / "config/base" / "input.json").write_text("{}")
    (root / "config/base" / "output.json").write_text("{}")
    (root / f"config/base/{section}.json").write_text(json.dumps({"t": step["settings"]}))
    try:
        config = Project.open(root).config
        stored = stored_dataset(config, config.dataset("t"))
        check_engine(config, engine, *(({"t": stored}, {}) if section == "input" else ({}, {"t": stored})))
        one = {"t": stored}
        catalog = Catalog(one, one, MemoryDatasets({}), engine.session, config.window, root / "spool")
        if section == "output":
            return catalog.write("t", engine.session().sql(step["rows"])).rows
        if "count" in step:
            found = catalog.read("t", "spark").value.selectExpr("*", "spark_partition_id() AS part")
            found.createOrReplaceTempView("found")
            return [[str(value) for value in row] for row in engine.session().sql(step["count"]).collect()]
        rows = catalog.read("t", "pyarrow.Table").value.to_pylist()
        return sorted(([str(value) for value in row.values()] for row in rows), key=repr)
    except TauroError as error:
        return f"{error.message} | {error.hint}"
    except Exception as error:  # noqa: BLE001 - the engine's own
        return f"{type(error).__name__}: {str(error)[:300]}"


def main():
    folder, os.environ["TAURO_CACHE_DIR"] = sys.argv[1:]
    root = Path(folder) / "project"
    (root / "config/base").mkdir(parents=True)
    (root / "settings.json").write_text('{"env_config": {"base": {}}}')
    given = settings(folder)
    (root / "config/base/global_settings.json").write_text(json.dumps(given))
    engine = engine_for("spark", app_name="tests", spark_config=given["spark_config"], spark_master="local[2]")
    results = {case: [play(step, root, engine) for step in steps] for case, steps in json.load(sys.stdin).items()}
    engine.close()
    json.dump(results, sys.stdout, default=str)


main()
