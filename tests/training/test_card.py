"""The card prints what the records say, and nothing that they do not."""

import pytest

from deepmoji.config import ModelConfig
from deepmoji.training.card import model_card

CORPUS = {"train": 1_363_735, "validation": 12_008, "test": 11_907}
MARKS = {
    "natural_top1": 0.248,
    "natural_top5": 0.578,
    "balanced_top1": 0.14,
    "balanced_top5": 0.383,
}
FULL = {
    "corpus": CORPUS,
    "corpus_settings": {"language": "en", "without": []},
    "posts": {
        "posts": 3_066_025,
        "kept": 1_222_076,
        "filters": {
            "link": {"drops": "holds a link", "applied": True, "dropped": 510_611},
            "length": {"drops": "has no normal word", "applied": False, "dropped": 0},
        },
    },
    "settings": {"epochs": 1.0, "balance": 0.5},
    "steps": 5328,
    "teacher": {"weights_sha256": "0123456789abcdef"},
    "started_from": {
        "corpus": {"train": 9_999},
        "encodings": {"pairs": 8_888, "numbers": 384},
        "vectors": {"words": 7_777},
        "settings": {"epochs": 0.8, "old": "yes"},
        "started_from": {"settings": {"epochs": 0.1}},
    },
    "scores": {
        "prior": MARKS,
        "this model": MARKS
        | {"natural_top1_interval": [0.2394, 0.2571], "natural_calibration_error": 0.0123},
    },
    "calibration": {
        "temperature": 0.97123,
        "prior_corrected": True,
        "validation": {
            "rows": 9141,
            "before": {"calibration_error": 0.0512},
            "after": {"calibration_error": 0.0081},
        },
        "test": {
            "rows": 0,
            "before": {"calibration_error": None},
            "after": {"calibration_error": None},
        },
    },
    "graph_bytes": 23_400_000,
    "notes": ["One collection is all about buses."],
}


@pytest.fixture(scope="module")
def card():
    return model_card(ModelConfig(), FULL)


@pytest.mark.parametrize(
    "line",
    [
        "1,222,076 of 3,066,025 posts; language: `en`. 1,363,735 pairs",
        "| holds a link | 510,611 |",
        "| setting | run 1 | run 2 | run 3 |",
        "| epochs | 0.1 | 0.8 | 1.0 |",
        "| old |  | yes |  |",
        "| training pairs |  | 9,999 | 1,363,735 |",
        "| steps |  |  | 5,328 |",
        "| learnt from the answers of |  |  | model 01234567 |",
        "| pairs with another model's encodings |  | 8,888 |  |",
        "| words that started from given vectors |  | 7,777 |  |",
        "| prior | 24.8 | 57.8 | 14.0 | 38.3 |  |",
        "| this model | 24.8 (23.9–25.7) | 57.8 | 14.0 | 38.3 | 1.2 |",
        "temperature of 0.971, and from the frequencies",
        "| validation | 9,141 | 5.1 | 0.8 |",
        "23.4 MB",
        "- One collection is all about buses.",
        "one language, `en`",
        "outside ASCII",
        "Meant for: suggesting emojis",
    ],
)
def test_records_are_printed(card, line):
    assert line in card


def test_what_is_not_known_is_not_said(card):
    assert "has no normal word" not in card  # that filter was off
    assert "| test | 0" not in card
    bare = model_card(ModelConfig(), {})
    for part in ("## Data", "## Recipe", "## Scores", "## Calibration", "Skin tones"):
        assert part not in bare
        assert part in card
    assert "## Limits" in bare
    plain = model_card(ModelConfig(), {"corpus": CORPUS, "settings": {"epochs": 0.8}})
    for part in ("learnt from the answers", "another model's", "given vectors"):
        assert part not in plain
        assert part in card


def test_statements_about_filters_hold_only_with_the_filters():
    settings = {"language": "any", "without": ["non-ascii"]}
    card = model_card(ModelConfig(), {"corpus": CORPUS, "corpus_settings": settings})
    assert "one language" not in card
    assert "ASCII" not in card


def test_older_records_have_a_card_too():
    older = {"corpus": CORPUS, "settings": {"epochs": 0.8}, "scores": {"shipped": MARKS}}
    card = model_card(ModelConfig(), older)
    assert "| shipped | 24.8 | 57.8 | 14.0 | 38.3 |" in card
    assert "| setting | value |" in card
    assert "intervals" not in card


def test_figures_that_are_not_numbers_are_left_out():
    nothing = {"natural_top1": float("nan"), "natural_top1_interval": [float("nan")] * 2}
    missing = {"natural_top1": None, "natural_top1_interval": [None, None]}
    for each in (nothing, missing):
        card = model_card(ModelConfig(), {"scores": {"this model": MARKS | each}})
        assert "| this model |  | 57.8 | 14.0 | 38.3 |" in card


def test_a_tuned_model_is_not_said_to_suggest_emojis():
    card = model_card(ModelConfig(), {"method": "last", "settings": {"epochs": 3}})
    assert "suggesting emojis" not in card
    assert "tuned on" in card
