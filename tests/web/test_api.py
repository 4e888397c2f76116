"""The API: what it answers, what it refuses and how it says so."""

import json
import logging

import numpy as np
import pytest

from deepmoji.interop.loading import load
from deepmoji.labels import EMOJIS
from deepmoji.web.models import load_models
from deepmoji.web.settings import Limits
from tests.web.conftest import REDUCIBLE

TEXTS = [
    "I love how you never reply back..",
    "",
    "\ud83d \ud800x",
    "日本語 😂",
    "love " * 40,
    "\x00",
]


def error(response):
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() <= {"code", "message", "limit", "details"}
    return body["error"]


def as_json(body):
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


def test_predict_is_what_the_model_says(client, predictors):
    with client() as opened:
        response = opened.post("/v1/predict", **as_json({"texts": TEXTS, "top": 3}))
    assert response.status_code == 200
    found = response.json()["predictions"]
    expected = predictors["tiny"].predict(TEXTS, top=3)
    for row, prediction in zip(found, expected, strict=True):
        assert row.keys() == {"top", "words", "unknown_share", "truncated"}
        assert [(each["label"], each["probability"]) for each in row["top"]] == [
            (label, pytest.approx(probability, abs=2e-6)) for label, probability in prediction.top
        ]
        assert [(w["start"], w["end"], w["weight"]) for w in row["words"]] == [
            (w.start, w.end, pytest.approx(w.weight, abs=2e-6)) for w in prediction.words
        ]
        assert row["truncated"] == prediction.truncated
        assert row["unknown_share"] == pytest.approx(prediction.unknown_share, abs=1e-6)
    assert found[0]["words"][0].keys() == {"text", "start", "end", "weight"}


def test_top_is_five_by_default_and_at_most_all(client):
    with client() as opened:
        for asked, given in (({}, 5), ({"top": 1}, 1), ({"top": 10**30}, 64), ({"top": 2.0}, 2)):
            response = opened.post("/v1/predict", json={"texts": ["hi"], **asked})
            assert len(response.json()["predictions"][0]["top"]) == given


def test_long_texts(client, folders):
    chosen = {"threads": 1, "long_texts": "attention", "stride": 12}
    predictor = load(folders["tiny"], **chosen)
    texts = ["love so " * 40, "so tired", ""]
    with client(load_models([str(folders["tiny"])], **chosen), Limits(waiting=100)) as opened:
        answer = opened.post("/v1/predict", json={"texts": texts})
        rows = answer.json()["predictions"]
        assert [row.get("windows") for row in rows] == [6, None, None]
        assert [row["truncated"] for row in rows] == [False] * 3
        weights = [word.weight for word in predictor.predict(texts[0]).words]
        assert [word["weight"] for word in rows[0]["words"]] == pytest.approx(weights, abs=2e-6)
        features = opened.post("/v1/encode", json={"texts": texts}).json()["features"]
        assert np.abs(np.array(features) - predictor.encode(texts)).max() < 2e-6
        (model,) = opened.get("/v1/models").json()["models"]
        assert model["long_texts"] == "attention"
        # 80 words, each left out once: 6 windows and 80 times 6 more.
        for body, reads in (
            ({"texts": texts[:1], "explain": "occlusion"}, 486),
            ({"texts": texts[:1] * 17}, 102),
        ):
            refused = opened.post("/v1/predict", json=body)
            assert refused.status_code == 422
            assert refused.json()["error"]["limit"] == {"name": "waiting", "value": 100}
            assert f"takes {reads}" in refused.json()["error"]["message"]
        assert opened.post("/v1/predict", json={"texts": texts[:1] * 16}).status_code == 200


def test_occlusion(client, predictors):
    with client() as opened:
        body = {"texts": ["so tired of it", ""], "explain": "occlusion"}
        rows = opened.post("/v1/predict", json=body).json()["predictions"]
    expected = predictors["tiny"].predict(body["texts"], explain="occlusion")
    for row, prediction in zip(rows, expected, strict=True):
        values = [word.occlusion for word in prediction.words]
        assert [word["occlusion"] for word in row["words"]] == pytest.approx(values, abs=2e-3)


def test_encode_is_what_the_model_says(client, predictors):
    with client() as opened:
        found = opened.post("/v1/encode", **as_json({"texts": TEXTS})).json()["features"]
    assert np.abs(np.array(found) - predictors["tiny"].encode(TEXTS)).max() < 2e-6


def test_encodings_are_reduced_as_in_python(client, predictors):
    with client() as opened:
        for size in (1, 4, REDUCIBLE):
            body = {"texts": TEXTS, "reduce": size}
            found = np.array(opened.post("/v1/encode", **as_json(body)).json()["features"])
            expected = predictors["tiny"].encode(TEXTS, reduce=size)
            assert found.shape == (len(TEXTS), size)
            assert np.abs(found - expected).max() < 2e-6
        assert opened.post("/v1/encode", json={"texts": [], "reduce": 2}).json() == {"features": []}


def test_emotions_are_those_of_python(client, predictors):
    with client() as opened:
        found = opened.post("/v1/emotions", **as_json({"texts": TEXTS})).json()["predictions"]
        listed = opened.get("/v1/models").json()["models"]
    expected = predictors["tiny"].emotions(TEXTS).to_dicts()
    for row, wanted in zip(found, expected, strict=True):
        assert row["valence"] == pytest.approx(wanted["valence"], abs=2e-6)
        shares = {each["emotion"]: each["share"] for each in row["emotions"]}
        assert [*shares.values()] == sorted(shares.values(), reverse=True)
        assert shares == pytest.approx(
            {each["emotion"]: each["share"] for each in wanted["emotions"]}, abs=2e-6
        )
    assert [sorted(each["emotions"]) for each in listed] == [sorted(shares), []]
    assert [each["reducible"] for each in listed] == [REDUCIBLE, 0]


@pytest.mark.parametrize(
    ("path", "body", "where", "message"),
    [
        ("encode", {"reduce": REDUCIBLE + 1}, "reduce", "has 9 numbers at most, 10 were asked for"),
        ("encode", {"reduce": 1, "model": "own"}, "reduce", "was not fitted"),
        ("encode", {"reduce": -1}, "reduce", "greater than or equal to 0"),
        ("encode", {"reduce": True}, "reduce", "valid integer"),
        ("emotions", {"model": "own"}, "model", "stand for no emotions"),
        ("emotions", {"top": 3}, "top", "no such field"),
    ],
)
def test_what_a_model_cannot_do_is_said(client, path, body, where, message):
    with client() as opened:
        response = opened.post(f"/v1/{path}", json={"texts": ["a"], **body})
    assert response.status_code == 422
    assert error(response)["details"][0]["where"] == where
    assert message in error(response)["details"][0]["message"]


def test_no_texts_are_no_answers(client):
    with client() as opened:
        assert opened.post("/v1/emotions", json={"texts": []}).json() == {"predictions": []}
        assert opened.post("/v1/predict", json={"texts": []}).json() == {"predictions": []}
        assert opened.post("/v1/encode", json={"texts": []}).json() == {"features": []}


def test_several_models(client, predictors):
    with client() as opened:
        listed = opened.get("/v1/models").json()
        assert [(each["name"], each["default"]) for each in listed["models"]] == [
            ("tiny", True),
            ("own", False),
        ]
        assert [each["label"] for each in listed["models"][0]["labels"]] == list(EMOJIS)
        assert listed["models"][0]["labels"][0]["name"] == "face with tears of joy"
        assert listed["models"][1]["labels"][0] == {"label": "joy", "name": None}
        assert listed["limits"]["texts"] == 256
        for name, real in (("own", "own"), ("tiny", "tiny"), ("default", "tiny")):
            row = opened.post("/v1/predict", json={"texts": ["so"], "model": name, "top": 1}).json()
            assert (
                row["predictions"][0]["top"][0]["label"]
                == (predictors[real].predict("so").top[0][0])
            )
        refused = opened.post("/v1/predict", json={"texts": ["so"], "model": "nope"})
        assert refused.status_code == 404
        assert "tiny, own, default" in error(refused)["message"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"texts": "one"}, "texts"),
        ({"texts": [1]}, "texts[0]"),
        ({"texts": ["a", None]}, "texts[1]"),
        ({}, "texts"),
        ([], "body"),
        (None, "body"),
        ({"texts": ["a"], "top": 0}, "top"),
        ({"texts": ["a"], "top": True}, "top"),
        ({"texts": ["a"], "top": "5"}, "top"),
        ({"texts": ["a"], "top": 1.5}, "top"),
        ({"texts": ["a"], "top": float("inf")}, "top"),
        ({"texts": ["a"], "explain": "gradients"}, "explain"),
        ({"texts": ["a"], "model": None}, "model"),
        ({"texts": ["a"], "tpo": 3}, "tpo"),
        ({"texts": ["a"], "\ud800": 3}, "body"),
    ],
)
def test_what_is_wrong_with_a_body_is_said(client, body, where):
    with client() as opened:
        response = opened.post("/v1/predict", **as_json(body))
    assert response.status_code == 422
    found = error(response)
    assert found["code"] == "invalid"
    assert found["details"][0]["where"] == where
    assert found["message"].startswith(where)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[" * 200_000, b"1" * 10_000, b'{"texts": ["a"', b"\xef\xbb\xbf{}"],
    ids=["empty", "open", "no UTF-8", "deep", "long number", "cut", "byte order mark"],
)
def test_what_is_no_json_is_refused(client, content):
    with client() as opened:
        headers = {"Content-Type": "application/json"}
        response = opened.post("/v1/predict", content=content, headers=headers)
    assert response.status_code in {400, 422}
    assert error(response)["code"] in {"malformed_json", "invalid"}


def test_other_media_types_are_refused(client):
    with client() as opened:
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            headers = {"Content-Type": kind}
            response = opened.post("/v1/predict", content=b'{"texts": ["a"]}', headers=headers)
            assert response.status_code == 415
            assert "application/json" in error(response)["message"]


def test_limits_are_named(client):
    limits = Limits(texts=3, characters=10, occluded_texts=2, body_bytes=200)
    asked = [
        ({"texts": ["a"] * 4}, 422, "texts", 3),
        ({"texts": ["a", "b" * 11]}, 422, "characters", 10),
        ({"texts": ["a"] * 3, "explain": "occlusion"}, 422, "occluded_texts", 2),
        ({"texts": ["a" * 300]}, 413, "body_bytes", 200),
    ]
    with client(limits=limits) as opened:
        for body, status, name, value in asked:
            response = opened.post("/v1/predict", json=body)
            assert response.status_code == status
            assert error(response)["limit"] == {"name": name, "value": value}
            assert str(value) in error(response)["message"]
        fits = opened.post("/v1/predict", json={"texts": ["a" * 10] * 3})
        assert fits.status_code == 200


def test_unknown_addresses_and_methods(client):
    with client() as opened:
        for path in (
            "/nope",
            "/v1/nope",
            "/v1/predict/",
            "/static/../app.py",
            "/static/%2e%2e/app.py",
        ):
            assert opened.get(path).status_code in {404, 405}
        response = opened.get("/v1/predict")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert error(response)["code"] == "method_not_allowed"


def test_health_and_metrics(client):
    with client() as opened:
        assert opened.get("/healthz").json() == {"status": "ok"}
        opened.post("/v1/predict", json={"texts": ["a", "b"]})
        opened.post("/v1/predict", json={"texts": "a"})
        opened.get("/something private")
        response = opened.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    assert 'deepmoji_requests_total{route="/v1/predict",status="200"} 1.0' in lines
    assert 'deepmoji_requests_total{route="/v1/predict",status="422"} 1.0' in lines
    assert 'deepmoji_requests_total{route="other",status="404"} 1.0' in lines
    assert 'deepmoji_texts_total{model="tiny",route="/v1/predict"} 2.0' in lines
    assert "deepmoji_batch_texts_count 1.0" in lines
    assert "deepmoji_waiting_texts 0.0" in lines
    assert any(line.startswith("deepmoji_request_seconds_bucket") for line in lines)
    assert "private" not in response.text


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


def test_document(client):
    with client(limits=Limits(texts=7, characters=8)) as opened:
        document = opened.get("/openapi.json").json()
    assert document["paths"].keys() == {
        "/v1/predict", "/v1/encode", "/v1/emotions", "/v1/models", "/healthz", "/metrics",
    }  # fmt: skip
    texts = document["components"]["schemas"]["PredictRequest"]["properties"]["texts"]
    assert (texts["maxItems"], texts["items"]["maxLength"]) == (7, 8)
    refusals = document["paths"]["/v1/predict"]["post"]["responses"]
    assert refusals.keys() == {"200", "400", "401", "404", "408", "413", "415", "422", "500", "503"}
    assert "Retry-After" in refusals["503"]["headers"]
    assert "securitySchemes" not in document["components"]
