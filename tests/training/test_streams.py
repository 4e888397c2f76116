"""Each process reads its own part of a corpus, and all make the batches that one would make."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.training import streams
from deepmoji.training.batches import BatchPlan
from deepmoji.training.material import read_material
from deepmoji.training.streams import ALONE, Part, Share, Streams, streams_of
from tests.helpers.tinyruns import settings
from tests.training.test_batches import make_pairs


@pytest.fixture(scope="module", autouse=True)
def few_rows():
    """Streams of few rows, to have several in a small corpus."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "LEAST_ROWS", 1)
        yield


def plan_of(pairs, config, share=ALONE):
    """A plan of a process that holds all pairs, though it needs its own alone."""
    counts = np.bincount(pairs.labels, minlength=4)
    return BatchPlan(pairs, config, classes=4, part=Part.whole(counts, config, share))


@given(
    rows=st.integers(1, 300),
    batch_size=st.integers(1, 40),
    count=st.integers(1, 20),
    world_size=st.integers(1, 7),
    balance=st.sampled_from([0.0, 0.5]),
)
def test_the_pieces_of_all_processes_are_the_batch_of_one(
    rows, batch_size, count, world_size, balance
):
    pairs = make_pairs(rows)
    config = PretrainConfig(batch_size=batch_size, streams=count, epochs=2.0, balance=balance)
    shares = [Share(rank=rank, world_size=world_size) for rank in range(world_size)]
    one, several = plan_of(pairs, config), [plan_of(pairs, config, share) for share in shares]
    read = [range(*streams_of(rows, config).rows_of(share)) for share in shares]
    seen = []
    for step in range(one.steps):
        pieces = [plan.rows(step) for plan in several]
        np.testing.assert_array_equal(np.concatenate(pieces), one.rows(step))
        assert one.size(step) == len(one.rows(step)) <= batch_size
        for piece, own in zip(pieces, read, strict=True):
            assert set(piece.tolist()) <= set(own)
        assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
        seen.extend(one.rows(step).tolist())
    if not balance:
        epoch = one.steps_per_epoch
        assert sorted(seen) == sorted([*range(rows)] * (one.steps // epoch))


@pytest.mark.parametrize("world_size", [2, 4, 16])
def test_a_process_reads_its_share_and_hardly_more(world_size):
    all_rows = Streams(rows=100_003, batch_size=256, wanted=16)
    parts = [all_rows.rows_of(Share(rank=r, world_size=world_size)) for r in range(world_size)]
    assert [begin for begin, _ in parts[1:]] == [end for _, end in parts[:-1]]
    assert (parts[0][0], parts[-1][1]) == (0, 100_003)
    sizes = [end - begin for begin, end in parts]
    assert max(sizes) - min(sizes) <= 16


def test_streams_that_are_not_divided_evenly_are_read_by_two():
    all_rows = Streams(rows=48_000, batch_size=240, wanted=16)
    parts = [all_rows.rows_of(Share(rank=rank, world_size=3)) for rank in range(3)]
    assert parts == [(0, 18_000), (15_000, 33_000), (30_000, 48_000)]


@pytest.mark.parametrize("count", [1, 16])
def test_the_texts_of_processes_are_of_similar_length(count):
    """Their steps take as long, so that none waits for the others."""
    pairs = make_pairs(50_000)
    config = PretrainConfig(batch_size=256, streams=count)
    lengths = np.diff(pairs.offsets)
    plans = [plan_of(pairs, config, Share(rank=rank, world_size=2)) for rank in range(2)]
    words = np.array(
        [[lengths[plan.rows(step)].sum() for plan in plans] for step in range(plans[0].steps)]
    )
    waiting = 1 - words.mean(axis=1).sum() / words.max(axis=1).sum()
    assert waiting < 0.01


@pytest.fixture(scope="module")
def in_groups(corpus, tmp_path_factory):
    """The corpus with its training pairs in many row groups."""
    folder = tmp_path_factory.mktemp("groups") / "corpus"
    shutil.copytree(corpus, folder)
    for path in CorpusFolder.open(folder).train_parts():
        pq.write_table(pq.read_table(path), path, row_group_size=10)
    return folder


@pytest.mark.parametrize("changes", [{}, {"pairs": 90}, {"balance": 0.5}])
def test_material_is_a_part_of_all(in_groups, changes):
    corpus, config = CorpusFolder.open(in_groups), settings(streams=4, **changes)
    whole = read_material(corpus, config)
    for rank in range(2):
        own = read_material(corpus, config, Share(rank=rank, world_size=2))
        assert 0 < len(own.rows) < 0.6 * len(whole.rows)
        rows = np.arange(len(own.rows)) + own.part.first
        np.testing.assert_array_equal(own.targets(rows), whole.targets(rows))
        for row in (0, len(own.rows) - 1):
            ids = own.rows.ids[own.rows.offsets[row] : own.rows.offsets[row + 1]]
            begin, end = whole.rows.offsets[own.part.first + row :][:2]
            np.testing.assert_array_equal(ids, whole.rows.ids[begin:end])
        np.testing.assert_array_equal(own.priors.seen, whole.priors.seen)
        np.testing.assert_array_equal(own.priors.natural, whole.priors.natural)


def test_row_groups_of_others_are_not_read(in_groups, monkeypatch):
    read = []
    true = pq.ParquetFile.read_row_group

    def note(file, number, columns):
        if "ids" in columns:
            read.append(number)
        return true(file, number, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", note)
    corpus, config = CorpusFolder.open(in_groups), settings(streams=4)
    groups = [
        pq.read_metadata(path).num_row_groups for path in CorpusFolder.open(in_groups).train_parts()
    ]
    counts = []
    for rank in range(2):
        read.clear()
        read_material(corpus, config, Share(rank=rank, world_size=2))
        counts.append(len(read))
    assert sum(groups) > 8
    assert sum(groups) <= sum(counts) <= sum(groups) + 1  # the one at the border


def test_a_process_without_rows_has_none(in_groups):
    config = settings(batch_size=2, pairs=2)
    share = Share(rank=2, world_size=3)
    sizes = [
        len(read_material(CorpusFolder.open(in_groups), config, Share(rank=r, world_size=3)).rows)
        for r in range(3)
    ]
    assert sizes == [0, 1, 1]
    assert share.piece(2) == (1, 2)


def test_copies_of_a_text_are_looked_for_everywhere(in_groups):
    corpus, config = CorpusFolder.open(in_groups), settings(soft_labels=True)
    own = read_material(corpus, config, Share(rank=1, world_size=2))
    assert len(own.rows) == len(read_material(corpus, config).rows)
    assert own.part.first == 0


def test_a_part_that_cannot_be_read_is_told(in_groups, tmp_path):
    folder = tmp_path / "corpus"
    shutil.copytree(in_groups, folder)
    path = CorpusFolder.open(folder).train_parts()[0]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="build it again"):
        read_material(CorpusFolder.open(folder), settings())


def test_streams_hold_a_row_group_at_least(monkeypatch):
    monkeypatch.setattr(streams, "LEAST_ROWS", 1 << 16)
    counts = [
        Streams(rows=rows, batch_size=256, wanted=16).count
        for rows in (0, 100_000, 200_000, 1_400_000)
    ]
    assert counts == [1, 1, 2, 16]
    assert Streams(rows=1_400_000, batch_size=8, wanted=16).count == 8


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_impossible_numbers_of_streams_are_refused(count):
    with pytest.raises(InputError, match="streams"):
        PretrainConfig(streams=count)
