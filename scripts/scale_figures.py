"""What cost and scale come to: the measured rates, and what the original's amounts would take."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepmoji.config import ModelConfig
from scripts.blocks import table

Results = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]

POSTS = 55e9  # what the original's authors filtered
PAIRS = 1.2e9  # and had left to train on
CORES = 32  # of the machine that is reckoned with
MACHINES = 20
_STEPS = {
    "build": "`corpus build`",
    "score": "`score`",
    "train": "`pretrain`",
    "build on Ray": "`corpus build --runner ray`",
    "score on Ray": "`score --runner ray`",
}
_DAMAGED = ("input_cut_off", "input_vanished")
# What a shuffle has to move of a row, bytes: hashes are of 8, a label of 2, the number of a row 8.
_BANDS, _WORDS = 16, 12
# What training holds of a pair besides its words: where they begin, label, length, and twice its
# place in the order of an epoch, while the next one is made.
_OF_A_PAIR = 5 * 8
_STEP = 1 << 14  # pairs of a step on all machines
_NEAR = 16 * 8 + 8  # bytes of a kept post for near duplicates: hashes of its bands, and its rank


def rates(results: Results) -> str:
    """Every row that was measured."""
    if "scale" not in results:
        return _missing(results)
    rows = [
        (
            _STEPS[row["step"]],
            _on(row),
            _input(row),
            f"{row['seconds']:,.0f}",
            f"{row['per_second']:,.0f}",
            f"{row['peak_memory_mb']:,}" if "peak_memory_mb" in row else "–",
        )
        for row in results["scale"]["rows"]
    ]
    machine = results["scale"]["machine"]
    header = ("command", "on", "input", "seconds", "a second", "peak memory, MB")
    return f"On {machine['cores']} cores ({machine['cpu']}).\n\n{table(header, rows, 'lrrrrr')}"


def needs(results: Results) -> str:
    """What the original's amounts need at these rates, one row a step."""
    if missing := _missing(results):
        return missing
    found = results["scale"]["rows"]
    rows = [
        _need(
            f"`corpus build`, {_billions(POSTS)} posts: text work", POSTS, _speed(found, "build")
        ),
        _need(f"`score`, {_billions(POSTS)} posts", POSTS, _speed(found, "score")),
        _need(f"`pretrain`, {_billions(PAIRS)} pairs, one epoch", PAIRS, _speed(found, "train")),
    ]
    gpu = results.get("training_speed_gpu", {}).get("variants", {})
    best = max((row["texts_per_second"] for row in gpu.values()), default=None)
    if best is not None:
        hours = PAIRS / best / 3600
        rows.append(("the same on one GPU", f"{best:,.0f}", "–", f"{hours:,.0f} h"))
    header = ("step", "a second and core", "core-hours", f"{MACHINES} machines of {CORES} cores")
    return table(header, rows, "lrrr")


def shuffles(results: Results) -> str:
    """What the steps after the text work hold now, and would move if they were shuffles."""
    if missing := _missing(results):
        return missing
    corpus = results["corpus"]
    pairs_of = corpus["pairs"]["train"] / corpus["kept"]
    posts = PAIRS / pairs_of
    moved = [
        ("equal pairs (by words and label)", PAIRS * (8 + 2 + 8)),
        ("splits (by what near copies share)", PAIRS * (8 + 2 + 8)),
        ("near duplicates: candidates by band", posts * _BANDS * (8 + 8)),
        ("posts of one author", posts * (8 + 8 + 8)),
        (
            "words of the vocabulary, counted first where they are",
            50_000 * 2 * 16 * CORES * MACHINES,
        ),
        (f"training order (ids of {_WORDS} words)", PAIRS * (8 + 2 + 2 + 2 * _WORDS)),
        (
            f"gradients, to and from each process, an epoch in steps of {_STEP:,} pairs",
            2 * 4 * _parameters(ModelConfig()) * PAIRS / _STEP,
        ),
    ]
    rows = [(name, _bytes(size)) for name, size in moved]
    grown = _growth(results["scale"]["rows"])
    each = grown * corpus["posts"] / corpus["kept"]
    memory = (
        f"From the measured sizes, the memory of a build grows by {grown:,.0f} bytes for each post "
        f"that is read, of which {corpus['kept'] / corpus['posts']:.0%} are kept here: "
        f"{each:,.0f} bytes for each kept one. With {_billions(posts)} kept posts "
        f"({_billions(PAIRS)} pairs at {pairs_of:.2f} a post) that is {_bytes(each * posts)} on "
        f"one machine; near duplicates take {_NEAR} bytes more for each, {_bytes(_NEAR * posts)}. "
        f"Training holds {_bytes(PAIRS * (2 * _WORDS + _OF_A_PAIR))} of pairs at "
        f"{_WORDS} words each, divided among its processes."
    )
    return f"{memory}\n\n{table(('shuffle', 'moved'), rows, 'lr')}"


def scoring(results: Results) -> str:
    """Files beside a list in memory."""
    if "score" not in results:
        return "*Not measured yet: `python -m benchmarks.score`.*"
    found = results["score"]
    before, after = found["baseline"]["texts_per_second"]
    return (
        f"{found['rows']:,} posts in {found['files']} files on {found['cores']} cores "
        f"({found['machine']['cpu']}), {found['date']}: {found['seconds'] / 60:,.0f} minutes, "
        f"**{found['rows_per_second']:,.0f} rows/s, {found['ratio_to_baseline']:.0%}** of "
        f"`Predictor.scores`, which answered {before:,.0f} texts/s before and {after:,.0f} after; "
        f"{found['cores_busy']:.2f} cores busy; at most {found['peak_memory_mb']:,} MB in all "
        f"processes, {found['finished'][0]['peak_memory_mb']:,} MB when the first file was done."
    )


def faults(results: Results) -> str:
    """What each command kept, one row each."""
    if "faults" not in results:
        return "*Not measured yet: `python -m benchmarks.faults`.*"
    found = results["faults"]
    rows = [_kept(name, each) for name, each in found["commands"].items()]
    header = ("command", "kills", "finished runs", "other faults", "problems")
    problems = [
        f"- `{name}`: {problem}"
        for name, each in found["commands"].items()
        for problem in each["problems"]
    ]
    return "\n".join([table(header, rows, "lrrlr"), *([""] if problems else []), *problems])


def _kept(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    others = [*found["signals"]]
    for fault in ("worker_killed", "worker_killed_on_ray", "disk_full", *_DAMAGED):
        if isinstance(found.get(fault), Mapping):
            others.append(fault.replace("_", " "))
    kills = found["kills"]
    return (
        f"`{name}`",
        f"{kills['kills']}",
        f"{kills['finished_runs']}",
        ", ".join(others),
        f"{len(found['problems'])}",
    )


def _missing(results: Results) -> str:
    names = [name for name in ("scale", "corpus") if name not in results]
    commands = ", ".join(f"`python -m benchmarks.{name}`" for name in names)
    return f"*Not measured yet: {commands}.*" if names else ""


def _input(row: Mapping[str, Any]) -> str:
    pairs = f", {row['pairs']:,} pairs" if "pairs" in row else ""
    return f"{row.get('rows', row['size']):,} posts{pairs}"


def _on(row: Mapping[str, Any]) -> str:
    what = "node" if row["step"].endswith(" on Ray") else "core"
    return f"{row['cores']} {what}{'s' if row['cores'] > 1 else ''}"


def _need(name: str, amount: float, speed: float | None) -> tuple[str, ...]:
    if speed is None:
        return (name, "–", "–", "–")
    hours = amount / speed / 3600
    return (name, f"{speed:,.0f}", f"{hours:,.0f}", f"{hours / CORES / MACHINES:,.1f} h")


def _speed(rows: Rows, step: str) -> float | None:
    """Rows a second and core, of the largest run on the most cores: the start counts least."""
    found = [row for row in rows if row["step"] == step]
    if not found:
        return None
    largest = max(found, key=lambda row: (row["size"], row["cores"]))
    return largest["per_second"] / largest["cores"]


def _growth(rows: Rows) -> float:
    """Bytes of memory for each post more, between the two largest builds on the most cores."""
    found = [row for row in rows if row["step"] == "build"]
    most = max((row["cores"] for row in found), default=0)
    runs = sorted((row for row in found if row["cores"] == most), key=lambda row: row["size"])
    if len(runs) < 2:
        return 0.0
    less, more = runs[-2:]
    return (more["peak_memory_mb"] - less["peak_memory_mb"]) * 1e6 / (more["size"] - less["size"])


def _parameters(model: ModelConfig) -> int:
    """Return how many numbers are learnt: embedding, two LSTMs in both directions, the rest."""
    size, units = model.embedding_size, model.units
    layers = sum(2 * 4 * units * (inputs + units + 2) for inputs in (size, 2 * units))
    encoding = size + 4 * units
    return model.vocabulary_size * size + layers + encoding + (encoding + 1) * model.classes


def _billions(number: float) -> str:
    return f"{number / 1e9:.3g} billion"


def _bytes(size: float) -> str:
    for unit, power in (("TB", 12), ("GB", 9)):
        if size >= 10**power:
            return f"{size / 10**power:,.1f} {unit}"
    return f"{size / 1e6:,.0f} MB"
