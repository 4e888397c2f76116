import re
import socket
import threading
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from deepmoji.inference.predictor import Predictor
from deepmoji.inference.projection import Projection
from deepmoji.interop.loading import load
from deepmoji.serving.listening import address, bind
from deepmoji.web.app import make_app
from deepmoji.web.models import Models
from deepmoji.web.server import make_server
from deepmoji.web.settings import Limits, Settings
from tests.helpers.bundles import WORDS, Tiny, make_bundle
from tests.helpers.chromium import ARGUMENTS, find_chromium

REDUCIBLE = 9  # numbers that the projection of the first model has
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Two models: the 64 emojis with a projection, and labels that are words, one hostile."""
    root = tmp_path_factory.mktemp("models")
    own = Tiny(labels=("joy", "anger", HOSTILE), seed=1)
    tiny = make_bundle(root / "tiny", Tiny())
    encodings = load(tiny.folder, threads=1).encode(WORDS)
    Projection.fit([encodings], REDUCIBLE).save(tiny.projection)
    return {"tiny": tiny.folder, "own": make_bundle(root / "own", own).folder}


@pytest.fixture(scope="session")
def predictors(folders):
    return {name: load(folder, threads=1) for name, folder in folders.items()}


@pytest.fixture(scope="session")
def models(predictors):
    return Models(predictors)


@pytest.fixture
def client(models):
    """Calls the application in this process; a failure of it is an answer, not a traceback."""

    @contextmanager
    def client(offered=models, limits=None, **settings):
        app = make_app(offered, Settings(limits=limits or Limits(), **settings))
        with TestClient(app, raise_server_exceptions=False) as opened:
            yield opened

    return client


@pytest.fixture(scope="session")
def serving():
    """Runs a real server in a thread; gives its address and the server."""

    @contextmanager
    def serving(models, **settings):
        chosen = Settings(port=0, **settings)
        listening = bind(chosen.host, chosen.port)
        server = make_server(models, chosen)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield address(chosen.host, listening), server
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()

    return serving


@pytest.fixture
def raw():
    """Bytes to a server, bytes back until it closes or nothing comes for a while."""

    def raw(url, *pieces, timeout=5.0):
        host, port = url.removeprefix("http://").split(":")
        answer = b""
        with socket.create_connection((host, int(port)), timeout=timeout) as connection:
            for piece in pieces:
                connection.sendall(piece)
            connection.settimeout(timeout)
            while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
                received = connection.recv(65536)
                if not received:
                    break
                answer += received
        return answer

    return raw


class Slow(Predictor):
    """A model that answers when it is told to."""

    def __init__(self, bundle):
        super().__init__(bundle, threads=1)
        self.released = threading.Event()
        self.asked = []

    def predict(self, texts, top=5, explain="attention"):
        self.asked.append(len(texts))
        assert self.released.wait(30)
        return super().predict(texts, top, explain)


@pytest.fixture
def slow(predictors):
    made = Slow(predictors["tiny"].bundle)
    yield made
    made.released.set()


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium, for tests of a file that asks for Playwright itself."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def url(serving, models):
    with serving(models) as (address, _):
        yield address


@pytest.fixture
def opened(browser, url):
    """Opens the page; at the end nothing may have been complained of or asked of another host."""

    @contextmanager
    def opened(fragment="", address=url, expected=(), **options):
        options.setdefault("permissions", ["clipboard-read", "clipboard-write"])
        context = browser.new_context(**options)
        complaints, hosts = [], set()
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{address}/{fragment}")
        yield page
        context.close()
        unexpected = [
            each for each in complaints if not any(re.search(known, each) for known in expected)
        ]
        assert unexpected == []
        assert hosts <= {address.removeprefix("http://")}

    return opened
