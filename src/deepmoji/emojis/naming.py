"""Which label an emoji is, however a keyboard writes it."""

from collections.abc import Sequence

from deepmoji.errors import InputError
from deepmoji.labels import bare


def place_of(label: str, labels: Sequence[str]) -> int:
    r"""Return the place of a label among all, with or without a variation selector in either.

    >>> place_of("❤", ("😂", "❤\ufe0f")), place_of("❤\ufe0f", ("😂", "❤"))
    (1, 1)

    Raises:
        InputError: if it is none of them.
    """
    if label in labels:  # there may be one with the selector and one without
        return labels.index(label)
    plain = [bare(each) for each in labels]
    wanted = bare(label)
    if wanted not in plain:
        raise InputError(f"{label!r} is no label of the model; there are {' '.join(labels)}")
    return plain.index(wanted)
