"""A real server: many at once, too much, too slow, and the end."""

import http.client
import json
import os
import platform
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.web.models import Models, load_models, name_of
from deepmoji.web.settings import Limits, Settings
from tests.helpers.bundles import WORDS
from tests.helpers.signals import heed_interrupts
from tests.web.conftest import REDUCIBLE

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what it does is what is tested


def ask(url, method, path, body=None, timeout=30):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    with closing(connection):
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(), response.headers


def post(url, path, body, timeout=30):
    status, content, headers = ask(url, "POST", path, json.dumps(body), timeout)
    return status, json.loads(content), headers


def metric(url, line):
    lines = ask(url, "GET", "/metrics")[1].decode().splitlines()
    found = [each for each in lines if each.startswith(line)]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_no_answer_is_lost_or_swapped(serving, models, predictors):
    """32 connections, each with its own texts and both models; every number is compared."""

    def converse(url, number):
        chance = random.Random(number)
        host = url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        wrong = 0
        for _ in range(6):
            texts = [
                " ".join(chance.choices(WORDS, k=chance.randint(0, 20)))
                for _ in range(chance.randint(1, 9))
            ]
            name = chance.choice(["tiny", "own"])
            kind = chance.choice(["predict", "encode", "reduce", "occlusion"])
            if kind == "reduce":
                name = "tiny"
            path = "/v1/encode" if kind in {"encode", "reduce"} else "/v1/predict"
            body = {"texts": texts, "model": name}
            if kind == "reduce":
                body |= {"reduce": chance.randint(1, REDUCIBLE)}
            elif kind != "encode":
                body |= {"top": 64, "explain": kind.replace("predict", "attention")}
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.load(response)
            assert response.status == 200
            if "features" in answer:
                found = answer["features"]
                expected = predictors[name].encode(texts, reduce=body.get("reduce"))
            else:
                labels = predictors[name].labels
                rows = [
                    {e["label"]: e["probability"] for e in p["top"]} for p in answer["predictions"]
                ]
                found = [[row[label] for label in labels] for row in rows]
                expected = predictors[name].scores(texts)
            wrong += int(np.abs(np.array(found) - expected).max() > 3e-6)
        connection.close()
        return wrong

    with serving(models) as (url, _), ThreadPoolExecutor(32) as pool:
        assert list(pool.map(lambda number: converse(url, number), range(32))) == [0] * 32
        batches = metric(url, "deepmoji_batch_texts_count")
        assert metric(url, 'deepmoji_requests_total{route="/v1/predict",status="500"}') == 0
        assert 0 < batches < 32 * 6  # some were answered together


def test_full_queue_says_when_to_come_back(serving, slow):
    limits = Limits(waiting=4)
    with serving(Models({"slow": slow}), limits=limits) as (url, _), ThreadPoolExecutor(8) as pool:
        first = pool.submit(post, url, "/v1/predict", {"texts": ["a"]})
        until(lambda: slow.asked)
        waiting = [pool.submit(post, url, "/v1/predict", {"texts": ["b", "c"]}) for _ in range(2)]
        until(lambda: metric(url, "deepmoji_waiting_texts") == 4)
        status, body, headers = post(url, "/v1/predict", {"texts": ["d"]})
        assert status == 503
        assert int(headers["Retry-After"]) >= 1
        assert body["error"]["limit"] == {"name": "waiting", "value": 4}
        # What needs no model is answered while the model computes.
        assert ask(url, "GET", "/healthz", timeout=5)[0] == 200
        slow.released.set()
        assert [each.result()[0] for each in (first, *waiting)] == [200] * 3
        assert post(url, "/v1/predict", {"texts": ["d"]})[0] == 200
    assert slow.asked == [1, 4, 1]


def test_ending_answers_what_was_accepted(serving, slow):
    with serving(Models({"slow": slow})) as (url, server), ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(post, url, "/v1/predict", {"texts": [f"so {k}"]}) for k in range(6)]
        until(lambda: metric(url, "deepmoji_waiting_texts") + sum(slow.asked) == 6)
        server.should_exit = True
        time.sleep(0.3)
        with pytest.raises(OSError):  # noqa: PT011 - refused, whatever the system calls it
            post(url, "/v1/predict", {"texts": ["late"]}, timeout=2)
        slow.released.set()
        assert [each.result()[0] for each in asked] == [200] * 6


def head(*lines, path="/v1/predict"):
    first = (f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json")
    return "\r\n".join((*first, *lines, "", "")).encode()


def test_bodies_are_read_no_further_than_their_limit(serving, models, raw):
    with serving(models, limits=Limits(body_bytes=1000)) as (url, _):
        declared = raw(url, head("Content-Length: 1001"))  # refused before it is sent
        assert b" 413 " in declared.split(b"\r\n", 1)[0]
        chunk = b"200\r\n" + b" " * 512 + b"\r\n"
        streamed = raw(url, head("Transfer-Encoding: chunked"), chunk, chunk)
        assert b" 413 " in streamed.split(b"\r\n", 1)[0]
        assert b'"body_bytes"' in streamed
        absurd = raw(url, head(f"Content-Length: {'9' * 19}"))
        assert b" 4" in absurd.split(b"\r\n", 1)[0]
        waits = raw(url, head("Content-Length: 1001", "Expect: 100-continue"))
        assert b"100 Continue" not in waits
        assert b" 413 " in waits.split(b"\r\n", 1)[0]
        content = b'{"texts": ["so"]}'
        pieces = [b"%x\r\n%b\r\n" % (len(content), content), b"0\r\n\r\n"]
        whole = raw(url, head("Transfer-Encoding: chunked"), *pieces)
        assert b" 200 " in whole.split(b"\r\n", 1)[0]


def test_a_body_that_does_not_come_is_given_up(serving, models, raw):
    with serving(models, limits=Limits(body_seconds=0.3)) as (url, _):
        answer = raw(url, head("Content-Length: 100"), b'{"texts"')
        assert b" 408 " in answer.split(b"\r\n", 1)[0]
        assert b'"body_seconds"' in answer


def test_a_client_that_leaves_hurts_nobody(serving, models):
    with serving(models) as (url, _):
        host = url.removeprefix("http://")
        for _ in range(5):
            connection = http.client.HTTPConnection(host)
            connection.putrequest("POST", "/v1/predict")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", "100")
            connection.endheaders(b'{"texts"')
            connection.close()
        until(lambda: metric(url, 'deepmoji_requests_total{route="/v1/predict",status="499"}') == 5)
        assert post(url, "/v1/predict", {"texts": ["so"]})[0] == 200


@pytest.fixture
def command(folders, tmp_path):
    """Starts `deepmoji serve` as a user does; gives the process and its address."""
    started = []

    def start(*arguments, environment=None):
        process = subprocess.Popen(
            [sys.executable, "-m", "deepmoji", "serve", "--port", "0", *map(str, arguments)],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=tmp_path,
            env=os.environ | (environment or {}),
            preexec_fn=heed_interrupts if sys.platform != "win32" else None,
        )
        started.append(process)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "http://" in line:
                return process, line.split()[-1], lines
        pytest.fail("".join(lines))

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_well(command, folders, number):
    process, url, _ = command("--model", folders["tiny"], "--threads", 1, "--access-log")
    body = {"texts": [" ".join(WORDS[:24])] * 32, "explain": "occlusion"}
    answers = []
    asking = threading.Thread(target=lambda: answers.append(post(url, "/v1/predict", body)))
    asking.start()
    # Accepted, as the queue or the batch that is being answered show.
    until(lambda: metric(url, "deepmoji_batch_texts_count") >= 1)
    process.send_signal(number)
    asking.join(30)
    assert answers
    assert answers[0][0] == 200
    assert len(answers[0][1]["predictions"]) == 32
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in rest
    assert "POST /v1/predict 200" in rest


def test_command_offers_models_and_takes_the_key_of_the_environment(command, folders):
    _, url, lines = command(
        *("--model", f"a={folders['own']}", "--model", folders["tiny"], "--host", EVERYWHERE),
        environment={"DEEPMOJI_API_KEY": "sesame"},
    )
    url = url.replace(EVERYWHERE, "127.0.0.1")
    assert "a, tiny, default" in lines[-1]
    assert len(lines) == 1  # no warning: it asks for a key
    assert post(url, "/v1/predict", {"texts": ["so"]})[0] == 401


def test_command_warns_where_everybody_may_ask(command, folders):
    _, _, lines = command("--model", folders["tiny"], "--host", EVERYWHERE)
    assert "warning: whoever reaches this machine can ask" in lines[0]


def failing(arguments, tmp_path):
    command = [sys.executable, "-m", "deepmoji", "serve", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert len(run.stderr.splitlines()) == 1
    return run.returncode, run.stderr


def test_what_cannot_be_served_is_told_in_one_line(serving, models, folders, tmp_path):
    with serving(models) as (url, _):
        port = url.rsplit(":", 1)[1]
        code, line = failing(("--model", folders["tiny"], "--port", port), tmp_path)
        assert code == 1
        assert f"cannot listen on 127.0.0.1, port {port}" in line
    assert failing(("--model", "a=nowhere"), tmp_path)[0] == 1


def test_models_by_name(folders, monkeypatch, tmp_path):
    named = load_models([f"default={folders['own']}", str(folders["tiny"])], threads=1)
    assert named.names == ["default", "tiny"]
    assert named.default == "default"
    first = load_models([str(folders["tiny"])], threads=1)
    assert (first.names, first.default) == (["tiny", "default"], "tiny")
    for given, message in (
        ([f"a={folders['own']}", f"a={folders['tiny']}"], "two models are called 'a'"),
        (["a="], "where is it"),
        ([f"={folders['own']}"], "no name for a model"),
    ):
        with pytest.raises(InputError, match=message):
            load_models(given, threads=1)


def test_labels_have_names_where_they_are_symbols():
    assert name_of("😂") == "face with tears of joy"
    assert name_of("🦊") == "fox face"
    assert name_of("joy") is None
    assert name_of("x") is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": 70_000}, "port"),
        ({"api_key": ""}, "empty"),
        ({"api_key": "schlüssel"}, "ASCII"),
        ({"api_key": " a"}, "space"),
        ({"origins": ("example.org",)}, "https://example.org"),
        ({"host": "no such host.invalid", "port": 1}, None),
    ],
)
def test_settings_are_checked(settings, message):
    if message is None:
        assert Settings(**settings).is_open
        return
    with pytest.raises(InputError, match=message):
        Settings(**settings)
    with pytest.raises(InputError, match="texts"):
        Limits(texts=0)


def test_the_key_is_in_no_representation():
    assert "sesame" not in repr(Settings(api_key="sesame"))


def test_a_table_that_fits_no_model_is_told(folders, tmp_path):
    table = tmp_path / "table.toml"
    table.write_text('[valence]\njoy = 1\n[emojis]\n"joy" = "joy"\n', "utf-8")
    with pytest.raises(InputError, match=r"table.toml lacks 😂"):
        load_models([str(folders["tiny"])], table=table)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
@pytest.mark.parametrize(("environment", "heaps"), [({}, 1), ({"MALLOC_ARENA_MAX": "4"}, 4)])
def test_threads_share_a_heap_unless_told_otherwise(environment, heaps):
    done = subprocess.run(
        [sys.executable, "-c", HEAPS], env={**os.environ, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) == heaps


# How many heaps eight threads allocate from: each begins at a multiple of 64 MB, but for the first,
# which is small.
HEAPS = """
import ctypes, threading
from deepmoji.web.memory import share_heap
share_heap()
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
places, together = [], threading.Barrier(8)
def allocate():
    together.wait()
    places.append(malloc(1000))
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len({place >> 26 for place in places}))
"""
