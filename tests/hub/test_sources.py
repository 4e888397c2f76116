"""The table of what others published: pinned soundly, and where from."""

import hashlib
import re

import pytest

from deepmoji.errors import InputError
from deepmoji.hub.address import check
from deepmoji.hub.sources import SOURCES, VOCABULARY, find

FILES = [file for source in SOURCES.values() for file in source.files]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_are_described_soundly(file):
    assert [check(address) for address in file.addresses] == list(file.addresses)
    assert all(address.startswith("https://") for address in file.addresses)
    assert file.documented.startswith("https://")
    assert bool(file.sha256) == bool(file.sha256_from)
    assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.begins
    assert file.size is None or file.size <= file.limit


def test_a_file_without_a_checksum_has_one_address():
    # Parts from two servers could not be told apart.
    assert [file.name for file in FILES if not file.sha256 and len(file.addresses) > 1] == []


def test_vocabulary_is_that_of_the_golden_cases(shared):
    content = (shared / "golden" / "vocabulary.json").read_bytes()
    assert len(content) == VOCABULARY.size
    assert hashlib.sha256(content).hexdigest() == VOCABULARY.sha256


def test_an_unknown_name_is_answered_with_the_known():
    with pytest.raises(InputError, match=r"'orginal'.*original, original-keras.*hf://OWNER/NAME"):
        find("orginal")
