"""What every benchmark needs: where its data are, what machine this is, and its result file."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT / os.environ.get("DEEPMOJI_SHARED", "../shared")


def shared(*parts: str) -> Path:
    """Return a file of the shared data, or end the program saying what is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        sys.exit(f"needs the project's shared data: no {path}; set DEEPMOJI_SHARED")
    return path


def machine() -> dict[str, Any]:
    """Return what a timing depends on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def tweets(count: int, split: str = "validation") -> list[str]:
    """Return real texts: TweetEval's emoji set, whose emojis were cut out."""
    import pyarrow.parquet as pq

    table = pq.read_table(shared("benchmarks", "tweeteval", "emoji.parquet")).to_pydict()
    rows = zip(table["text"], table["split"], strict=True)
    return [text for text, part in rows if part == split][:count]


def write(name: str, result: dict[str, Any], *, file: str = "", model: Path | None = None) -> None:
    """Write and print `results/NAME.json` (or FILE), with the command, the day and the machine.

    Where the result depends on what a model answers, name its folder: the documentation says so
    when another one ships.
    """
    from deepmoji.benchmark.job import Base

    arguments = " ".join(sys.argv[1:])
    content = {
        "command": f"python -m benchmarks.{name} {arguments}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        **({} if model is None else {"model_sha256": Base.of(model).digest}),
        **result,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{file or name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
