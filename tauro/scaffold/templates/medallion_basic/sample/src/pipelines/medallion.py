"""Runs bronze, silver and gold one after the other, on one session of the engine.

    python src/pipelines/medallion.py [environment]
"""

import sys
from pathlib import Path

from tauro import Project

PIPELINES = ("bronze_batch_ingestion", "silver_transformation", "gold_aggregation")
ROOT = Path(__file__).resolve().parents[2]


def main(env: str = "dev") -> None:
    """Run all layers; a failed run ends the program with its reason."""
    with Project.open(ROOT, env=env) as project:
        for name in PIPELINES:
            result = project.run(name).raise_for_state()
            print(f"{name}: {result.state} in {result.seconds:.2f} s ({result.run_id})")


if __name__ == "__main__":
    main(*sys.argv[1:2])
