"""Who may ask the API, and what it keeps to itself: by keys, headers, failures and logs."""

import logging

import pytest

from tests.helpers.webapi import error

KEY = "sesame-öffne"


@pytest.mark.parametrize(
    "path", ["/v1/predict", "/v1/encode", "/v1/emotions", "/v1/models", "/metrics"]
)
def test_key(client, path):
    def ask(opened, headers):
        if path in {"/v1/models", "/metrics"}:
            return opened.get(path, headers=headers)
        return opened.post(path, json={"texts": ["hi"]}, headers=headers)

    with client(api_key="sesame open") as opened:
        for headers in (
            {},
            {"X-API-Key": ""},
            {"X-API-Key": "sesame"},
            {"X-API-Key": "sesame opens"},
            {"Authorization": "Bearer"},
            {"Authorization": "Basic c2VzYW1l"},
            {"X-API-Key": KEY.encode()},
        ):
            response = ask(opened, headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert error(response)["code"] == "unauthorized"
        for headers in ({"X-API-Key": "sesame open"}, {"Authorization": "bearer sesame open"}):
            assert ask(opened, headers).status_code == 200


def test_page_and_health_need_no_key(client):
    with client(api_key="sesame") as opened:
        assert opened.get("/healthz").status_code == 200
        assert opened.get("/").status_code == 200
        assert opened.get("/page.json").json()["asks_for_key"] is True
        assert "sesame" not in opened.get("/openapi.json").text


def test_other_sites_may_not_ask_unless_told(client):
    asking = {"Origin": "https://example.org"}
    preflight = asking | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    with client() as opened:
        assert opened.options("/v1/predict", headers=preflight).status_code == 405
        answer = opened.post("/v1/predict", json={"texts": ["a"]}, headers=asking)
        assert not [name for name in answer.headers if name.startswith("access-control")]
    with client(origins=("https://example.org",), api_key="sesame") as opened:
        allowed = opened.options("/v1/predict", headers=preflight)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://example.org"
        refused = opened.options("/v1/predict", headers=preflight | {"Origin": "https://evil.test"})
        assert "access-control-allow-origin" not in refused.headers
        unauthorized = opened.post("/v1/predict", json={"texts": ["a"]}, headers=asking)
        assert unauthorized.status_code == 401
        assert unauthorized.headers["access-control-allow-origin"] == "https://example.org"


def test_every_answer_is_protected(client):
    with client() as opened:
        for path in ("/", "/static/main.js", "/v1/models", "/nope", "/healthz"):
            headers = opened.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
        for path in ("/v1/models", "/page.json", "/nope"):
            assert opened.get(path).headers["cache-control"] == "no-store"
        for path in ("/", "/static/main.js"):  # kept, but never a part older than the others
            first = opened.get(path)
            assert first.headers["cache-control"] == "no-cache"
            again = opened.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert again.status_code == (304 if path != "/" else 200)


def test_failure_of_a_model_is_admitted_and_nothing_more(client, models, monkeypatch):
    def fail(texts):
        raise RuntimeError(f"cannot read {texts}")

    offered = models.get("tiny")
    monkeypatch.setattr(type(offered), "predict", lambda self, texts: fail(texts))
    with client() as opened:
        response = opened.post("/v1/predict", json={"texts": ["a secret"]})
        assert response.status_code == 500
        assert error(response)["code"] == "failed"
        assert "secret" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert opened.post("/v1/encode", json={"texts": ["a"]}).status_code == 200
        assert 'route="/v1/predict",status="500"} 1.0' in opened.get("/metrics").text


def test_nothing_of_a_text_is_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    with client(access_log=True) as opened:
        opened.post("/v1/predict?q=secret", json={"texts": ["secret"]})
        opened.post("/v1/predict", json={"texts": ["secret"], "secret": 1})
        opened.get("/secret")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("deepmoji")]
    assert len(ours) == 3
    assert all("secret" not in line for line in ours)
    assert ours[0].startswith("POST /v1/predict 200 ")
    assert ours[2].startswith("GET other 404 ")
