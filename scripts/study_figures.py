"""The README's parts about the study, the map of emojis, emotions and small encodings."""

from collections.abc import Mapping
from typing import Any

from deepmoji.study.wording import in_order, name_of, published_for
from scripts.blocks import table

Results = Mapping[str, Any]


def study(results: Results) -> str:
    """Agreement of each system with its interval, beside the paper's."""
    found = results["study"]
    published = found["published"]
    rows = []
    for name in in_order(found["systems"]):
        entry = found["systems"][name]
        against = entry.get("minus_human")
        known = published["agreement"].get(published_for(name))
        rows.append(
            (
                name_of(name),
                f"{100 * entry['agreement']:.1f}",
                _range(entry),
                f"{100 * against['difference']:+.1f} ({_range(against)})" if against else "",
                "" if known is None else f"{100 * known:.1f}",
            )
        )
    header = ("", "agreement", "95 % interval", "minus one human", "published, on other texts")
    texts, scale, human = found["texts"], found["scale"], found["systems"]["human"]
    raters = texts["raters"]
    learnt = found["fold_sizes"][0]
    low, high = scale["near_neutral"]
    return "\n\n".join(
        (
            f"In %, on {texts['all']:,} tweets, of which {texts['counted_on_average']:,.0f} count: "
            f"the mean of the other raters is not from {low:g} to {high:g}.",
            table(header, rows, "lrrrr"),
            f"Published with DeepMoji: {published['on']}, on a scale from 1 to 9. Here it is "
            f"{raters['least']} to {raters['most']} raters, screened and trained ones, on a scale "
            f"from {scale['low']:g} to {scale['high']:g}, and every system learns from "
            f"{learnt['train']:,} of these tweets ({found['folds']}-fold cross-validation), so the "
            "columns do not compare. The one human is neutral on "
            f"{human['neutral']:.0%} of the tweets, which counts half, as a coin would; if that is "
            f"wrong, {100 * human['agreement_if_neutral_is_wrong']:.1f}, if it is left out, "
            f"{100 * human['agreement_without_neutral']:.1f} (the band in the plot). "
            f"Means over {found['repeats']:,} draws of raters; bootstrap over texts and draws; "
            f"seed {found['seed']}.",
        )
    )


def emojis(results: Results) -> str:
    """The groups, how well valence follows ratings, and what small encodings keep."""
    found, small = results["emojis"], results["projection"]
    groups = " · ".join(" ".join(group) for group in found["groups"])
    valence = found["valence"]
    sizes = list(small["variance_kept"])
    rows = [
        (
            "variance kept",
            "100.0",
            *(f"{100 * each:.1f}" for each in small["variance_kept"].values()),
        )
    ]
    rows += [
        (f"accuracy, {row['set']}", *(f"{100 * row[size]:.1f}" for size in ("all", *sizes)))
        for row in small["accuracy"]
    ]
    header = ("in %", f"all {small['numbers']:,}", *sizes)
    return "\n\n".join(
        (
            f"Its {len(found['groups'])} groups over {found['texts']:,} posts kept from training: "
            f"{groups}",
            "A table gives each emoji an emotion, so that `deepmoji predict --as emotions` answers "
            "with joy, anger or sadness and a valence from -1 to 1. Without having seen a rating, "
            f"the valence ranks {valence['texts']:,} rated tweets as people do with a correlation "
            f"of {valence['spearman']:.2f} (Spearman), and its sign is theirs for "
            f"{valence['sign_agreement']:.0%} of those not near neutral.",
            "`deepmoji encode --reduce 32` keeps 32 numbers of each encoding by a projection that "
            f"was fitted on {small['fitted_on_texts']:,} posts. What fewer numbers keep and cost "
            f"(logistic regression, {small['folds']} folds of the texts to learn from, no test "
            "text):",
            table(header, rows, "l" + "r" * (len(sizes) + 1)),
        )
    )


def _range(entry: Mapping[str, float]) -> str:
    return f"{100 * entry['low']:.1f} to {100 * entry['high']:.1f}"
