"""Pretraining on a GPU that is lent for minutes, on a machine without network.

python -m runs.gpu split CORPUS PARTS                # here: numbered parts, small enough to travel
python -m runs.gpu join PARTS CORPUS                 # there: checked and put together again
python -m runs.gpu train CORPUS small.toml large.toml --work WORK --minutes 9
python -m runs.gpu join PARTS MODEL                  # here: WORK/NAME.parts, brought back

`train` runs one settings file after the other and stops all of them in time. Called again it goes
on where it stopped; a model whose settings have changed since is made longer, or said to be of
others. A model that is finished lies in WORK/NAME, and in parts in WORK/NAME.parts. A
settings file has the fields of PretrainConfig and ModelConfig:

    [pretrain]
    batch_size = 1024
    learning_rate = 0.002

    [model]
    units = 512

Nothing is installed: `PYTHONPATH=src python -m runs.gpu` is enough where there are the libraries of
the `train` extra and text-unidecode, whose wheel may stand in PYTHONPATH as it is.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tarfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

SUMS = "SHA256SUMS"  # as sha256sum writes it; the last file of a split to be there
MIB = 2**20


def split(folder: Path, parts: Path, *, mib: float = 15.0) -> list[Path]:
    """Write a folder as numbered parts of a size, with a list of their SHA-256.

    Raises:
        SystemExit: if there is nothing to split, or ``parts`` holds something.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        raise SystemExit(f"nothing to split in {folder}")
    if parts.exists() and any(parts.iterdir()):
        raise SystemExit(f"{parts} is not empty; delete it or choose another folder")
    parts.mkdir(parents=True, exist_ok=True)
    whole = parts / "whole.tar"
    with tarfile.open(whole, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    written, sums = list[Path](), list[str]()
    with whole.open("rb") as file:
        for content in iter(lambda: file.read(int(mib * MIB)), b""):
            written.append(parts / f"part-{len(written):04}")
            written[-1].write_bytes(content)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {written[-1].name}\n")
    whole.unlink()
    (parts / SUMS).write_text("".join(sums), encoding="ascii")
    return written


def join(parts: Path, folder: Path) -> None:
    """Put a folder together from its parts.

    Raises:
        SystemExit: if a part is missing or damaged, or the folder is there already.
    """
    if folder.exists():
        raise SystemExit(f"{folder} is there already")
    if not (parts / SUMS).is_file():
        raise SystemExit(f"{parts} has no {SUMS}; bring it, too")
    lines = [line.split() for line in (parts / SUMS).read_text("ascii").splitlines()]
    wrong = [name for sha256, name in lines if _sha256(parts / name) != sha256]
    if wrong:
        raise SystemExit(f"missing or damaged in {parts}: {', '.join(wrong)}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacked = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(unpacked, ignore_errors=True)
    whole = folder.with_name(f".{folder.name}.tar")
    try:
        with whole.open("wb") as file:
            for _, name in lines:
                _append(parts / name, file)
        with tarfile.open(whole) as archive:
            archive.extractall(unpacked, filter="data")
        unpacked.rename(folder)
    finally:
        whole.unlink(missing_ok=True)


def _append(path: Path, file: IO[bytes]) -> None:
    with path.open("rb") as part:
        shutil.copyfileobj(part, file)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def read(path: Path) -> tuple[Any, Any]:
    """Read a settings file; return its ModelConfig and its PretrainConfig.

    Raises:
        SystemExit: if it has other tables or fields, or an impossible value.
    """
    from deepmoji.config import ModelConfig, PretrainConfig
    from deepmoji.errors import InputError

    content = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := sorted(content.keys() - {"model", "pretrain"}):
        raise SystemExit(f"{path}: {unknown[0]} is none of the tables [pretrain] and [model]")
    try:
        return ModelConfig(**content.get("model", {})), PretrainConfig(
            **content.get("pretrain", {})
        )
    except (InputError, TypeError) as error:
        raise SystemExit(f"{path}: {error}") from error


def _read_all(paths: list[Path]) -> dict[str, tuple[Any, Any]]:
    """Read settings files, by the names of their models."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise SystemExit(
                f"{found[path.stem]} and {path} would be one model; rename one of them"
            )
        found[path.stem] = path
    return {name: read(path) for name, path in found.items()}


def _is_made(out: Path, parts: Path, configs: tuple[Any, Any]) -> bool:
    """Tell whether a model is there in parts, and was made with these settings."""
    from deepmoji.bundle import Bundle
    from runs.settings import is_made_with

    if not (parts / SUMS).exists():
        return False
    # Of parts alone, whose model was taken away, nobody knows better.
    return not out.exists() or is_made_with(Bundle.open(out), *configs)


def train(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run every settings file, or go on with it; yield what became of each."""
    end = time.monotonic() + 60 * (options.minutes - options.reserve)
    # Mistakes in the last file are told before the first one runs.
    for name, configs in _read_all(options.settings).items():
        begun = time.monotonic()
        left = min((end - begun) / 60, options.each or options.minutes)
        if _is_made(options.work / name, options.work / f"{name}.parts", configs):
            state = "finished before"
        elif left <= 0:
            state = "waits"
        else:
            state = _train(name, configs, options, left)
        yield {"name": name, "state": state, "seconds": round(time.monotonic() - begun, 1)}


def _train(name: str, configs: tuple[Any, Any], options: argparse.Namespace, left: float) -> str:
    from deepmoji.cli.progress import ProgressLine
    from deepmoji.errors import DeepmojiError
    from deepmoji.training.pretrain import Hardware, pretrain

    out, parts = options.work / name, options.work / f"{name}.parts"
    try:
        written = pretrain(
            options.corpus,
            out,
            model=configs[0],
            config=configs[1],
            hardware=Hardware(device=options.device),
            report=ProgressLine(),
            time_limit=left,
        )
    except (DeepmojiError, RuntimeError) as error:  # the latter: the GPU's memory is full
        return f"failed: {error}"
    if written is None:
        return "stopped in time, goes on when called again"
    shutil.rmtree(parts, ignore_errors=True)
    split(out, parts, mib=options.mib)
    return "finished"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m runs.gpu")
    commands = parser.add_subparsers(required=True, dest="command")
    for name, what in (("split", ("folder", "parts")), ("join", ("parts", "folder"))):
        command = commands.add_parser(name)
        for argument in what:
            command.add_argument(argument, type=Path)
    for command in (commands.choices["split"], training := commands.add_parser("train")):
        command.add_argument("--mib", type=float, default=15.0, help="size of a part (%(default)s)")
    training.add_argument("corpus", type=Path)
    training.add_argument("settings", type=Path, nargs="+", metavar="SETTINGS.toml")
    training.add_argument("--work", type=Path, required=True, help="of checkpoints and models")
    training.add_argument("--minutes", type=float, required=True, help="for all of them together")
    training.add_argument("--each", type=float, help="minutes for each of them")
    training.add_argument(
        "--reserve", type=float, default=1.5, help="of --minutes, to write a model (%(default)s)"
    )
    training.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    if options.command == "split":
        print(f"{len(split(options.folder, options.parts, mib=options.mib))} parts")
    elif options.command == "join":
        join(options.parts, options.folder)
    else:
        rows = list[dict[str, Any]]()
        for row in train(options):
            print(json.dumps(row, ensure_ascii=False), flush=True)
            rows.append(row)
        return int(any(row["state"].startswith("failed") for row in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
