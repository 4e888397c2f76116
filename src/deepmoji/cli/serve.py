"""`deepmoji serve`: models over HTTP, and the page."""

from pathlib import Path
from typing import Annotated

import typer

from deepmoji.cli.predict import LongTexts, Stride
from deepmoji.errors import require

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="[NAME=]FOLDER",
            help="A model to offer, and what it is called there; can be given several times. The "
            "shipped one by default.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines ask.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="DEEPMOJI_API_KEY",
            help="Ask for this key. Better given in the environment, which other users cannot see.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="TOML",
            help="Which emotion each emoji stands for, for /v1/emotions; the package's own by "
            "default.",
            show_default=False,
        ),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Let pages of this site ask, such as https://example.org; none by default.",
            show_default=False,
        ),
    ] = None,
    max_texts: Annotated[int, typer.Option(min=1, help="Of a request.")] = 256,
    max_characters: Annotated[int, typer.Option(min=1, help="Of a text.")] = 10_000,
    max_bytes: Annotated[int, typer.Option(min=1, help="Of a request's body.")] = 1 << 20,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Texts that may wait; then clients are told to come back.")
    ] = 4096,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads that compute; all cores by default.", show_default=False),
    ] = None,
    long_texts: LongTexts = "cut",
    stride: Stride = None,
    access_log: Annotated[
        bool,
        typer.Option("--access-log", help="Log method, route, status and time of each request."),
    ] = False,
) -> None:
    """Serve models over HTTP, with a page to try them on.

    Listens on this machine alone unless told otherwise, and keeps no texts. Ctrl-C or SIGTERM end
    it after what it has accepted is answered.

    Example: [bold]deepmoji serve --port 8000[/bold]

    Example: [bold]deepmoji serve --model default=my-model --model other=models/other[/bold]
    """
    for library in ("fastapi", "prometheus_client", "pydantic", "starlette", "uvicorn"):
        require(library, "web")
    from deepmoji.web.memory import share_heap
    from deepmoji.web.models import load_models
    from deepmoji.web.server import serve as run
    from deepmoji.web.settings import Limits, Settings

    limits = Limits(
        body_bytes=max_bytes, texts=max_texts, characters=max_characters, waiting=max_waiting
    )
    settings = Settings(
        host=host,
        port=port,
        api_key=api_key,
        origins=tuple(cors or ()),
        access_log=access_log,
        limits=limits,
    )
    share_heap()  # before anything makes threads
    models = load_models(
        model or (), threads=threads, table=table, long_texts=long_texts, stride=stride
    )

    def ready(address: str) -> None:
        if settings.is_open:
            typer.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
            typer.echo("whoever reaches this machine can ask; --api-key changes that", err=True)
        typer.echo(f"deepmoji serves {', '.join(models.names)} on {address}", err=True)

    run(models, settings, ready)
