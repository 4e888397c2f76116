"""The application: the API, the page, and what stands before them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from deepmoji.web.api import Service, make_router
from deepmoji.web.batching import Batcher
from deepmoji.web.failures import HANDLERS
from deepmoji.web.gate import WITH_BODY, Gate, Watch
from deepmoji.web.metrics import Metrics
from deepmoji.web.models import Models
from deepmoji.web.page import add_page, addresses
from deepmoji.web.settings import Limits, Settings

_DESCRIPTION = """Emotion, sentiment and sarcasm in short texts, learnt from emojis.

Rows out are rows in: every text, also an empty one, has an answer, in the order given. Texts are
neither kept nor logged."""
_ROUTES = (*sorted(WITH_BODY), "/v1/models", "/healthz", "/metrics", "/openapi.json")


def make_app(models: Models, settings: Settings) -> ASGIApp:
    """Return the application for any ASGI server.

    Args:
        models: to offer.
        settings: the key, the limits, other sites that may ask.
    """
    limits, metrics = settings.limits, Metrics()
    batcher = Batcher(waiting=limits.waiting, batch=limits.batch, on_batch=metrics.batch)
    metrics.watch_queue(lambda: batcher.waiting)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        batcher.start()
        yield
        await batcher.close()

    app = _Documented(
        title="deepmoji",
        version=version("deepmoji"),
        description=_DESCRIPTION,
        docs_url=None,  # these pages take their scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers=HANDLERS,
        # Newer versions tell OpenTelemetry of requests, with what was wrong in them, if the
        # environment says so; texts are nobody's business.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.models, app.limits, app.with_key = models, limits, settings.api_key is not None
    service = Service(models=models, batcher=batcher, metrics=metrics, limits=limits)
    app.include_router(make_router(service))
    add_page(app, asks_for_key=settings.api_key is not None)
    guarded: ASGIApp = Gate(app, settings)
    if settings.origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After"],
        )
    return Watch(guarded, metrics, [*_ROUTES, *addresses()], log=settings.access_log)


class _Documented(FastAPI):
    """An application whose document says what this server takes: its models, limits and keys."""

    models: Models
    limits: Limits
    with_key: bool

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            most = self.models.reducible
            schemas: Any = document["components"]["schemas"]
            # Examples are models that can do all that the request may ask for.
            able = {
                "PredictRequest": self.models.names,
                "EncodeRequest": self.models.names_of(lambda m: m.reducible == most),
                "EmotionsRequest": self.models.names_of(lambda m: m.table is not None),
            }
            for name, examples in able.items():
                fields = schemas[name]["properties"]
                fields["texts"]["maxItems"] = self.limits.texts
                fields["texts"]["items"]["maxLength"] = self.limits.characters
                fields["model"]["examples"] = examples
            schemas["EncodeRequest"]["properties"]["reduce"]["maximum"] = most
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            if self.with_key:
                _add_key(document)
        return self.openapi_schema or {}


def _add_key(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_open = path == "/healthz"
            operation["security"] = [] if is_open else [{"bearer": []}, {"header": []}]
