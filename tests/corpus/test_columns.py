"""Columns that only some settings read: how sure the language is, who wrote a post, its id."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.errors import InputError

POSTS = [
    {"text": "surely english 😂", "lang": "en", "sure": 0.9},
    {"text": "just enough 😭", "lang": "en-GB", "sure": 0.7},
    {"text": "not enough 💀", "lang": "en", "sure": 0.69},
    {"text": "nobody said how sure 😭", "lang": "en", "sure": None},
    {"text": "no puedo 😂", "lang": "es", "sure": 0.1},
    {"text": "this is detected to be the english language, of course 😍", "lang": "", "sure": None},
]


def write(path, posts, name="lang_score"):
    rows = [
        {name if key == "sure" else key: value for key, value in post.items()} for post in posts
    ]
    if path.suffix == ".parquet":
        table = pa.Table.from_pylist(rows)
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].cast(pa.float32()))
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        lines = [
            [str("" if v is None else v).replace(",", ";") for v in row.values()] for row in rows
        ]
        path.write_text("\n".join(map(",".join, [rows[0], *lines])), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def dropped(report):
    return {name: rule["dropped"] for name, rule in report["rules"].items() if rule["dropped"]}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("name", ["lang_score", "other"])
def test_languages_that_are_not_sure_enough(tmp_path, suffix, name):
    write(tmp_path / f"a{suffix}", POSTS, name)
    settings = CorpusSettings(
        min_language_score=0.7,
        lang_score_column=name if name == "other" else None,
        per_emoji=0,
        natural=0,
    )
    report = build([tmp_path], tmp_path / "out", settings=settings, workers=1)
    assert dropped(report) == {"language": 1, "language-score": 2}
    assert "nobody said how sure 😭" in report["rules"]["language-score"]["samples"]
    assert report["kept"] == 3


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_files_without_the_score(tmp_path, suffix):
    write(
        tmp_path / f"a{suffix}", [{k: v for k, v in post.items() if k != "sure"} for post in POSTS]
    )
    settings = CorpusSettings(min_language_score=0.5)
    with pytest.raises(InputError, match=r"of the score.*--lang-score-column"):
        build([tmp_path], tmp_path / "out", settings=settings, workers=1)
    settings = CorpusSettings(min_language_score=0.5, lang_score_column="nope")
    with pytest.raises(InputError, match="--lang-score-column"):
        build([tmp_path], tmp_path / "out", settings=settings, workers=1)


def test_without_a_language_column_no_score_is_needed(tmp_path):
    (tmp_path / "a.txt").write_text(POSTS[-1]["text"], encoding="utf-8")
    settings = CorpusSettings(min_language_score=0.5, per_emoji=0, natural=0)
    assert build([tmp_path], tmp_path / "out", settings=settings, workers=1)["kept"] == 1


def test_a_score_that_is_no_fraction(tmp_path):
    pq.write_table(
        pa.table({"text": ["x"], "lang": ["en"], "lang_score": ["x"]}), tmp_path / "a.parquet"
    )
    with pytest.raises(InputError, match="'lang_score' holds string, not fractions"):
        build([tmp_path], tmp_path / "out", settings=CorpusSettings(min_language_score=0.5))
