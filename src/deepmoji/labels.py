"""The 64 emojis that DeepMoji predicts, in the order of its classes 0 to 63.

Source: Felbo et al., EMNLP 2017, and the original's published class order. The names are the
Unicode character names. Variation selectors are never part of a label.
"""

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "😂": "face with tears of joy",
        "😒": "unamused face",
        "😩": "weary face",
        "😭": "loudly crying face",
        "😍": "smiling face with heart-shaped eyes",
        "😔": "pensive face",
        "👌": "ok hand sign",
        "😊": "smiling face with smiling eyes",
        "❤": "heavy black heart",
        "😏": "smirking face",
        "😁": "grinning face with smiling eyes",
        "🎶": "multiple musical notes",
        "😳": "flushed face",
        "💯": "hundred points symbol",
        "😴": "sleeping face",
        "😌": "relieved face",
        "☺": "white smiling face",
        "🙌": "person raising both hands in celebration",
        "💕": "two hearts",
        "😑": "expressionless face",
        "😅": "smiling face with open mouth and cold sweat",
        "🙏": "person with folded hands",
        "😕": "confused face",
        "😘": "face throwing a kiss",
        "♥": "black heart suit",
        "😐": "neutral face",
        "💁": "information desk person",
        "😞": "disappointed face",
        "🙈": "see-no-evil monkey",
        "😫": "tired face",
        "✌": "victory hand",
        "😎": "smiling face with sunglasses",
        "😡": "pouting face",
        "👍": "thumbs up sign",
        "😢": "crying face",
        "😪": "sleepy face",
        "😋": "face savouring delicious food",
        "😤": "face with look of triumph",
        "✋": "raised hand",
        "😷": "face with medical mask",
        "👏": "clapping hands sign",
        "👀": "eyes",
        "🔫": "pistol",
        "😣": "persevering face",
        "😈": "smiling face with horns",
        "😓": "face with cold sweat",
        "💔": "broken heart",
        "♡": "white heart suit",
        "🎧": "headphone",
        "🙊": "speak-no-evil monkey",
        "😉": "winking face",
        "💀": "skull",
        "😖": "confounded face",
        "😄": "smiling face with open mouth and smiling eyes",
        "😜": "face with stuck-out tongue and winking eye",
        "😠": "angry face",
        "🙅": "face with no good gesture",
        "💪": "flexed biceps",
        "👊": "fisted hand sign",
        "💜": "purple heart",
        "💖": "sparkling heart",
        "💙": "blue heart",
        "😬": "grimacing face",
        "✨": "sparkles",
    }
)

EMOJIS: tuple[str, ...] = tuple(NAMES)


def bare(label: str) -> str:
    """Return an emoji without the variation selector, which only asks for its coloured form.

    >>> bare("\u2764\ufe0f") == "\u2764"
    True
    """
    return label.replace("\ufe0f", "")
