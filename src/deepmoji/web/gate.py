"""What stands before the application: headers and counts for all, key and body limits for the API.

Plain ASGI, so that nothing is computed for a request that gets no answer, and nothing of a body is
kept beyond its limit.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepmoji.web.failures import Refusal
from deepmoji.web.metrics import Metrics
from deepmoji.web.settings import Settings

access = logging.getLogger("deepmoji.web.access")

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PROTECTION = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
GUARDED = ("/v1/", "/metrics")
WITH_BODY = frozenset({"/v1/predict", "/v1/encode", "/v1/emotions"})
OTHER = "other"  # the route of an address that is none: it may hold anything
GONE = 499  # the client left before its body was whole; no answer is sent


class Watch:
    """Adds the headers that protect the page, counts requests, and writes the access log.

    Args:
        app: what answers.
        metrics: where requests are counted.
        routes: the addresses that there are.
        log: whether each request is logged: method, route, status and time, nothing it sent.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, routes: Iterable[str], *, log: bool = False
    ) -> None:
        self._app, self._metrics, self._log = app, metrics, log
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), GONE
        route = scope["path"] if scope["path"] in self._routes else OTHER
        is_page = route == "/" or route.startswith("/static/")
        # Browsers may keep the page if they ask for a newer one each time, or after an upgrade
        # one part would meet others of another version. Answers they may not keep.
        kept = b"no-cache" if is_page else b"no-store"
        added = [*_PROTECTION, (b"cache-control", kept)]

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - begun
            self._metrics.request(route, status, seconds)
            if self._log:
                method = scope["method"] if scope["method"] in _METHODS else "?"
                access.info("%s %s %d %.1f ms", method, route, status, seconds * 1000)


class Gate:
    """Asks for the key, takes JSON only, and reads a body no further than its limit.

    Args:
        app: what answers.
        settings: with the key and the limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._limits = app, settings.limits
        self._key = settings.api_key.encode() if settings.api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal: Refusal | None = None
        if self._key is not None and not hmac.compare_digest(_given(headers), self._key):
            refusal = Refusal(401)
        elif scope["method"] == "POST" and scope["path"] in WITH_BODY:
            found = self._refuse(headers) or await self._read(receive)
            if found is None:
                return
            if isinstance(found, bytes):
                await self._app(scope, _replay(found, receive), send)
                return
            refusal = found
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, headers: Headers) -> Refusal | None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return Refusal(415)
        length = headers.get("content-length", "0")
        if len(length) > _DIGITS or (length.isdecimal() and int(length) > self._limits.body_bytes):
            return self._too_large()
        return None

    async def _read(self, receive: Receive) -> bytes | Refusal | None:
        """Return the body, why it is not read, or None if the client went away."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._limits.body_bytes:
                        return self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            return Refusal(408, limit=("body_seconds", self._limits.body_seconds))

    def _too_large(self) -> Refusal:
        most = self._limits.body_bytes
        return Refusal(413, f"a body has at most {most} bytes", limit=("body_bytes", most))


_DIGITS = 18  # of a length; more are no length that anyone means
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _given(headers: Headers) -> bytes:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    return key.encode("latin-1", "replace")


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()  # only to learn that the client went away
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
