"""Texts to keep out of a corpus, and the vocabulary of another one."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.corpus import build, builder
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.corpus.stages import Stage
from deepmoji.corpus.words import split_key
from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS
from deepmoji.text.tokenizer import train_words
from tests.corpus.conftest import write_jsonl
from tests.corpus.test_build import contents

POSTS = [
    ("this one is new 😂", "en"),
    ("@bob This ONE is... known!! 😭", "en"),
    ("so this is another 💀", "en"),
]


def keys(texts):
    return {split_key(train_words(text)) for text in texts}


def texts_of(out):
    folder = CorpusFolder.open(out)
    return [text for split in ("validation", "test") for text in folder.read_split(split).texts]


def test_evaluation_texts_of_another_corpus_are_in_no_split(corpus, post_file, tmp_path):
    settings = CorpusSettings(
        exclude=(str(corpus),), vocabulary=str(corpus), per_emoji=4, natural=20, seed=5
    )
    report = build([post_file], tmp_path / "out", settings=settings, workers=1)
    new, known = CorpusFolder.open(tmp_path / "out"), keys(texts_of(corpus))
    assert new.vocabulary.words == CorpusFolder.open(corpus).vocabulary.words
    assert len(new.read_split("test")) > 0
    assert not keys(texts_of(tmp_path / "out")) & known
    train, words, start = new.read_train(), new.vocabulary.words, 0
    rows = []
    for end in train.offsets[1:]:
        rows.append([words[index] for index in train.ids[start:end]])
        start = end
    assert not {split_key(row) for row in rows if "CUSTOM_UNKNOWN" not in row} & known
    # Every post is in one of the two: kept, or excluded by name.
    assert report["rules"]["excluded"]["dropped"] >= len(known)
    assert report["rules"]["excluded"]["samples"]
    whole = CorpusFolder.open(corpus).report
    assert report["kept"] + report["rules"]["excluded"]["dropped"] == whole["kept"]


CONTENTS = {
    "a.txt": "nothing\nthis one is known\n",
    "a.csv": "id,text\n1,this one is known 🔥\n",
    "a.jsonl": '{"text": "THIS one, is known"}\n{"id": 3}\n',
}


@pytest.mark.parametrize("name", [*CONTENTS, "a.parquet"])
def test_files_of_texts_to_exclude(make, tmp_path, name):
    if name == "a.parquet":
        pq.write_table(pa.table({"tweet": ["this one is known", None]}), tmp_path / name)
    else:
        (tmp_path / name).write_text(CONTENTS[name], encoding="utf-8")
    out = make(POSTS, exclude=(str(tmp_path / name),), per_emoji=0, natural=0)
    report = CorpusFolder.open(out).report
    assert report["rules"]["excluded"]["samples"] == [POSTS[1][0]]
    assert (report["kept"], report["pairs"]["train"]) == (2, 2)
    assert "| dropped by excluded | 1 |" in (out / "report.md").read_text("utf-8")
    assert str(tmp_path) not in json.dumps(report["settings"])


def test_excluded_posts_are_not_counted_among_the_most_frequent_emojis(make, tmp_path):
    (tmp_path / "a.txt").write_text("hot stuff here", encoding="utf-8")
    posts = [("hot stuff here 🔥", "en")] * 5 + [("one 🤡", "en")]
    out = make(posts, exclude=(str(tmp_path / "a.txt"),), labels="top:1", per_emoji=0, natural=0)
    assert CorpusFolder.open(out).labels == ("🤡",)


def test_a_changed_list_is_not_ignored_when_a_build_goes_on(tmp_path, monkeypatch):
    write_jsonl(tmp_path / "posts.jsonl", POSTS)
    (tmp_path / "a.txt").write_text("this one is known", encoding="utf-8")
    settings = CorpusSettings(exclude=(str(tmp_path / "a.txt"),), per_emoji=0, natural=0)
    out = tmp_path / "out"

    def run():
        return build([tmp_path / "posts.jsonl"], out, settings=settings, workers=1)

    write = builder.Assembly.write
    monkeypatch.setattr(
        builder.Assembly, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        run()
    (tmp_path / "a.txt").write_text("so this is another", encoding="utf-8")
    with pytest.raises(InputError, match="other settings"):
        run()
    (tmp_path / "a.txt").write_text("this one is known", encoding="utf-8")
    monkeypatch.setattr(builder.Assembly, "write", write)
    monkeypatch.setattr(Stage, "run", None)  # what is done is not done again
    assert run()["run"]["files_done_before"] == 1
    assert run()["rules"]["excluded"]["dropped"] == 1
    (tmp_path / "a.txt").write_text("so this is another", encoding="utf-8")
    with pytest.raises(InputError, match="other posts or settings"):
        run()


def test_a_moved_list_is_the_same_build(corpus, make, tmp_path):
    copy = shutil.copytree(corpus, tmp_path / "copy")
    chosen = {"per_emoji": 0, "natural": 0}
    first = make(POSTS, exclude=(str(corpus),), vocabulary=str(corpus), **chosen)
    second = make(POSTS, exclude=(str(copy),), vocabulary=str(copy / "vocabulary.json"), **chosen)
    assert contents(first) == contents(second)
    reports = [CorpusFolder.open(out).report["settings"] for out in (first, second)]
    assert reports[0] == reports[1]
    assert reports[0]["vocabulary"].startswith("sha256:")


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("exclude", "nowhere.txt", "no such file"),
        ("exclude", "empty.txt", "no text to exclude"),
        ("exclude", "other.csv", "no text column"),
        ("exclude", "broken.parquet", "cannot be read to its end"),
        ("exclude", "latin.txt", "not UTF-8"),
        ("vocabulary", "nowhere", "cannot read"),
        ("vocabulary", "", "no vocabulary.json"),
    ],
)
def test_what_cannot_be_used(make, tmp_path, option, name, message):
    (tmp_path / "empty.txt").write_bytes(b"\n")
    (tmp_path / "other.csv").write_bytes(b"id\n1\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "latin.txt").write_bytes("déjà vu".encode("latin-1"))
    value = str(tmp_path / name)
    with pytest.raises(InputError, match=message):
        make(POSTS, **{option: (value,) if option == "exclude" else value})


def test_other_languages_with_the_vocabulary_of_a_model(corpus, make):
    posts = [("no puedo más con the day 😂", "es"), ("それな 😭", "ja"), ("the day 💀", "en")]
    out = make(
        posts,
        language="any",
        without=("non-ascii",),
        vocabulary=str(corpus),
        per_emoji=0,
        natural=0,
    )
    new, vocabulary = CorpusFolder.open(out), CorpusFolder.open(corpus).vocabulary
    train = new.read_train()
    rows = {
        EMOJIS[label]: list(train.ids[start:end])
        for label, start, end in zip(
            train.labels, train.offsets[:-1], train.offsets[1:], strict=True
        )
    }
    assert rows["😂"][-2:] == rows["💀"] == vocabulary.ids(["the", "day"])
    assert set(rows["😭"]) == {1}


def test_evaluation_sets_can_be_left_out(make):
    corpus = CorpusFolder.open(make(POSTS, per_emoji=0, natural=0))
    assert [len(corpus.read_split(split)) for split in ("validation", "test")] == [0, 0]
    assert len(corpus.read_train()) == 3
