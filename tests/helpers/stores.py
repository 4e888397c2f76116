"""Object stores on this machine, that speak as S3 and Google's do, for a test's bucket.

They need older libraries than the package does, so `make test` installs them apart.
"""

import json
import re
import socket
import subprocess
import time
from http.client import HTTPConnection

import pytest
from pyarrow import fs

from deepmoji.corpus.stores import connect
from deepmoji.corpus.urls import Url
from tests.source_tree import ROOT

PYTHON = ROOT / ".stores" / "bin" / "python"
COMMANDS = {
    "s3": ["-m", "moto.server", "-H", "127.0.0.1", "-p"],
    "gs": ["-m", "gcp_storage_emulator", "start", "--in-memory", "--host=127.0.0.1", "--port"],
}


@pytest.fixture(scope="module", params=COMMANDS)
def store(request):
    """A kind of object store and where it answers."""
    if not PYTHON.is_file():
        pytest.skip("needs object stores, as `make test` installs them: make .stores/.installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, *COMMANDS[request.param], str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 120
            while not answers(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield request.param, f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def bucket(store, monkeypatch, request, tmp_path):
    kind, address = store
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address,
        "STORAGE_EMULATOR_HOST": address,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connect.cache_clear()
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-60:].strip("-")
    make_bucket(kind, address, name)
    yield f"{kind}://{name}"
    connect.cache_clear()


def make_bucket(kind, address, name):
    if kind == "s3":
        fs.S3FileSystem(endpoint_override=address, allow_bucket_creation=True).create_dir(name)
    else:
        client = HTTPConnection(address.removeprefix("http://"))
        headers = {"Content-Type": "application/json"}
        client.request("POST", "/storage/v1/b?project=x", json.dumps({"name": name}), headers)
        assert client.getresponse().status == 200


def fetch(url, folder):
    for each, *_ in Url(url).files():
        path = folder / each.text.removeprefix(f"{url}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.read())


def put(url, content):
    Url(url).write(iter([content]))


def names(url):
    return sorted(each.text.removeprefix(f"{url}/") for each, *_ in Url(url).files())
