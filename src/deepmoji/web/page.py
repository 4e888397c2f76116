"""The page: static files, and the few things that it shows before anyone types."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from deepmoji.interop.verify import SENTENCES

FOLDER = Path(__file__).parent / "static"
# The classic: one word turns it round.
PAIR = ("This is the shit", "This is shit")


def addresses() -> list[str]:
    """Return the addresses of the page and its parts."""
    return ["/", "/page.json", *(f"/static/{path.name}" for path in FOLDER.iterdir())]


def add_page(app: FastAPI, *, asks_for_key: bool) -> None:
    """Serve the page at / and its parts below /static."""
    facts: dict[str, Any] = {
        "asks_for_key": asks_for_key,
        "sentences": list(SENTENCES),
        "pair": list(PAIR),
    }

    async def index() -> Response:
        return FileResponse(FOLDER / "index.html")

    async def page() -> Response:
        return JSONResponse(facts)

    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", index, methods=["GET", "HEAD"])
    router.add_api_route("/page.json", page, methods=["GET"])
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER), name="static")
