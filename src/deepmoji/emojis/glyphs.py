"""Pictures of emojis, from the colour emoji font of this machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deepmoji.errors import InputError

VARIABLE = "DEEPMOJI_EMOJI_FONT"
# Where systems keep theirs: Debian and Ubuntu, Fedora, Arch, macOS, Windows.
_PLACES = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/System/Library/Fonts/Apple Color Emoji.ttc",
    "C:/Windows/Fonts/seguiemj.ttf",
)
# Fonts of bitmaps open at the sizes of these alone: Noto's and Apple's; others at any.
_SIZES = (109, 160, 96, 64)
_ROOM = 2.0  # a glyph may stick out of its size
_PIXELS = 72  # a side, in pictures

Picture = NDArray[np.uint8]  # [side, side, 4]


class Glyphs:
    """Draws emojis in colour.

    Args:
        path: of a colour emoji font.

    Raises:
        InputError: if it cannot be read or has no coloured emoji.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._font, self._size = _open(path)
        if self.draw("😂") is None:
            raise InputError(f"{path} has no coloured emojis; name a colour emoji font")

    def draw(self, emoji: str) -> Picture | None:
        """Return an emoji's picture, square with it in the middle; None if the font lacks it."""
        side = round(_ROOM * self._size)
        image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        place = (side // 8, side // 8)
        ImageDraw.Draw(image).text(place, emoji, font=self._font, embedded_color=True)
        box = image.getbbox()
        if box is None:
            return None
        glyph = image.crop(box)
        largest = max(glyph.size)
        square = Image.new("RGBA", (largest, largest), (0, 0, 0, 0))
        square.paste(glyph, ((largest - glyph.width) // 2, (largest - glyph.height) // 2))
        return np.asarray(square.resize((_PIXELS, _PIXELS), Image.Resampling.LANCZOS), np.uint8)


def find_glyphs() -> Glyphs | None:
    """Return the emojis of this machine's font, None if it has none.

    The file that DEEPMOJI_EMOJI_FONT names comes first.

    Raises:
        InputError: if that variable names a font that cannot be used.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Glyphs(Path(named))
    path = next((path for path in _candidates() if path.is_file()), None)
    return None if path is None else Glyphs(path)


def _candidates() -> Iterator[Path]:
    yield from map(Path, _PLACES)
    for folder in (Path.home() / ".fonts", Path.home() / ".local/share/fonts"):
        if folder.is_dir():
            yield from sorted(folder.rglob("*Color*Emoji*.tt?"))


def _open(path: Path) -> tuple[Any, int]:
    if not path.is_file():
        raise InputError(f"there is no font {path}")
    reason = ""
    for size in _SIZES:
        try:
            return ImageFont.truetype(str(path), size), size
        except OSError as error:  # of a bitmap font: "invalid pixel size"
            reason = str(error)
    raise InputError(f"the font {path} cannot be read: {reason}")
