import json

import pytest

from deepmoji.corpus.labelset import fixed_labels, most_frequent, top_count
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS


def test_settings_survive_json():
    settings = CorpusSettings(without=("link", "retweet"), language="DE", exclude=("b", "a"))
    assert CorpusSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert settings.language == "de"
    assert settings.exclude == ("a", "b")
    assert "exclude" not in CorpusSettings().to_dict()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"without": ("retweets",)}, "retweet, link"),
        ({"vocabulary_size": 10}, "vocabulary-size"),
        ({"max_tokens": 0}, "max-tokens"),
        ({"max_tokens": 70_000}, "65535"),
        ({"max_tokens": 8192}, r"8192; .* 262144 rows, .* 2\*\*31 words.* at most 8191"),
        ({"max_tokens": 64, "shard_rows": 2**25}, "at most 63"),
        ({"max_tokens": 1, "shard_rows": 2**31}, "fewer shard-rows"),
        ({"per_emoji": -1}, "per-emoji"),
        ({"language": "e.*"}, "language"),
        ({"seed": -1}, "seed"),
        ({"min_language_score": 0.0}, "above 0"),
        ({"min_language_score": 0.5, "language": "any"}, "no language"),
        ({"lang_score_column": "sure"}, "--min-language-score"),
        ({"vocabulary": "model", "vocabulary_size": 50_000}, "--vocabulary-size"),
    ],
)
def test_senseless_settings(values, message):
    with pytest.raises(InputError, match=message):
        CorpusSettings(**values)


def test_labels_of_the_paper_and_of_a_list(tmp_path):
    assert fixed_labels("deepmoji") == EMOJIS
    lines, listed = tmp_path / "a.txt", tmp_path / "a.json"
    lines.write_text("🔥\n❤️\n🤷\u200d♀️\n", encoding="utf-8")
    listed.write_text('["🔥", "❤️", "🤷\u200d♀️"]', encoding="utf-8")
    assert fixed_labels(str(lines)) == fixed_labels(str(listed)) == ("🔥", "❤", "🤷\u200d♀")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("🔥\n:)\n", "':\\)'"),
        ("🔥 love", "love"),
        ("❤ ❤️", "twice"),
        ("", "0 emojis"),
        ("[1]", "list"),
    ],
)
def test_lists_that_are_none(tmp_path, content, message):
    (tmp_path / "a.txt").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        fixed_labels(str(tmp_path / "a.txt"))


def test_missing_list_names_the_choices():
    with pytest.raises(InputError, match="top:K"):
        fixed_labels("top64")


def test_most_frequent_with_ties_by_code_point():
    assert top_count("top:3") == 3
    assert top_count("deepmoji") is None
    assert most_frequent({"🔥": 2, "❤": 2, "🤡": 5}, 2) == ("🤡", "❤")
    for wrong in ("top:0", "top:x", "top:", "top:65537"):
        with pytest.raises(InputError, match="top:"):
            top_count(wrong)
    with pytest.raises(InputError, match="only 1 different"):
        most_frequent({"🔥": 2}, 2)


def test_most_frequent_besides_those_of_the_paper():
    assert top_count("deepmoji+3") == 3
    assert fixed_labels("deepmoji+3") == EMOJIS
    assert most_frequent({"🔥": 2, "❤": 9, "🤡": 5}, 1, ("😂", "❤")) == ("😂", "❤", "🤡")
    for wrong in ("deepmoji+", "deepmoji+0", "deepmoji+65473"):
        with pytest.raises(InputError, match=r"deepmoji\+ comes a number from 1 to 65,472"):
            top_count(wrong)
    with pytest.raises(InputError, match=r"besides the 1; .* only 1 different"):
        most_frequent({"🔥": 2, "❤": 2}, 2, ("❤",))
