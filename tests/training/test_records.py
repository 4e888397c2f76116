"""What a bundle's training.json says is JSON, whatever could not be measured."""

import json

from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.training.pretrain import pretrain
from deepmoji.training.record import without_nan
from tests.helpers.corpora import make_posts
from tests.helpers.tinyruns import ONE, TINY, settings


def test_a_corpus_without_a_balanced_set_gives_no_numbers_for_it(tmp_path):
    posts = tmp_path / "posts.txt"
    posts.write_text("\n".join(make_posts(400)), encoding="utf-8")
    (tmp_path / "labels.txt").write_text("😂\n😭\n😡\n😍", encoding="utf-8")
    labels = str(tmp_path / "labels.txt")
    sizes = {"per_emoji": 0, "natural": 30, "vocabulary_size": 200}
    corpus = CorpusSettings(language="any", labels=labels, **sizes)
    build([str(posts)], tmp_path / "corpus", settings=corpus, workers=1)
    out = pretrain(
        tmp_path / "corpus", tmp_path / "m", model=TINY, config=settings(epochs=0.1), hardware=ONE
    )
    text = (out / "training.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=lambda name: f"{name} is not JSON")
    assert "is not JSON" not in json.dumps(record)
    assert record["scores"]["this model"]["balanced_top1"] is None
    assert record["scores"]["this model"]["natural_top1"] >= 0
    assert "nan" not in (out / "README.md").read_text(encoding="utf-8")


def test_only_what_is_no_number_is_replaced():
    record = {"a": [1.5, float("nan"), (float("inf"), 2)], "b": {"c": "nan", "d": None}, "e": True}
    wanted = {"a": [1.5, None, [None, 2]], "b": {"c": "nan", "d": None}, "e": True}
    assert without_nan(record) == wanted
