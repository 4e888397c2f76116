"""Calls of the web API, and what its refusals say."""

import json


def error(response):
    """What a refusal says, in the one form that all have."""
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() <= {"code", "message", "limit", "details"}
    return body["error"]


def as_json(body):
    """A body in Python's JSON, which takes halves of characters and infinity too."""
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
