"""`SentenceTokenizer` gives the original's ids, and mends what was wrong with it."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji import SentenceTokenizer
from deepmoji.classic.renamed import GONE
from deepmoji.classic.tokenizer import coverage, words_of
from deepmoji.errors import InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary

VOCABULARY = Vocabulary([*SPECIAL_TOKENS, "i", "love", "it", "!!"])
IDS = {word: index for index, word in enumerate(VOCABULARY.words)}
TEN = [f"i am sentence {number}" for number in range(9)] + ["i am sentence nine newword"]
LABELS = [{"label": number} for number in range(10)]


@pytest.fixture
def tokenizer():
    return SentenceTokenizer(IDS, 6)


def test_ids_are_the_originals_on_every_golden_row(shared):
    with gzip.open(shared / "golden" / "tokens.jsonl.gz", "rt", encoding="utf-8") as lines:
        golden = [json.loads(line) for line in lines]
    tokenizer = SentenceTokenizer(shared / "golden" / "vocabulary.json", 30)
    tokens, infos, stats = tokenizer.tokenize_sentences([case["text"] for case in golden])
    assert (tokens.shape, tokens.dtype, len(infos)) == ((len(golden), 30), np.uint16, len(golden))
    wrong = [
        row
        for row, case in enumerate(golden)
        if tokens[row].tolist() != case["ids"] + [0] * (30 - len(case["ids"]))
    ]
    assert wrong == []
    assert stats["total"] == len(golden)
    assert stats["valid"] == sum(bool(case["words"]) for case in golden)


def test_rows_are_padded_and_cut_at_the_right(tokenizer):
    tokens, infos, stats = tokenizer.tokenize_sentences(
        ["I LOVE it!!!!", "love " * 9, "", "xyzzy @bob 42"]
    )
    assert tokens.tolist() == [
        [10, 11, 12, 13, 0, 0], [11] * 6, [0] * 6, [1, 2, 4, 0, 0, 0],
    ]  # fmt: skip
    assert infos == [{}, {}, {}, {}]
    assert (stats["total"], stats["valid"]) == (4, 3)


@pytest.mark.parametrize("count", [0, 1])
def test_few_texts_are_few_rows(count, tokenizer):
    assert tokenizer.tokenize_sentences([""] * count)[0].shape == (count, 6)


def test_a_vocabulary_comes_in_any_form_and_is_not_changed(tmp_path):
    VOCABULARY.save(tmp_path / "vocabulary.json")
    given = dict(IDS)
    for form in (
        given,
        VOCABULARY,
        tmp_path / "vocabulary.json",
        str(tmp_path / "vocabulary.json"),
    ):
        tokenizer = SentenceTokenizer(form, 4)
        assert tokenizer.vocabulary == IDS
        tokenizer.split_train_val_test(TEN, LABELS, extend_with=5)
    assert given == IDS
    assert SentenceTokenizer({}, 4).vocabulary == dict(zip(SPECIAL_TOKENS, range(10), strict=True))


def test_large_vocabularies_take_wider_ids():
    words = [f"w{number}" for number in range((1 << 16) - 10)]
    tokenizer = SentenceTokenizer(Vocabulary([*SPECIAL_TOKENS, *words]), 2)
    assert tokenizer.tokenize_sentences(["hi"])[0].dtype == np.uint16
    *_, added = tokenizer.split_train_val_test(TEN, LABELS, extend_with=1)
    assert added == 1
    assert tokenizer.tokenize_sentences(["hi"])[0].dtype == np.uint32


def test_shares_split_all_texts_and_the_same_seed_the_same(tokenizer):
    tokens, infos, added = tokenizer.split_train_val_test(TEN, LABELS)
    assert [len(part) for part in tokens] == [7, 1, 2]
    assert sorted(info["label"] for part in infos for info in part) == list(range(10))
    assert added == 0
    again = tokenizer.split_train_val_test(TEN, LABELS)[1]
    assert [part.tolist() for part in again] == [part.tolist() for part in infos]
    other = tokenizer.split_train_val_test(TEN, LABELS, seed=1)[1]
    assert [part.tolist() for part in other] != [part.tolist() for part in infos]


def test_lists_split_as_they_say_and_only_training_words_are_added(tokenizer):
    lists = [[0, 1, 2, 4, 8], [5, 6], [7, 9, 3]]
    tokens, infos, added = tokenizer.split_train_val_test(TEN, LABELS, lists, extend_with=100)
    assert [[info["label"] for info in part] for part in infos] == lists
    assert "am" in tokenizer.vocabulary
    assert "newword" not in tokenizer.vocabulary  # it stands in the test part alone
    assert added == len(tokenizer.vocabulary) - len(IDS)
    assert tokens[2][1].tolist()[-2:] == [1, 0]
    assert tokenizer.split_train_val_test(TEN, LABELS, lists, extend_with=9)[2] == 0


def test_labels_are_split_into_arrays(tokenizer):
    _, (train, *_), _ = tokenizer.split_train_val_test(TEN, list(range(10)), [[2, 0], [1], [3]])
    assert train.tolist() == [2, 0]
    ragged = [[0] * number for number in range(10)]
    _, (train, *_), _ = tokenizer.split_train_val_test(TEN, ragged, [[2, 0], [1], [3]])
    assert train.tolist() == [[0, 0], []]


def test_sentences_come_back(tokenizer):
    tokens, *_ = tokenizer.tokenize_sentences(["I love @bob, it is ok"])
    assert tokenizer.to_sentence(tokens[0]) == "i love CUSTOM_AT CUSTOM_UNKNOWN it CUSTOM_UNKNOWN"
    with pytest.raises(InputError, match="the vocabulary has 14 words"):
        tokenizer.to_sentence([14])


@pytest.mark.parametrize(
    "form", [list, tuple, iter, np.array, lambda ids: np.array(ids, np.uint16), range]
)
def test_a_row_comes_in_any_form(form, tokenizer):
    row = form(12) if form is range else form([10, 11])
    assert tokenizer.to_sentence(row).endswith("i love")
    assert tokenizer.to_sentence([]) == ""


@given(st.lists(st.integers(0, len(VOCABULARY) - 1), max_size=6))
def test_ids_become_words_and_those_the_same_ids(ids):
    words = words_of(ids, VOCABULARY)
    assert VOCABULARY.ids(words) == [index for index in ids if index]
    assert " ".join(words).split() == words


def test_every_word_of_the_original_keeps_its_id_on_the_way_to_fine_tuning(shared):
    """Not through a text: 65 of its 50,000 words do not tokenise to themselves."""
    original = Vocabulary.load(shared / "golden" / "vocabulary.json")
    words = words_of(range(1, len(original)), original)
    assert original.ids(" ".join(words).split()) == list(range(1, len(original)))
    from deepmoji import tokenize

    assert sum(tokenize(word) != [word] for word in original.words) == 65


def test_coverage_counts_words_and_no_padding(tokenizer):
    tokens, *_ = tokenizer.tokenize_sentences(["i love xyzzy", "", "it"])
    assert coverage(tokens) == 0.75
    with pytest.raises(InputError, match="no word"):
        coverage(tokens[1:2])


@pytest.mark.parametrize("name", ["custom_wordgen", "masking_value", "unknown_value",
                                  "ignore_sentences_with_only_custom"])  # fmt: skip
def test_options_that_make_no_sense_any_more_say_so(name):
    with pytest.raises(InputError, match=f"SentenceTokenizer takes {name} no more: ") as error:
        SentenceTokenizer(IDS, 4, **{name: 1})
    assert GONE[name] in str(error.value)
    with pytest.raises(InputError, match="has no option 'length'"):
        SentenceTokenizer(IDS, 4, length=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: SentenceTokenizer(IDS, 0), "fixed_length has to be an int, 1 to 1,000,000"),
        (lambda t: SentenceTokenizer(IDS, 10**12), "fixed_length .* 1,000,000, not 1000000000000"),
        (lambda t: SentenceTokenizer(IDS, True), "fixed_length has to be an int"),
        (lambda t: SentenceTokenizer(IDS, 4.0), "fixed_length has to be an int"),
        (lambda t: SentenceTokenizer(list(IDS), 4), "has to be a dict of words and ids, .*, not "),
        (lambda t: SentenceTokenizer(3, 4), "or the path of a vocabulary.json, not 3"),
        (lambda t: SentenceTokenizer(None, 4), "or the path of a vocabulary.json, not None"),
        (lambda t: t.to_sentence([1.7]), r"expected one row of ids, .*, got \[1.7\]"),
        (lambda t: t.to_sentence([True]), "expected one row of ids"),
        (lambda t: t.to_sentence("ab"), "expected one row of ids, .*, got 'ab'"),
        (lambda t: t.to_sentence(b"ab"), "expected one row of ids"),
        (lambda t: t.to_sentence(None), "expected one row of ids, .*, got None"),
        (lambda t: t.to_sentence(11), "expected one row of ids"),
        (lambda t: t.to_sentence([[1, 2], [3]]), "expected one row of ids"),
        (lambda t: t.to_sentence(np.ones((2, 2), int)), "of several rows give one after the other"),
        (lambda t: SentenceTokenizer({"a": 0}, 4), "begins with the 10 special tokens"),
        (lambda t: SentenceTokenizer(IDS | {"gap": 99}, 4), "its ids are not"),
        (lambda t: SentenceTokenizer("nowhere.json", 4), "nowhere.json"),
        (lambda t: t.tokenize_sentences("love"), "expected several texts"),
        (lambda t: t.tokenize_sentences(["a", None]), "text 1 is a NoneType"),
        (lambda t: t.tokenize_sentences(["a"], reset_stats=False), "takes reset_stats no more"),
        (lambda t: t.split_train_val_test(TEN, LABELS[:3]), "10 sentences, but 3 info_dicts"),
        (lambda t: t.split_train_val_test(TEN, None), "info_dicts have to be a list, .*, not None"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [0.7, 0.1]), "three shares"),
        (lambda t: t.split_train_val_test(TEN, LABELS, 3), "three shares, .*, not 3"),
        (lambda t: t.split_train_val_test(TEN, LABELS, None), "three shares, .*, not None"),
        (lambda t: t.split_train_val_test(TEN, LABELS, "abc"), "three shares, .*, not 'abc'"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [[[0], [1, 2]], [3], [4]]), "three shares"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [np.nan, 0, 0]), "add up to 1, not .nan"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [0, np.nan, 1]), "add up to 1, not .0, nan"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [np.inf, 0, 0]), "add up to 1"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [2, -1, 0]), "0 or more and add up to 1"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [0.7, 0.1, 0.1]), "add up to 1"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [[0], [1], [10]]), "rows go from 0 to 9"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [[0], [1], [0]]), "a row stands twice"),
        (lambda t: t.split_train_val_test(TEN, LABELS, [[0], [1], ["2"]]), "three lists of rows"),
        (lambda t: t.split_train_val_test(TEN, LABELS, extend_with=-1), "extend_with"),
        (lambda t: t.split_train_val_test(TEN, LABELS, seed=-1), "seed"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(call, message, tokenizer):
    with pytest.raises(InputError, match=message) as error:
        call(tokenizer)
    assert len(str(error.value).splitlines()) == 1
