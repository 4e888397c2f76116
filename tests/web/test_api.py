"""The API: what it answers, what it counts, and the document that describes it."""

import numpy as np
import pytest

from deepmoji.interop.loading import load
from deepmoji.labels import EMOJIS
from deepmoji.web.models import load_models
from deepmoji.web.settings import Limits
from tests.helpers.webapi import as_json, error
from tests.web.conftest import REDUCIBLE

TEXTS = [
    "I love how you never reply back..",
    "",
    "\ud83d \ud800x",
    "日本語 😂",
    "love " * 40,
    "\x00",
]


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
        # One character may be fifteen words.
        refused = opened.post("/v1/predict", json={"texts": ["\ufdfa" * 100]})
        words = len(predictor.predict("\ufdfa" * 100).words)
        assert words > 1000
        assert f"takes {len(predictor.reading.starts(words))}" in refused.text


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
