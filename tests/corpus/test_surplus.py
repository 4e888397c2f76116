"""Near duplicates, posts of one author beyond a cap, and posts to delete."""

import json
import random

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import build, builder
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.corpus.stages import Stage
from deepmoji.errors import InputError
from tests.corpus.conftest import WORDS
from tests.corpus.test_build import contents, facts
from tests.corpus.test_columns import dropped, write

NOTHING = {"per_emoji": 0, "natural": 0}
OFFER = "hello {} i am an artist and can draw your pictures for a good price just message me"
NAMES = ("bob", "eve", "ann", "joe")


def post(text, author=None, number=None, lang="en"):
    return {"text": text, "lang": lang, "author_id": author, "id": number}


def make_posts(count=400, seed=3):
    """Long posts of random words by five authors, a tenth of them followed by a near duplicate."""
    draw = random.Random(seed)
    posts = []
    for number in range(count):
        words = draw.choices(WORDS, k=draw.randint(9, 20))
        posts.append(post(f"{' '.join(words)} 😂", f"a{number % 5}", number))
        if number % 10 == 0:
            words[-1] = "different"
            posts.append(post(f"@you {' '.join(words)}!! 😭", f"a{number % 3}", count + number))
    return posts


def words_of(out):
    folder = CorpusFolder.open(out)
    train, words = folder.read_train(), folder.vocabulary.words
    spans = zip(train.offsets[:-1], train.offsets[1:], strict=True)
    return [" ".join(words[index] for index in train.ids[start:end]) for start, end in spans]


def run(posts, folder, workers=1, **changes):
    folder.mkdir(exist_ok=True)
    write(folder / "posts.jsonl", posts)
    settings = CorpusSettings(**{**NOTHING, **changes})
    return build([folder / "posts.jsonl"], folder / "out", settings=settings, workers=workers)


def test_one_of_near_duplicates_stays(tmp_path):
    posts = [
        post(f"{OFFER.format(name)} {emoji}") for name, emoji in zip(NAMES, "😂😭💀😍", strict=True)
    ]
    posts += [post("happy birthday to you 😂"), post("happy birthday to you 😭")]
    posts += [post("i draw pictures as an artist and this is quite another text 😂")]
    report = run(posts, tmp_path, near_duplicates=True)
    assert dropped(report) == {"near-duplicate": 3}
    assert report["kept"] == 4
    assert all("artist" in text for text in report["rules"]["near-duplicate"]["samples"])
    kept = words_of(tmp_path / "out")
    assert len(kept) == 4
    assert sum("price" in text for text in kept) == 1
    assert kept.count("happy birthday to you") == 2  # short, so people's own words


def test_near_duplicates_do_not_depend_on_the_order_of_the_input(tmp_path):
    posts = make_posts()
    settings = {"near_duplicates": True, "cap_author": 60, "per_emoji": 5, "natural": 20}
    first = run(posts, tmp_path / "a", **settings)
    assert first["rules"]["near-duplicate"]["dropped"] == 40
    assert first["rules"]["author-cap"]["dropped"] > 0
    run(random.Random(0).sample(posts, len(posts)), tmp_path / "b", workers=2, **settings)
    assert contents(tmp_path / "a" / "out") == contents(tmp_path / "b" / "out")
    assert facts(tmp_path / "a" / "out") == facts(tmp_path / "b" / "out")


def test_a_killed_build_drops_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_STAGE_SIZE", 1)
    posts, out = make_posts(), tmp_path / "out"
    for number in range(3):
        write(tmp_path / f"{number}.jsonl", posts[number::3])
    whole, settings = Stage.run, CorpusSettings(near_duplicates=True, cap_author=50, **NOTHING)
    done = []

    def killed(stage, workers, advance):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(stage)
        return whole(stage, workers, advance)

    monkeypatch.setattr(Stage, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        build([tmp_path], out, settings=settings, workers=1)
    monkeypatch.setattr(Stage, "run", whole)
    report = build([tmp_path], out, settings=settings, workers=1)
    assert report["run"]["files_done_before"] == 2
    run(posts, tmp_path / "b", near_duplicates=True, cap_author=50)
    assert contents(out) == contents(tmp_path / "b" / "out")
    assert facts(out) == facts(tmp_path / "b" / "out")


def test_posts_of_one_author(tmp_path):
    posts = [post(f"post number {name} 😂", "loud") for name in NAMES]
    posts += [post("a quiet post 😭", "quiet"), post("nobody says 💀"), post("who says it 💀")]
    report = run(posts, tmp_path, cap_author=2)
    assert dropped(report) == {"author-cap": 2}
    assert len(words_of(tmp_path / "out")) == report["kept"] == 5


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_posts_to_delete_leave_no_trace(tmp_path, suffix):
    posts = [post(f"post of {name} 😂", name, 10 + n) for n, name in enumerate(NAMES)]
    posts.append(post("no es de eve 😂", "eve", 20, "es"))
    (tmp_path / "gone").write_text("11\n20\n99\n", encoding="utf-8")
    write(tmp_path / f"a{suffix}", posts)
    settings = CorpusSettings(delete_ids=str(tmp_path / "gone"), **NOTHING)
    report = build([tmp_path / f"a{suffix}"], tmp_path / "out", settings=settings, workers=1)
    assert dropped(report) == {"deleted": 2}
    assert "eve" not in json.dumps(report)
    assert "eve" not in " ".join(words_of(tmp_path / "out"))
    assert report["settings"]["delete_ids"].startswith("sha256:")


@pytest.mark.parametrize(("listed", "said"), [("1\n", "1 posts."), ("9\n", "0 posts. Are")])
def test_ids_that_were_read_as_fractions_are_whole_numbers(tmp_path, listed, said):
    posts = [{"id": float(n), "text": f"post of {name} 😂"} for n, name in enumerate(NAMES)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, posts)), encoding="utf-8")
    (tmp_path / "gone").write_text(listed, encoding="utf-8")
    out, gone = tmp_path / "out", tmp_path / "gone"
    arguments = ["corpus", "build", tmp_path / "a.jsonl", "--out", out, "--delete-ids", gone,
                 "--language", "any", "--workers", 1]  # fmt: skip
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == 0, done.stderr
    assert f"Deleted by the list of ids: {said}" in done.output


def test_ids_and_authors_of_tweets(tmp_path):
    tweets = [
        {"id": 1, "id_str": "1", "text": "one of these 😂", "user": {"id_str": "7"}},
        {"data": {"id": "2", "text": "two of these 😂", "author_id": "7"}},
        {"id": 3, "id_str": "3", "text": "three of these 😂", "user": {"id_str": "8"}},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, tweets)), encoding="utf-8")
    (tmp_path / "gone").write_text("3\n", encoding="utf-8")
    settings = CorpusSettings(
        delete_ids=str(tmp_path / "gone"), cap_author=1, language="any", **NOTHING
    )
    report = build([tmp_path / "a.jsonl"], tmp_path / "out", settings=settings, workers=1)
    assert dropped(report) == {"deleted": 1, "author-cap": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cap_author": 1}, "of the author.*--author-column"),
        ({"cap_author": 1, "author_column": "nope"}, "--author-column"),
        ({"delete_ids": "gone"}, "of the id.*--id-column"),
        ({"cap_author": 0}, "cap-author is 0"),
        ({"id_column": "id"}, "id-column is only read for --delete-ids"),
    ],
)
def test_what_cannot_be_used(tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").write_text("1", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        run([{"text": "so funny 😂", "lang": "en"}], tmp_path / "a", **changes)


def test_a_list_of_ids_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nowhere.*--delete-ids"):
        run([post("so funny 😂", "a", 1)], tmp_path, delete_ids=str(tmp_path / "nowhere"))


def test_plain_text_has_no_ids(tmp_path):
    (tmp_path / "a.txt").write_text("so funny 😂", encoding="utf-8")
    with pytest.raises(InputError, match="plain text says no author"):
        build([tmp_path / "a.txt"], tmp_path / "out", settings=CorpusSettings(cap_author=1))


def test_a_file_of_which_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_STAGE_SIZE", 1)
    write(tmp_path / "a.jsonl", [post("nothing to see here", "a", 1)])
    write(tmp_path / "b.jsonl", [post("so funny 😂", "a", 2)])
    settings = CorpusSettings(near_duplicates=True, cap_author=1, **NOTHING)
    assert build([tmp_path], tmp_path / "out", settings=settings, workers=1)["kept"] == 1
