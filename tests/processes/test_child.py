"""What comes through a pipe of a worker is told apart from silence, and silence from its end."""

import os

from tauro.processes.child import read


def test_a_pipe_that_is_empty_now_is_not_taken_for_one_that_has_ended():
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    assert read(reader) is None
    os.write(writer, b"told")
    assert read(reader) == b"told"
    assert read(reader) is None
    os.close(writer)
    assert read(reader) == b""
    os.close(reader)
