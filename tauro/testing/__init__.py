"""The test kit for projects: call nodes and pipelines on small frames, and compare tables.

Nothing is stored, and no Spark session is opened where no node asks for one. It knows no test
framework; fixtures for pytest are in :mod:`tauro.testing.fixtures`.
"""

from tauro.exec.ml import MlOptions
from tauro.testing.alone import FROZEN
from tauro.testing.equality import assert_frames_equal
from tauro.testing.frames import frame
from tauro.testing.running import run_node, run_pipeline
from tauro.testing.tables import rows

__all__ = ["FROZEN", "MlOptions", "assert_frames_equal", "frame", "rows", "run_node", "run_pipeline"]
