"""Connections that do not get on are closed, and no others; signals end a server well."""

import asyncio
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from deepmoji.errors import InputError
from deepmoji.serving import protocol
from deepmoji.serving.listening import address, bind

PATIENCE = 0.6
HEAD = b"POST /%s HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n"


async def application(scope, receive, send):
    """Answers at once, late, or when the whole body is there, as its path says."""
    if scope["path"] == "/late":
        await asyncio.sleep(2.5 * PATIENCE)
    if scope["path"] == "/whole":
        while (await receive()).get("more_body"):
            pass
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", PATIENCE)
    config = uvicorn.Config(
        application, http=protocol.Impatient, lifespan="off", log_config=None, ws="none"
    )
    server, listening = uvicorn.Server(config), bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(30)
    listening.close()
    assert not thread.is_alive()


def converse(port, *pieces, pause=0.01):
    """Send pieces, listening for a while after each; what came back, and after how long."""
    begun, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        waits = [pause] * (len(pieces) - 1) + [30]
        for piece, wait in zip(pieces, waits, strict=True):
            end = time.monotonic() + wait
            try:
                connection.sendall(piece)
                while (left := end - time.monotonic()) > 0:
                    connection.settimeout(left)
                    received = connection.recv(65536)
                    if not received:
                        return answer, time.monotonic() - begun
                    answer += received
            except TimeoutError:
                continue
            except ConnectionError:
                break
    return answer, time.monotonic() - begun


def test_who_says_nothing_is_let_go(port):
    answer, seconds = converse(port, b"")
    assert answer == b""
    assert seconds < 20


def test_a_head_in_drops_is_not_waited_for(port):
    drops = [bytes([each]) for each in HEAD % (b"now", 0)]
    answer, seconds = converse(port, *drops, pause=PATIENCE / 5)
    assert answer == b""
    assert seconds < len(drops) * PATIENCE / 5


def test_the_next_head_on_the_same_connection_is_not_waited_for_either(port):
    drops = [b"G", *[b"E"] * 100]
    answer, seconds = converse(port, HEAD % (b"now", 0), *drops, pause=PATIENCE / 5)
    assert answer.count(b"200 OK") == 1
    assert seconds < 100 * PATIENCE / 5


def test_the_body_of_an_answered_request_is_not_waited_for(port):
    answer, seconds = converse(port, HEAD % (b"now", 10_000), *[b"x"] * 100, pause=PATIENCE / 5)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert seconds < 100 * PATIENCE / 5


def test_a_late_answer_comes(port):
    answer, _ = converse(port, HEAD % (b"late", 0) + HEAD % (b"now", 0))
    assert answer.count(b"200 OK") == 2


def test_a_body_that_is_wanted_may_take_longer(port):
    answer, _ = converse(port, HEAD % (b"whole", 3), b"a", b"b", b"c", pause=PATIENCE)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_request_in_two_pieces_and_another_after_a_rest(port):
    request = HEAD % (b"now", 0)
    answer, _ = converse(port, request[:30], request[30:], request, pause=PATIENCE / 2)
    assert answer.count(b"200 OK") == 2


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("192.0.2.1", "cannot listen on 192.0.2.1"),  # nobody's: for documentation, RFC 5737
        ("a..b", "cannot listen on a..b"),
        ("x" * 300, "cannot listen on xxx"),
    ],
)
def test_where_nobody_can_listen_is_told(host, message):
    with pytest.raises(InputError, match=f"{message}.*--host and --port"):
        bind(host, 0)


def test_addresses_can_be_typed_into_a_browser():
    with bind("::1", 0) as listening:
        assert address("::1", listening) == f"http://[::1]:{listening.getsockname()[1]}"


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_it_returns_at_a_signal(signal):
    script = f"""
import os, signal, threading, uvicorn
from deepmoji.serving.listening import bind, run
signal.signal(signal.SIGINT, signal.default_int_handler)
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        os.kill(os.getpid(), signal.{signal})
async def application(scope, receive, send):
    pass
run(Server(uvicorn.Config(application, lifespan="off", log_config=None)), bind("127.0.0.1", 0))
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
