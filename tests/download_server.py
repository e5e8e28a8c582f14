"""A web server on loopback that serves bytes from memory: basic authentication, ranges, and faults on demand."""

from __future__ import annotations

import base64
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAST_MODIFIED = 1_600_000_000


@dataclass
class Site:
    """What the server has, how it behaves, and what it was asked."""

    files: dict[str, bytes]
    login: tuple[str, str] | None = None
    modified: int | None = LAST_MODIFIED
    ranges: bool = True
    #: How many bytes of each answer are sent before the connection breaks, answer by answer; then all.
    breaks: list[int] = field(default_factory=list)
    #: How many bytes are sent before an answer waits for `resume`.
    stall_at: int | None = None
    resume: threading.Event = field(default_factory=threading.Event)
    status: int = 200
    content_type: str = "application/x-netcdf"
    redirect: str = ""
    content_length: bool = True
    #: Path, status and headers of each request; bytes sent.
    requests: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def paths(self) -> list[str]:
        return [path for path, *_ in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self):
        site, path = self.site, self.path.lstrip("/")
        if site.redirect:
            return self.answer(302, headers={"Location": site.redirect + self.path})
        if site.login and self.headers.get("Authorization") != _basic(*site.login):
            return self.answer(401, headers={"WWW-Authenticate": 'Basic realm="data"'})
        if path not in site.files:
            return self.answer(404)
        if site.status != 200:
            return self.answer(site.status)
        return self.serve(site.files[path])

    def serve(self, body):
        site, headers, status, begin = self.site, {"Content-Type": self.site.content_type}, 200, 0
        if site.modified is not None:
            headers["Last-Modified"] = formatdate(site.modified, usegmt=True)
        if site.ranges and "Range" in self.headers and self.holds():
            begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if begin >= len(body):
                return self.answer(416, headers={"Content-Range": f"bytes */{len(body)}"})
            status, headers["Content-Range"] = 206, f"bytes {begin}-{len(body) - 1}/{len(body)}"
        return self.answer(status, body[begin:], headers)

    def holds(self):
        condition = self.headers.get("If-Range")
        return condition is None or parsedate_to_datetime(condition).timestamp() == self.site.modified

    def answer(self, status, body=b"", headers=None):
        site = self.site
        site.requests.append((self.path, status, dict(self.headers)))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if site.content_length or not body:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if not body:
            return
        upto = site.breaks.pop(0) if site.breaks else len(body)
        if site.stall_at is not None:
            self.wfile.write(body[: site.stall_at])
            site.stalled.set()
            site.resume.wait(30)
            self.wfile.write(body[site.stall_at :])
        else:
            self.wfile.write(body[:upto])
        site.sent += min(upto, len(body))
        if upto < len(body):
            self.close_connection = True

    def log_message(self, *arguments):
        pass


def _basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Silent(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients of these tests hang up


@contextmanager
def serve(site):
    """Serve a site until the block ends; its ``url`` is set."""
    server = Silent(("127.0.0.1", 0), type("SiteHandler", (Handler,), {"site": site}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        site.resume.set()
        server.shutdown()
        server.server_close()
        thread.join()


def hear_ctrl_c():
    """A shell that starts tests in the background has them ignore it, and with them what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
