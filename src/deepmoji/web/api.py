"""The answers: requests checked against the limits, asked of a model, written as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from deepmoji.inference.prediction import Prediction
from deepmoji.web.batching import Answers, Batcher, QueueFull
from deepmoji.web.failures import Refusal
from deepmoji.web.metrics import Metrics
from deepmoji.web.models import Models, Offered
from deepmoji.web.schemas import (
    Ask,
    EmotionsRequest,
    EmotionsResponse,
    EncodeRequest,
    EncodeResponse,
    FailureResponse,
    Health,
    ModelsResponse,
    PredictRequest,
    PredictResponse,
)
from deepmoji.web.settings import Limits

_AT_ONCE = 4096  # characters whose words are counted in some milliseconds
_MEANINGS = {
    400: "The body is not JSON.",
    401: "The API key is missing or wrong; only where the server has one.",
    404: "There is no model of this name.",
    408: "The body took too long to arrive.",
    413: "The body is larger than the limit `body_bytes`.",
    415: "The body is not declared as application/json.",
    422: "A field is missing, unknown or wrong, or exceeds a limit, which is named.",
    500: "The server failed.",
    503: "More is waiting than the limit `waiting`; try again after `Retry-After` seconds.",
}


def _failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    failures: dict[int | str, dict[str, Any]] = {
        status: {"model": FailureResponse, "description": _MEANINGS[status]} for status in statuses
    }
    if 503 in failures:
        seconds = {"description": "Seconds.", "schema": {"type": "string"}}
        failures[503]["headers"] = {"Retry-After": seconds}
    return failures


_OF_BODIES = _failures(400, 401, 404, 408, 413, 415, 422, 500, 503)


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the routes answer with."""

    models: Models
    batcher: Batcher
    metrics: Metrics
    limits: Limits

    async def predict(self, request: PredictRequest) -> Response:
        """Answer POST /v1/predict."""
        model = self._checked(request)
        occluded = request.explain == "occlusion"
        if occluded:
            self._check_occluded(request.texts)
        ask = model.explain if occluded else model.predict
        answers = await self._ask(
            ask, request.texts, await self._cost(model, request, occluded=occluded)
        )
        self.metrics.texts(model.name, "/v1/predict", len(answers))
        return _json({"predictions": [_plain(each, request.top) for each in answers]})

    async def encode(self, request: EncodeRequest) -> Response:
        """Answer POST /v1/encode."""
        model, size = self._checked(request), request.reduce
        if size > model.reducible:
            most = model.reducible
            known = f"has {most} numbers at most" if most else "was not fitted"
            raise _wrong("reduce", f"the projection of this model {known}, {size} were asked for")
        ask = model.reduce if size else model.encode
        answers = await self._ask(ask, request.texts, await self._cost(model, request))
        self.metrics.texts(model.name, "/v1/encode", len(answers))
        return _json({"features": [row[:size] for row in answers] if size else answers})

    async def feel(self, request: EmotionsRequest) -> Response:
        """Answer POST /v1/emotions."""
        model = self._checked(request)
        if model.table is None:
            raise _wrong("model", "the labels of this model stand for no emotions")
        answers = await self._ask(model.feel, request.texts, await self._cost(model, request))
        self.metrics.texts(model.name, "/v1/emotions", len(answers))
        return _json({"predictions": answers})

    async def list_models(self) -> Response:
        """Answer GET /v1/models."""
        limits = asdict(self.limits)
        shown = ("body_bytes", "texts", "occluded_texts", "characters", "waiting")
        return _json(
            {"models": self.models.described(), "limits": {name: limits[name] for name in shown}}
        )

    async def health(self) -> Response:
        """Answer GET /healthz."""
        return _json({"status": "ok"})

    async def show_metrics(self) -> Response:
        """Answer GET /metrics."""
        return Response(self.metrics.page(), headers={"Content-Type": self.metrics.content_type})

    async def _ask(self, ask: Any, texts: Sequence[str], cost: int) -> Answers:
        try:
            return await self.batcher.answer(ask, texts, cost=cost)
        except QueueFull:
            raise Refusal(503, limit=("waiting", self.limits.waiting)) from None

    def _checked(self, request: Ask) -> Offered:
        """Return the model, if the texts are within the limits."""
        count, most = len(request.texts), self.limits.texts
        if count > most:
            message = f"a request has at most {most} texts, this one {count}"
            raise Refusal(422, message, limit=("texts", most))
        most = self.limits.characters
        for index, text in enumerate(request.texts):
            if len(text) > most:
                where = f"texts[{index}]"
                message = f"a text has at most {most} characters, {where} has {len(text)}"
                limit = ("characters", most)
                raise Refusal(422, message, limit=limit, details=[(where, message)])
        model = self.models.get(request.model)
        if model is None:
            names = ", ".join(self.models.names)
            raise Refusal(404, f"there is no model of this name; there are: {names}")
        return model

    async def _cost(self, model: Offered, request: Ask, *, occluded: bool = False) -> int:
        """Return as how many texts a request counts: as many as are read for it."""

        def count() -> int:
            return sum(model.reads(text, occluded=occluded) for text in request.texts)

        # Words are counted: of long texts beside the event loop, or other requests would wait.
        is_long = sum(map(len, request.texts)) > _AT_ONCE
        cost = await run_in_threadpool(count) if is_long else count()
        most = self.limits.waiting
        if model.reads_windows and cost > most:  # or one request might take hours
            message = f"a request may take {most} windows of text to read, this one takes {cost}"
            raise Refusal(422, message, limit=("waiting", most))
        return cost

    def _check_occluded(self, texts: Sequence[str]) -> None:
        most = self.limits.occluded_texts
        if len(texts) > most:
            message = f"with occlusion a request has at most {most} texts, this one {len(texts)}"
            raise Refusal(422, message, limit=("occluded_texts", most))


def make_router(service: Service) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter()
    router.add_api_route(
        "/v1/predict",
        service.predict,
        methods=["POST"],
        summary="The most probable labels of texts, and the words that mattered",
        response_model=PredictResponse,
        responses=_OF_BODIES,
    )
    router.add_api_route(
        "/v1/encode",
        service.encode,
        methods=["POST"],
        summary="Texts as vectors",
        response_model=EncodeResponse,
        responses=_OF_BODIES,
    )
    router.add_api_route(
        "/v1/emotions",
        service.feel,
        methods=["POST"],
        summary="The emotions that the emojis of texts stand for, and how pleasant they are",
        response_model=EmotionsResponse,
        responses=_OF_BODIES,
    )
    router.add_api_route(
        "/v1/models",
        service.list_models,
        methods=["GET"],
        summary="The models, their labels, and how much the server takes",
        response_model=ModelsResponse,
        responses=_failures(401, 500),
    )
    router.add_api_route(
        "/healthz",
        service.health,
        methods=["GET"],
        summary="Whether the server answers",
        response_model=Health,
        responses=_failures(500),
    )
    router.add_api_route(
        "/metrics",
        service.show_metrics,
        methods=["GET"],
        summary="Counts for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
        | _failures(401, 500),
    )
    return router


def _wrong(where: str, message: str) -> Refusal:
    return Refusal(422, f"{where}: {message}", details=[(where, message)])


def _plain(prediction: Prediction, top: int) -> dict[str, Any]:
    return {
        "top": [
            {"label": label, "probability": round(probability, 6)}
            for label, probability in prediction.top[:top]
        ],
        "words": [
            {"text": w.text, "start": w.start, "end": w.end, "weight": round(w.weight, 6)}
            | ({} if w.occlusion is None else {"occlusion": round(w.occlusion, 6)})
            for w in prediction.words
        ],
        "unknown_share": round(prediction.unknown_share, 6),
        "truncated": prediction.truncated,
        **({} if prediction.windows == 1 else {"windows": prediction.windows}),
    }


def _json(value: Any) -> Response:
    # Written by hand: the framework's own way takes longer than the model.
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(content.encode(), media_type="application/json")
