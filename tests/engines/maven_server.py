"""A Maven repository on this machine that answers as a test wants: well, late, in part, or wrongly."""

from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from tauro.engines.connectors.pins import Artifact, Connector


class MavenServer(ThreadingHTTPServer):
    """Serves ``files`` by their paths; ``answers`` come first: functions of a request, one for each of its calls.

    ``heard`` has path, ``Range`` and ``Authorization`` of every request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.answers, self.heard = {}, {}, []
        self.closing = Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Clients that go away are a part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        headers = self.headers
        self.server.heard.append((self.path, headers.get("Range"), headers.get("Authorization")))
        answers = self.server.answers.get(self.path)
        if answers:
            answers.pop(0)(self)
        elif self.path in self.server.files:
            serve(self, self.server.files[self.path])
        else:
            self.send_error(404)

    def log_message(self, *_):
        """Tests have their own words."""


def serve(request, content, *, most=None, ranges=True, stall=False):
    """Answer with a file, from where it is asked for; with ``most`` only so many bytes of it, and then nothing."""
    asked = request.headers.get("Range")
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and ranges else 0
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    request.wfile.write(content[start:] if most is None else content[start : start + most])
    request.wfile.flush()
    if stall:
        request.server.closing.wait(20)
    if most is not None:
        request.close_connection = True


def answer(code, **headers):
    """Return an answer of HTTP without a file."""

    def send(request):
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return send


@contextmanager
def maven_server():
    """Run a server until the block ends."""
    server = MavenServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def artifact(name, content, group="org.example"):
    """Return an artefact that is pinned with this content."""
    return Artifact(group, name, "1.0", len(content), sha256(content).hexdigest())


def connector(**contents):
    """Return a connector of jars with these contents."""
    return Connector("delta", tuple(artifact(name, content) for name, content in contents.items()))
