"""Which addresses may be asked, and what a proxy or a certificate says."""

import shutil
import ssl
import subprocess

import pytest

from deepmoji.errors import HubError
from deepmoji.hub.address import check, proxy_of, shown
from deepmoji.hub.fetch import Patience, fetch
from tests.helpers import webserver

QUICK = Patience(timeout=0.5, tries=1)


@pytest.mark.parametrize(
    "address", ["https://example.org/x", "http://localhost:1/x", "http://127.0.0.1/x"]
)
def test_addresses_that_may_be_asked(address):
    assert check(address) == address


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("http://example.org/x", "not encrypted"),
        ("ftp://localhost/x", "not encrypted"),
        ("file:///etc/passwd", "no address"),
        ("example.org/x", "no address"),
        ("https://user:secret@example.org/x", "password"),
        ("https://example.org/a b", "no address"),
        ("https://example.org/\r\nX: y", "no address"),
        ("https://example.org:port/x", "no address"),
        ("https://[::1/x", "no address"),
        ("http://localhost.example.org/x", "not encrypted"),
    ],
)
def test_addresses_that_may_not_be_asked(address, part, tmp_path):
    with pytest.raises(HubError, match=part) as raised:
        fetch(address, tmp_path / "x")
    assert "secret" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_signatures_and_passwords_are_not_shown():
    assert shown("https://a:b@example.org:8/path?signature=1#x") == "https://example.org:8/path"


def test_a_proxy_is_shown_without_its_password(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.example.org:3128")
    assert proxy_of("https://example.org/x") == "http://proxy.example.org:3128"
    monkeypatch.setenv("no_proxy", "example.org")
    assert proxy_of("https://example.org/x") == ""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password(web, tmp_path, monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme}_proxy", web.address)
    for path in ("http://localhost/x", "localhost:443"):
        web.script[path] += [webserver.status(407)]
    with pytest.raises(HubError, match=r"wants a name and a password \(407\).*HTTPS_PROXY"):
        fetch(f"{scheme}://localhost/x", tmp_path / "x", patience=QUICK)
    assert len(web.requests) == 1


def test_a_proxy_is_used(web, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", web.address)
    web.files["http://localhost/x"] = b"through the proxy"
    fetch("http://localhost/x", tmp_path / "x", patience=QUICK)
    assert (tmp_path / "x").read_bytes() == b"through the proxy"


def test_a_proxy_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:secret@127.0.0.1:9")
    with pytest.raises(HubError, match=r"through the proxy http://127.0.0.1:9.*HTTPS_PROXY") as e:
        fetch("https://example.org/x", tmp_path / "x", patience=QUICK)
    assert "secret" not in str(e.value)


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(HubError, match=r"cannot reach http://127.0.0.1:9/x.*offline"):
        fetch("http://127.0.0.1:9/x", tmp_path / "x", patience=QUICK)


def test_no_network(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", offline)
    with pytest.raises(HubError, match=r"Network is unreachable.*offline.*HTTPS_PROXY"):
        fetch("https://example.org/x", tmp_path / "x", patience=QUICK)


def test_no_name_service(tmp_path, monkeypatch):
    import socket

    def unknown(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.create_connection", unknown)
    with pytest.raises(HubError, match=r"cannot find https://example.org/x.*offline.*cache"):
        fetch("https://example.org/x", tmp_path / "x", patience=QUICK)


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_a_certificate_that_nobody_vouches_for(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-batch",
         "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        webserver.running(context) as web,
        pytest.raises(HubError, match=r"certificate is not valid \(self.signed.*SSL_CERT_FILE"),
    ):
        fetch(web.at("/x"), tmp_path / "x", patience=QUICK)
