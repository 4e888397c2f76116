"""What the API refuses, and how it says so."""

import pytest

from deepmoji.web.settings import Limits
from tests.helpers.webapi import as_json, error
from tests.web.conftest import REDUCIBLE


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
