"""A web server on this machine that serves, cuts off, corrupts, redirects and hangs as told."""

import re
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TAG = '"first"'


class Web:
    """What the server holds, what it does next, and what it was asked."""

    def __init__(self):
        self.files = {}  # path: bytes, or a function from the handler and the body to an answer
        self.script = defaultdict(deque)  # path: what to do at the next requests, then serve
        self.requests = []  # (method, path, headers, body)
        self.tag = TAG
        self.released = threading.Event()  # lets go of those that hang
        self.address = ""

    def at(self, path):
        return f"{self.address}{path}"

    def ranges(self):
        return [headers.get("Range") for _, _, headers, _ in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        web = self.server.web
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self._chunks()
        web.requests.append((self.command, self.path, dict(self.headers), body))
        content = web.files.get(path)
        try:
            if web.script[path]:
                web.script[path].popleft()(self, content)
            elif callable(content):
                content(self, body)
            elif content is None:
                status(404)(self, content)
            else:
                serve(self, content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_CONNECT = do_HEAD = do_PUT = do_GET  # noqa: N815 - http.server's names

    def _chunks(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        return body

    def log_message(self, *_):
        pass

    def begin(self, code, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        # A client that keeps its connections would keep their threads, and the server, waiting.
        self.send_header("Connection", "close")
        self.end_headers()

    def answer(self, content, code=200, **headers):
        self.begin(code, Content_Length=len(content), **headers)
        self.wfile.write(content)


def serve(handler, content):
    """The whole file, or the part asked for."""
    tag = handler.server.web.tag
    found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if not found or handler.headers.get("If-Range", tag) != tag:
        return handler.answer(content, ETag=tag)
    start, size = int(found[1]), len(content)
    if start >= size:
        return handler.answer(b"", 416, Content_Range=f"bytes */{size}")
    span = f"bytes {start}-{size - 1}/{size}"
    return handler.answer(content[start:], 206, ETag=tag, Content_Range=span)


def cut(count, *, serving_range=True):
    """Break the connection after so many bytes."""

    def cut_off(handler, content):
        found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(found[1]) if found and serving_range else 0
        headers = {"ETag": handler.server.web.tag, "Content_Length": len(content) - start}
        if start:
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.begin(206 if start else 200, **headers)
        handler.wfile.write(content[start : start + count])
        handler.close_connection = True

    return cut_off


def ignore_range(handler, content):
    handler.answer(content)


def wrong_range(handler, content):
    handler.answer(content[1:], 206, Content_Range=f"bytes 1-{len(content) - 1}/{len(content)}")


def corrupt(handler, content):
    handler.answer(content[:-1] + bytes([content[-1] ^ 1]))


def redirect(to):
    return lambda handler, _: handler.answer(b"", 302, Location=to)


def status(code, **headers):
    return lambda handler, _: handler.answer(b"<html>no</html>", code, **headers)


def without_length(handler, content):
    handler.begin(200)
    handler.wfile.write(content)
    handler.close_connection = True


def chunked(count=None):
    """Without a length, in chunks; broken off after so many bytes if a count is given."""

    def send(handler, content):
        handler.begin(200, Transfer_Encoding="chunked", ETag=handler.server.web.tag)
        for start in range(0, len(content[:count]), 1000):
            piece = content[:count][start : start + 1000]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if count is None:
            handler.wfile.write(b"0\r\n\r\n")

    return send


def hang(handler, content):
    handler.begin(200, Content_Length=len(content))
    handler.wfile.write(content[:3])
    handler.server.web.released.wait(20)
    handler.close_connection = True


def endless(handler, _):
    handler.begin(200)
    while not handler.server.web.released.is_set():
        handler.wfile.write(b"x" * 10_000)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined at the end, so that no socket outlives its test
    block_on_close = True

    def handle_error(self, request, client_address):
        pass  # a client that went away is part of the tests


@contextmanager
def running(tls=None):
    """A running server's `Web`; with an `ssl.SSLContext` it speaks HTTPS."""
    web = Web()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.web = web
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        web.address = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield web
        finally:
            web.released.set()
            server.shutdown()
            thread.join()
