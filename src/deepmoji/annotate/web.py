"""The site of a campaign: personal links, and nothing for anybody else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1 << 20  # bytes; a form of 500 posts of 2,000 letters would not fit, one by one do
_MOST_FIELDS = 200
_FORM = "application/x-www-form-urlencoded"
_SLOWEST = 30.0  # seconds for a form to come in
_HERE = Path(__file__).parent

# Nothing from another host, no code in the page, no framing, and no trace of the link elsewhere.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
STATIC = {"style.css": "text/css", "keys.js": "text/javascript"}

Fields = Mapping[str, list[str]]
_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Asked:
    """A request that came by a valid link: what it asks for and what it brings."""

    page: str
    post: bool
    query: Mapping[str, str]
    fields: Fields

    def number(self, name: str) -> int | None:
        """Return a whole number of the address, None if there is none."""
        return _number(self.query.get(name, ""))

    def field(self, name: str) -> str:
        """Return a field of the form, "" if it is not there."""
        return self.fields.get(name, [""])[0]

    def number_given(self, name: str) -> int | None:
        """Return a whole number of the form, as a person typed it; None if it is none."""
        return _number(self.field(name).strip())

    def field_number(self, name: str) -> int:
        """Return a whole number of the form.

        Raises:
            HTTPException: 404, if it is none; no page of ours sends that.
        """
        number = self.number_given(name)
        if number is None:
            raise HTTPException(404)
        return number


# A kind of page: takes the token, and answers a request of its holder; None if it is nobody's.
Answering = Callable[[Asked], Response]
Door = Callable[[str], Answering | None]


def render(template: str, code: int = 200, /, **values: object) -> Response:
    """Return a page; all values are escaped."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(values), code)


def see(address: str) -> Response:
    """Send the browser to another page of the same link, by GET."""
    return Response(status_code=303, headers={"Location": address})


def static(name: str) -> Response:
    """Return one of the files that pages use."""
    content = (_HERE / "static" / name).read_bytes()
    return Response(content, media_type=f"{STATIC[name]}; charset=utf-8")


def site(doors: Mapping[str, Door]) -> ASGIApp:
    """Return the application.

    Every address is ``/kind/token/page``. Any other, and any token that is nobody's, gets the same
    404. The token in the address is all that admits; there are no cookies, so no other site can
    make a browser act for a rater without knowing the link.

    Args:
        doors: what answers each kind of link.
    """

    async def endpoint(request: Request) -> Response:
        kind, token, page = (request.path_params[name] for name in ("kind", "token", "page"))
        door = doors.get(kind)
        answering = None if door is None else await run_in_threadpool(door, token)
        if answering is None or not _from_here(request):
            raise HTTPException(404)
        if page in STATIC and request.method != "POST":
            return await run_in_threadpool(static, page)
        post = request.method == "POST"
        fields: Fields = await _fields(request) if post else {}
        asked = Asked(page, post, request.query_params, fields)
        return await run_in_threadpool(answering, asked)

    application = Starlette(
        routes=[
            Route("/{kind}/{token}/{page}", endpoint, methods=["GET", "POST"]),
            Route("/{kind}/{token}/", _with_page(endpoint), methods=["GET", "POST"]),
        ],
        exception_handlers={
            HTTPException: _refused,
            OperationalError: _busy,
            ClientDisconnect: _gone,
        },
    )
    application.router.redirect_slashes = False
    return _Guarded(application)


def _with_page(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def first(request: Request) -> Response:
        request.path_params["page"] = ""
        return await endpoint(request)

    return first


class _Guarded:
    """Adds the headers that every answer has, whoever made it."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._application(scope, receive, guarded)


async def _fields(request: Request) -> Fields:
    """Read a form.

    Raises:
        HTTPException: if it is too large, too slow, or no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(415, f"expected a form ({_FORM})")
    body = bytearray()
    try:
        async with asyncio.timeout(_SLOWEST):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"a form has at most {LARGEST_BODY:,} bytes")
        return parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="replace",
            max_num_fields=_MOST_FIELDS,
        )
    except TimeoutError as error:
        raise HTTPException(408, f"the form took longer than {_SLOWEST:.0f} s") from error
    except ValueError as error:
        raise HTTPException(400, "the form cannot be read") from error


def _from_here(request: Request) -> bool:
    """Whether a form was sent by a page of ours, as far as the browser says."""
    said = request.headers.get("sec-fetch-site", "same-origin")
    return request.method != "POST" or said in {"same-origin", "none"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def _refused(_request: Request, error: Exception) -> Response:
    """Answer what is refused; to strangers, whatever they try, nothing is here."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status in {404, 405}:
        return PlainTextResponse("Not found", 404)
    return PlainTextResponse(str(getattr(error, "detail", "")), status)


async def _busy(_request: Request, _error: Exception) -> Response:
    text = "The database is busy. Nothing was saved; please go back and try again."
    return PlainTextResponse(text, 503, headers={"Retry-After": "5"})


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)
