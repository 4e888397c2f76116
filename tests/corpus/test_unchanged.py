"""What a build without further options makes, pinned: a benchmark and models rest on it."""

import hashlib
import json

import pyarrow.parquet as pq

from tests.corpus.test_build import facts

# Of the build at commit a59d091; rows, not bytes, so that a new pyarrow may write other files.
DIGEST = "f37da5a36ea437024ca9e95b9a207041f10bca389d55df509f344045eea560c4"


def test_default_options_make_what_they_made_before(corpus):
    tables = [*sorted((corpus / "train").iterdir()), corpus / "validation.parquet"]
    rows = [pq.read_table(path).to_pylist() for path in [*tables, corpus / "test.parquet"]]
    names = ("vocabulary.json", "labels.json")
    lists = [json.loads((corpus / name).read_text("utf-8")) for name in names]
    report = facts(corpus)
    del report["leaks"]  # which reports have had only since then
    text = json.dumps([rows, lists, report])
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
