"""Frames of every kind, on one embedded engine."""

import pytest

from tauro.engines.sail import SailEngine
from tauro.io.frames import KINDS, SPARK, convert
from tauro.testing import frame


@pytest.fixture(scope="session")
def spark():
    engine = SailEngine("tests of the test kit", {})
    engine.prepare()
    yield engine.session()
    engine.close()


@pytest.fixture(params=[SPARK, *KINDS])
def kind(request):
    return request.param


@pytest.fixture
def as_kind(spark):
    """Make a frame of a kind from rows."""
    return lambda rows, kind, schema=None: convert(frame(rows, schema), kind, lambda: spark)
