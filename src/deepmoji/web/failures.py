"""What a client is told when it gets no answer: always the same JSON, never its own text."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_CODES = {
    400: "malformed_json",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    500: "failed",
    503: "busy",
}
_MESSAGES = {
    400: "the body is not JSON in UTF-8",
    401: "give the API key, as Authorization: Bearer KEY or X-API-Key: KEY",
    404: "there is nothing here",
    405: "this method is not for this address",
    408: "the body took too long to arrive",
    415: "send JSON, with Content-Type: application/json",
    500: "the server failed to answer; it says why in its own log",
    503: "too much is waiting already; try again in a moment",
}
RETRY_AFTER = "1"  # seconds; a full queue is answered in about as many


class Refusal(Exception):  # noqa: N818 - says what it is
    """A request that gets no answer.

    Args:
        status: of HTTP.
        message: instead of the usual one.
        limit: the name and the value of the limit that it exceeds.
        details: for each part of the body that is wrong, where it is and what is wrong.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        limit: tuple[str, float] | None = None,
        details: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status)
        self.status, self.message, self.limit, self.details = status, message, limit, details

    def body(self) -> dict[str, Any]:
        """Return the JSON."""
        error: dict[str, Any] = {
            "code": _CODES.get(self.status, "failed"),
            "message": self.message or _MESSAGES.get(self.status, "this cannot be answered"),
        }
        if self.limit is not None:
            error["limit"] = {"name": self.limit[0], "value": self.limit[1]}
        if self.details:
            error["details"] = [{"where": where, "message": what} for where, what in self.details]
        return {"error": error}

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """Return the response."""
        extra = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": RETRY_AFTER}}
        return JSONResponse(
            self.body(), self.status, headers=dict(headers or {}) | extra.get(self.status, {})
        )


async def on_refusal(_request: Request, error: Refusal) -> JSONResponse:
    """Answer a refusal."""
    return error.response()


async def on_http(_request: Request, error: HTTPException) -> JSONResponse:
    """Answer what the framework refuses: unknown addresses and methods, bodies it cannot read."""
    return Refusal(error.status_code).response(error.headers)


async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong with a body, without repeating it."""
    found: Sequence[Mapping[str, Any]] = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Refusal(400).response()
    details = [(_where(each["loc"]), _sentence(each)) for each in found[:10]]
    where, what = details[0]
    return Refusal(422, f"{where}: {what}", details=details).response()


async def on_failure(_request: Request, _error: Exception) -> JSONResponse:
    """Admit a failure; the log of the server says which."""
    return Refusal(500).response()


def _where(location: Sequence[str | int]) -> str:
    path = ""
    for part in location[1:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part[:40]}"
    # A lone surrogate, in a name of a field, has no encoding: it becomes a question mark.
    return path.removeprefix(".").encode("utf-8", "replace").decode() or "body"


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    # pydantic's own wording says what was wanted, and repeats no value.
    text = str(error["msg"])
    return text[:1].lower() + text[1:]


HANDLERS: dict[Any, Any] = {
    Refusal: on_refusal,
    HTTPException: on_http,
    RequestValidationError: on_invalid,
    Exception: on_failure,
}
