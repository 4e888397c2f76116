import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from deepmoji.corpus import build, builder
from deepmoji.corpus.encoded import Encoded
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.corpus.stages import Stage
from deepmoji.corpus.words import split_key
from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import EMOJI_CHARACTERS, remove_emojis
from deepmoji.text.tokenizer import train_words
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from tests.corpus.conftest import DROPPED, SETTINGS, write_jsonl

RESULTS = ["vocabulary.json", "labels.json", "validation.parquet", "test.parquet"]


def contents(out):
    files = [*(out / name for name in RESULTS), *sorted((out / "train").iterdir())]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def facts(out):
    report = json.loads((out / "report.json").read_text("utf-8"))
    del report["run"], report["inputs"]
    return report


def test_report_counts_every_post_once(corpus, posts):
    report = facts(corpus)
    expected = {}
    for rule, _, _ in DROPPED:
        expected[rule] = expected.get(rule, 0) + 1
    assert {name: rule["dropped"] for name, rule in report["rules"].items()} == expected
    assert report["posts"] == len(posts)
    assert report["kept"] == len(posts) - len(DROPPED)
    for name, rule in report["rules"].items():
        assert sorted(rule["samples"]) == sorted(text for r, text, _ in DROPPED if r == name)


def test_splits_hold_every_kept_pair_once(corpus, posts):
    folder = CorpusFolder.open(corpus)
    train, splits = folder.read_train(), [folder.read_split(s) for s in ("validation", "test")]
    report = facts(corpus)
    assert len(train) == report["pairs"]["train"] > 0
    wanted = {
        (tuple(train_words(remove_emojis(text))), emoji)
        for text, _ in posts[: -len(DROPPED)]
        for emoji in EMOJIS
        if emoji in text
    }
    total = len(train) + sum(map(len, splits)) + report["pairs"]["near_copies_dropped"]
    assert total == len(wanted)
    assert len(list((corpus / "train").iterdir())) == report["train_parts"] > 1
    assert sum(counts["train"] for counts in report["pairs_per_emoji"].values()) == len(train)
    assert sum(report["length_histogram"].values()) == len(train)


def test_evaluation_texts_hold_no_emoji_and_no_training_text(corpus):
    folder = CorpusFolder.open(corpus)
    words = folder.vocabulary.words
    train = folder.read_train()
    keys = {
        split_key([words[index] for index in ids])
        for ids in np.split(train.ids, train.offsets[1:-1])
        if 1 not in ids
    }
    traces = EMOJI_CHARACTERS | set(EMOJIS) | {"\ufe0f", "\u200d", "\u20e3"}
    for name in ("validation", "test"):
        split = folder.read_split(name)
        assert len(split) > 0
        assert not any(set(text) & traces for text in split.texts)
        assert not {split_key(train_words(text)) for text in split.texts} & keys
        assert (split.balanced | split.natural).all()
        counts = np.bincount(split.labels[split.balanced], minlength=64)
        assert counts.max() == SETTINGS.per_emoji
        ids = [folder.vocabulary.ids(train_words(text)) for text in split.texts]
        assert np.concatenate(ids).tolist() == split.ids.tolist()
    assert train.ids.dtype == np.uint16


def test_no_more_than_a_shard_is_gathered_at_once(corpus, post_file, tmp_path, monkeypatch):
    """An array over all training rows has no room in Arrow's lists, from 2**31 words on."""
    gathered, most = Encoded.gather, []

    def watched(encoded, rows):
        most.append(len(rows))
        return gathered(encoded, rows)

    monkeypatch.setattr(Encoded, "gather", watched)
    build([post_file], tmp_path / "out", settings=SETTINGS, workers=1)
    assert max(most) == SETTINGS.shard_rows < facts(tmp_path / "out")["pairs"]["train"]
    assert facts(tmp_path / "out") == facts(corpus)


def test_vocabulary_is_by_frequency_in_training(corpus):
    folder = CorpusFolder.open(corpus)
    words, train = folder.vocabulary.words, folder.read_train()
    assert words[:10] == SPECIAL_TOKENS
    assert len(words) == SETTINGS.vocabulary_size
    # Posts with two emojis are two pairs but count once; the words' order shows nearly the same.
    counts = np.bincount(train.ids, minlength=len(words))[10:]
    assert np.corrcoef(counts, np.arange(len(counts)))[0, 1] < -0.8
    assert facts(corpus)["unknown_share"]["train"] == pytest.approx(
        (train.ids == 1).mean(), abs=1e-6
    )


def test_vocabulary_ties_are_alphabetical_and_long_words_are_left_out(make):
    long = "x" + "yz" * 15
    out = make([(f"bb aa cc aa {long} 😂", "en")], per_emoji=0, natural=0)
    assert CorpusFolder.open(out).vocabulary.words[10:] == ("aa", "bb", "cc")


def test_same_bytes_for_any_workers_and_division(corpus, posts, tmp_path):
    write_jsonl(tmp_path / "b.jsonl", posts[1000:][::-1])
    write_jsonl(tmp_path / "a.jsonl", posts[:1000])
    build([tmp_path], tmp_path / "out", settings=SETTINGS, workers=1)
    assert contents(tmp_path / "out") == contents(corpus)
    assert facts(tmp_path / "out") == facts(corpus)


def test_seed_changes_the_split(corpus, post_file, tmp_path):
    settings = CorpusSettings(**{**SETTINGS.to_dict(), "without": (), "seed": 1})
    build([post_file], tmp_path / "out", settings=settings, workers=1)
    first, second = (
        set(CorpusFolder.open(out).read_split("test").texts) for out in (corpus, tmp_path / "out")
    )
    assert len(first & second) < len(first) / 2


def test_interrupted_build_goes_on(corpus, posts, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_STAGE_SIZE", 1)
    for number in range(3):
        write_jsonl(tmp_path / f"{number}.jsonl", posts[number::3])
    out, run, done = tmp_path / "out", Stage.run, []

    def killed(stage, workers, advance):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(stage)
        return run(stage, workers, advance)

    monkeypatch.setattr(Stage, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        build([tmp_path], out, settings=SETTINGS, workers=1)
    assert [path.name for path in out.iterdir()] == [".work"]
    with pytest.raises(InputError, match="no finished corpus"):
        CorpusFolder.open(out)
    finished = {path: path.stat().st_mtime_ns for path in (out / ".work").glob("*.parquet")}
    assert len(finished) == 2

    def watched(stage, workers, advance):
        done.append(stage)
        assert {path: path.stat().st_mtime_ns for path in finished} == finished
        return run(stage, workers, advance)

    monkeypatch.setattr(Stage, "run", watched)
    report = build([tmp_path / f"{n}.jsonl" for n in range(3)], out, settings=SETTINGS, workers=1)
    assert len(done) == 3
    assert report["run"]["files_done_before"] == 2
    assert contents(out) == contents(corpus)
    assert not (out / ".work").exists()


def test_a_file_that_vanishes_is_waited_for(corpus, posts, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_STAGE_SIZE", 1)
    for number in range(2):
        write_jsonl(tmp_path / f"{number}.jsonl", posts[number::2])
    out, run, gone = tmp_path / "out", Stage.run, tmp_path / "1.jsonl"

    def vanishing(stage, workers, advance):
        if stage.files[0].path == gone and not (tmp_path / "elsewhere").exists():
            gone.rename(tmp_path / "elsewhere")
        return run(stage, workers, advance)

    monkeypatch.setattr(Stage, "run", vanishing)
    with pytest.raises(InputError, match=r"1\.jsonl was there when the build began, and is gone"):
        build([tmp_path], out, settings=SETTINGS, workers=1)
    assert not (out / "report.json").exists()
    (tmp_path / "elsewhere").rename(gone)
    (tmp_path / "elsewhere").touch()
    report = build([gone.with_name("0.jsonl"), gone], out, settings=SETTINGS, workers=1)
    assert report["run"]["files_done_before"] == 1
    assert contents(out) == contents(corpus)


def test_shards_that_are_written_are_not_written_again(post_file, corpus, tmp_path, monkeypatch):
    from deepmoji.corpus import assemble

    write, written = assemble.write_table, []

    def full(table, path):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(table, path)

    monkeypatch.setattr(assemble, "write_table", full)
    with pytest.raises(InputError, match="no space left"):
        build([post_file], tmp_path / "out", settings=SETTINGS, workers=1)
    times = {path: path.stat().st_mtime_ns for path in written}
    assert not list((tmp_path / "out").rglob("*.partial"))
    monkeypatch.setattr(assemble, "write_table", write)
    build([post_file], tmp_path / "out", settings=SETTINGS, workers=1)
    assert {path: path.stat().st_mtime_ns for path in written} == times
    assert contents(tmp_path / "out") == contents(corpus)


def test_finished_build_does_nothing_and_others_are_refused(corpus, post_file, tmp_path):
    out = shutil.copytree(corpus, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    build([post_file], out, settings=SETTINGS, workers=1)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    with pytest.raises(InputError, match="--overwrite"):
        build([post_file], out, workers=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        build([post_file], tmp_path / "mine", settings=SETTINGS, workers=1)
    (tmp_path / "mine" / "train").mkdir()
    (tmp_path / "mine" / "train" / "x").write_text("precious")
    small = CorpusSettings(per_emoji=1, natural=1)
    build([post_file], tmp_path / "mine", settings=small, workers=1, overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    assert (tmp_path / "mine" / "train" / "x").read_text() == "precious"
    assert CorpusFolder.open(tmp_path / "mine").report["settings"]["natural"] == 1


def test_posts_without_a_wanted_emoji(tmp_path):
    (tmp_path / "a.txt").write_text("this is burning 🔥\nand this is plain\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"none|wanted-emoji 2"):
        build([tmp_path / "a.txt"], tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_most_frequent_emojis_as_labels(make):
    texts = [
        "one 🔥",
        "two 🔥 🤡",
        "three 🤡",
        "four 🤡🤡🤡",
        "five 🥵",
        "http://x 🥵",
        "RT six 🥵",
    ]
    out = make([(text, "en") for text in texts], labels="top:2", per_emoji=0, natural=0)
    corpus = CorpusFolder.open(out)
    assert corpus.labels == ("🤡", "🔥")
    assert corpus.report["pairs_per_emoji"]["🤡"]["train"] == 3
    assert corpus.report["rules"]["wanted-emoji"]["dropped"] == 1


def test_labels_of_the_paper_come_first_of_more(make):
    texts = ["one 🔥", "two 🔥 🤡", "three 🔥", "four 😂", "five 🤡", "six 🥵"]
    out = make([(text, "en") for text in texts], labels="deepmoji+2", per_emoji=0, natural=0)
    corpus = CorpusFolder.open(out)
    assert corpus.labels == (*EMOJIS, "🔥", "🤡")
    assert corpus.report["pairs_per_emoji"]["😂"]["train"] == 1
    assert sorted(corpus.read_train().labels) == [0, 64, 64, 64, 65, 65]


def test_language_is_detected_without_a_column(make):
    texts = ["I really love this so much today 😂", "das ist aber nicht sehr schön gewesen 😂"]
    out = make([(text, None) for text in texts], per_emoji=0, natural=0)
    assert CorpusFolder.open(out).report["rules"]["language"]["dropped"] == 1
    out = make([(text, None) for text in texts], language="de", without=("non-ascii",))
    assert CorpusFolder.open(out).report["kept"] == 1


def test_filters_switched_off(make):
    out = make([(text, lang) for _, text, lang in DROPPED], without=("retweet", "link", "language"))
    rules = CorpusFolder.open(out).report["rules"]
    assert not any(rules[rule]["dropped"] or rules[rule]["applied"] for rule in list(rules)[:3])


def test_long_posts_are_cut(make):
    out = make([("a b c d e f 😂", "en")], max_tokens=4, per_emoji=0, natural=0)
    shard = CorpusFolder.open(out).read_train()
    assert shard.lengths.tolist() == [4]
    assert CorpusFolder.open(out).report["cut_share"] == 1.0


def test_daft_is_told_not_to_report():
    code = (
        "import deepmoji.corpus.program, os; from daft.scarf_telemetry import opted_out;"
        "raise SystemExit(not opted_out())"
    )
    unset = {"DO_NOT_TRACK", "DAFT_ANALYTICS_ENABLED", "SCARF_NO_ANALYTICS"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )
