"""The README's tables and sentences about results, from the result files' contents."""

from collections.abc import Mapping
from typing import Any

from scripts.blocks import table

Results = Mapping[str, Any]

COLUMNS = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")
SYSTEMS = {
    "prior": "always the most frequent emojis",
    "shipped": "**this model**",
    "model": "the same before quantisation",
    "small": "`small`, the second model",
}


def sentences(results: Results) -> str:
    """The seven sentences with their most probable emojis."""
    rows = [
        (each["text"], " · ".join(f"{label} {share:.0%}" for label, share in each["top"]))
        for each in results["sentences"]["sentences"]
    ]
    return table(("text", "most probable emojis"), rows)


def quality(results: Results) -> str:
    """Emoji prediction beside the baselines."""
    emoji, pairs = results["emoji"], results["corpus"]["pairs"]["train"]
    rows = [
        (SYSTEMS.get(name, name), *(f"{values[column]:.1%}" for column in COLUMNS))
        for name, values in emoji["systems"].items()
    ]
    header = ("", *(column.replace("_", " ").replace("top", "top-") for column in COLUMNS))
    return (
        f"Which emoji was this post written with? Trained on {pairs:,} (text, emoji) pairs and "
        f"tested on posts that no system saw: {emoji['natural']:,} pairs as they occur (natural) "
        f"and {emoji['balanced']:,} with every emoji as often (balanced; there all scores are "
        f"divided by the training frequencies).\n\n{table(header, rows, 'lrrrr')}"
    )


def speed(results: Results) -> str:
    """What takes how long and how much memory, each on the machine that its file names."""
    tokenizer, inference = results["tokenizer"], results["inference"]
    cold, batches = inference["cold_start"], inference["throughput"]
    rows = [
        (
            f"`{cold['command']}`, from nothing to the answer",
            f"{cold['seconds_median']:.2f} s, {cold['peak_memory_mb']:,.0f} MB of memory",
        ),
        (
            f"`scores` of {batches['texts']:,} tweets",
            f"{batches['texts_per_second']['scores']:,.0f} texts/s, "
            f"{batches['ratio_to_baseline']:.1f} times batches of 256 in input order",
        ),
        (
            "`tokenize`, one core",
            f"{tokenizer['texts_per_second']['tokenize']:,} texts/s, "
            f"{tokenizer['ratio_to_straightforward']:.1f} times a straightforward implementation",
        ),
        ("`corpus build`", _building(results["corpus"])),
        ("`pretrain`, full size", _training(results["training_speed"]["variants"])),
        ("installed, with all it needs", f"{inference['installed_mb']['all']:,.0f} MB"),
        ("the shipped model on disk", f"{inference['model']['folder_mb']:,.0f} MB"),
    ]
    machine = inference["machine"]
    return (
        f"Measured on {machine['cores']} cores ({machine['cpu']}).\n\n"
        f"{table(('what', 'measured'), rows)}"
    )


def small(results: Results) -> str:
    """The two models that ship, side by side."""
    measured, emoji = results["small"], results["emoji"]["systems"]
    large, little = (measured["models"][name] for name in ("default", "small"))
    faster = large["milliseconds_alone"] / little["milliseconds_alone"]
    rows = [
        ("on disk", *(f"{each['folder_mb']:.1f} MB" for each in (large, little))),
        ("words that it knows", *(f"{each['words']:,}" for each in (large, little))),
        ("numbers of an encoding", *(f"{each['features']:,}" for each in (large, little))),
        (
            "one text alone, median",
            f"{large['milliseconds_alone']:.2f} ms",
            f"{little['milliseconds_alone']:.2f} ms, {faster:.1f} times faster",
        ),
        (
            f"`scores` of {measured['texts_together']:,} tweets",
            *(f"{each['texts_per_second']:,.0f} texts/s" for each in (large, little)),
        ),
        *(
            (
                f"emojis, {words}",
                *(_emoji(emoji.get(name), column) for name in ("shipped", "small")),
            )
            for column, words in EMOJI_ROWS.items()
        ),
        *(
            (f"encodings, {name}", *(f"{each['accuracy'][name]:.1%}" for each in (large, little)))
            for name in large["accuracy"]
        ),
    ]
    machine = measured["machine"]
    return (
        f"{table(('', 'default', '`small`'), rows, 'lrr')}\n\n"
        f"Both on {machine['cores']} cores ({machine['cpu']}), in turn. Emojis: as in the table of "
        "emoji prediction above. Encodings: accuracy of logistic regression on them, "
        f"{measured['folds']} folds of the texts to learn from. Of {measured['texts_together']:,} "
        f"tweets, both put the same emoji first for {measured['same_top1']:.0%}."
    )


EMOJI_ROWS = {column: column.replace("_", " ").replace("top", "top-") for column in COLUMNS} | {
    "natural_calibration_error": "calibration error"
}


def _emoji(scores: Mapping[str, float] | None, column: str) -> str:
    return f"{scores[column]:.1%}" if scores and column in scores else "–"


def long_texts(results: Results) -> str:
    """What reading long texts in windows is worth, for each length at which it was tried."""
    rows, chosen = [], []
    for most, found in results["long"]["max_tokens"].items():
        chosen.append(f"`{found['chosen']}` at {most} words")
        for name, each in found["sets"].items():
            marks = [_against_cut(each["ways"][way]) for way in _WAYS] if each["ways"] else []
            rows.append((most, name, f"{each['longer']['test']:.1%}", *(marks or ["–"] * 3)))
        means = [f"{found['means'][way]['test']:.3f}" for way in _WAYS]
        rows.append((most, "mean of the sets", "", *means))
    header = ("words", "set", "longer", *(f"`{way}`" for way in _WAYS))
    return (
        f"{table(header, rows, 'rlrrrr')}\n\nF1 on the test texts, of a final layer (`last`) on "
        "the encodings of all texts, long and short; in brackets the 95 % interval of the "
        "difference to `cut` (paired bootstrap). Validation, which does not see them, prefers "
        f"{' and '.join(chosen)}."
    )


_WAYS = ("cut", "attention", "mean")


def _against_cut(row: Mapping[str, float]) -> str:
    interval = f" ({row['low']:+.3f} to {row['high']:+.3f})" if "low" in row else ""
    return f"{row['test']:.3f}{interval}"


def serving(results: Results) -> str:
    """The server under load, beside the model without it; nothing where that was not measured."""
    if "serve" not in results:
        return "*Not measured yet: `python -m benchmarks.serve`.*"
    serve = results["serve"]
    rows = []
    for name, run in serve["runs"].items():
        latencies = (f"{run['milliseconds'][share]:,.0f} ms" for share in ("p50", "p95", "p99"))
        wrong = run["errors"] + run["lost"] + run["wrong"]
        memory = " / ".join(f"{each:,.0f}" for each in run["server_memory_mb"].values())
        rate = f"{run['texts_per_second']:,.0f}"
        rows.append((name, rate, *latencies, f"{wrong:,} of {run['requests']:,}", memory))
    header = ("", "texts/s", "p50", "p95", "p99", "failed, lost or wrong", "MB on the way")
    return (
        f"{serve['connections']} connections for {serve['seconds']:.0f} s each, asked from the "
        f"same {serve['machine']['cores']} cores ({serve['machine']['cpu']}). `scores` in one "
        f"process answers {serve['in_process_texts_per_second']:,.0f} texts/s there.\n\n"
        f"{table(header, rows, 'lrrrrrr')}"
    )


SPEED_COLUMNS = {  # of each variant: the name in the table, and how its numbers are written
    "texts_per_second": ("texts/s", ",.0f"),
    "tokens_per_second": ("tokens/s", ",.0f"),
    "forward_us": ("forward, µs", ",.0f"),
    "backward_us": ("backward, µs", ",.0f"),
    "step_us": ("step, µs", ",.0f"),
    "mflop_per_text": ("MFLOP", ",.0f"),
    "gflops": ("GFLOP/s", ",.0f"),
    "peak_gflops": ("measured peak", ",.0f"),
    "share_of_peak": ("of the peak", ".0%"),
}


def training_speed(results: Results) -> str:
    """Every way of training that was measured, also on a GPU if there was one."""
    files = [results[name] for name in SPEED_FILES if name in results]
    rows = [
        (name, *(_number(row, column, form) for column, (_, form) in SPEED_COLUMNS.items()))
        for file in files
        for name, row in file["variants"].items()
    ]
    header = ("", *(title for title, _ in SPEED_COLUMNS.values()))
    return table(header, rows, "l" + "r" * len(SPEED_COLUMNS))


SPEED_FILES = ("training_speed", "training_speed_gpu")


def _number(row: Mapping[str, Any], column: str, form: str) -> str:
    return format(row[column], form) if column in row else "–"


def parity(results: Results) -> str:
    """How many texts are read exactly as the original read them, and how close its weights are."""
    golden, rows = results["golden"], results["interop"]["rows"]
    apart = {
        name: max(row[name] for row in rows if row["precision"] == "fp32")
        for name in ("probabilities", "features")
    }
    texts, equal = golden["texts"], golden["equal"]
    newer = golden["train_words_newer_emojis"]
    return (
        f"Of {texts:,} texts read by the original code, the words of {equal['words']:,} and the "
        f"ids of {equal['ids']:,} are identical here. The stricter reading, which pretraining "
        f"uses, is identical for {equal['train_words']:,}; {newer:,} of the others hold an emoji "
        "that is newer than the original's list. Weights imported from Keras or torchMoji, with "
        f"either kind of gates, give probabilities within {apart['probabilities']:.0e} and "
        f"encodings within {apart['features']:.0e} of the original's."
    )


def agreement(results: Results) -> str:
    """How far imported weights are from the original's own numbers, by format, gates and form."""
    kinds = ("probabilities", "features", "attention")
    rows = [
        (
            f"{row['format']}, {row['gates'].replace('_', ' ')}, {row['precision']}",
            *(f"{row[kind]:.0e}" for kind in kinds),
        )
        for row in results["interop"]["rows"]
    ]
    return table(("format, gates, form", *kinds), rows, "lrrr")


def _building(corpus: Mapping[str, Any]) -> str:
    return (
        f"{corpus['posts']:,} posts in {corpus['seconds'] / 60:.1f} minutes, "
        f"{corpus['peak_memory_gb']:.1f} GB of memory"
    )


def _training(variants: Mapping[str, Mapping[str, float]]) -> str:
    hard, soft = (variants[f"ours, bf16, {gates}1 core"] for gates in ("hard sigmoid, ", ""))
    best = max(variants.values(), key=lambda each: each["texts_per_second"])
    return (
        f"{best['texts_per_second']:,.0f} texts/s, "
        f"{best['ratio']:.1f} times a straightforward network on one core; with the original's "
        f"hard sigmoid gates {1 - hard['texts_per_second'] / soft['texts_per_second']:.0%} fewer"
    )
