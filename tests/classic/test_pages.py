"""The pages about the names of 2017 and about fine-tuning can be copied from."""

import re

import pytest

from tests.source_tree import ROOT

PAGES = [ROOT / "docs" / name for name in ("coming-from-deepmoji.md", "finetune.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_ends_inside_the_name_of_an_option(page):
    assert re.findall(r"--[\w-]*-$", page.read_text(encoding="utf-8"), re.MULTILINE) == []


def test_the_page_says_what_became_of_weight_path():
    told = " ".join(PAGES[0].read_text(encoding="utf-8").split())
    assert "`weight_path` was a weight file, and is a model folder" in told
    assert "is made into one first, by `deepmoji import`" in told
