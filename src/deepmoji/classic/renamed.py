"""Options of 2017: which are taken, and what to say of those that make no sense any more."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from deepmoji.errors import InputError

GONE: Mapping[str, str] = {
    # SentenceTokenizer
    "custom_wordgen": "words are those of deepmoji.tokenize; prepare texts before they come here",
    "ignore_sentences_with_only_custom": "every text gets its row; leave texts out beforehand",
    "masking_value": "padding is 0, the vocabulary's CUSTOM_MASK",
    "unknown_value": "unknown words are 1, the vocabulary's CUSTOM_UNKNOWN",
    "max_sentences": "give as many texts as there are to be rows: texts[:n]",
    "reset_stats": "each call counts its own texts",
    # Models
    "nb_tokens": "the vocabulary of the model says how many words there are",
    "feature_output": "deepmoji.load().encode(texts) gives the encodings",
    "return_attention": "deepmoji.load().predict(text).words holds the attention of each word",
    "output_logits": "models give probabilities",
    # Fine-tuning
    "method": "finetune_chainthaw is chain-thaw; deepmoji.finetune(…, method=…) has the others",
    "error_checking": "labels are always checked, and wrong ones are errors",
    "checkpoint_weight_path": "the tuned model is returned; its save(folder) writes it",
    "checkpoint_path": "the tuned model is returned; its save(folder) writes it",
    "loss": "it follows from the labels",
    "loss_op": "it follows from the labels",
    "callbacks": "stages end by patience; deepmoji.finetune(…, report=…) tells of progress",
    "evaluate": "the argument is called metric",
    "upsample": "deepmoji.finetune(…, class_weights=True) lets rare classes count as much",
}


def shown(value: object) -> str:
    """Show a value in one short line, whatever it is."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def check_count(name: str, value: object, *, least: int = 1, most: int | None = None) -> None:
    """Make sure that an option is a count; a 0 would mean "automatic" further down.

    Raises:
        InputError: if it is no int (a bool is none), or not in the range.
    """
    # NumPy's too: labels.max() + 1 is how many people count classes.
    is_int = np.issubdtype(type(value), np.integer)
    number = int(cast("int", value)) if is_int else least - 1
    if number < least or (most is not None and number > most):
        wanted = f"{least} or more" if most is None else f"{least:,} to {most:,}"
        raise InputError(f"{name} has to be an int, {wanted}, not {shown(value)}")


def refuse_gone(function: str, options: Mapping[str, object], known: Mapping[str, object]) -> None:
    """Raise an error for an option that is not taken, where 2017 had it with the reason.

    Args:
        function: for the message.
        options: as given.
        known: the names that are taken.

    Raises:
        InputError: if there is such an option.
    """
    for name in options:
        if name in known:
            continue
        if name in GONE:
            raise InputError(f"{function} takes {name} no more: {GONE[name]}")
        more = f"; it has {', '.join(known)}" if known else ""
        raise InputError(f"{function} has no option {name!r}{more}")
