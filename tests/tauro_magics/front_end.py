"""A front end that only notes what is sent to it."""

import threading
from time import monotonic

from comm.base_comm import BaseComm


class FrontEnd:
    """Notes the messages of every comm: when, by which thread, kind, model, data."""

    def __init__(self):
        self.sent = []

    def __call__(self, *args, **kwargs):
        front = self

        class Noting(BaseComm):
            def publish_msg(self, kind, data=None, metadata=None, buffers=None, **more):
                front.sent.append((monotonic(), threading.get_ident(), kind, self.comm_id, data or {}))

        return Noting(*args, **kwargs)

    def times(self, widget):
        """Return the times at which the value of a widget was sent."""
        return [
            at
            for at, _, _, model, data in self.sent
            if model == widget.model_id and "value" in data.get("state", {}) and data.get("method") == "update"
        ]

    def left(self):
        """Return the models that were opened and not closed."""
        opened = {model for _, _, kind, model, _ in self.sent if kind == "comm_open"}
        return opened - {model for _, _, kind, model, _ in self.sent if kind == "comm_close"}


def click(button):
    """Press a button as a front end does."""
    button._handle_custom_msg({"event": "click"}, [])
