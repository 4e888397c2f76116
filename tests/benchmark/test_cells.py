import json
from dataclasses import replace

import numpy as np
import pytest

from deepmoji.benchmark.cells import Cell, CellKey, read_cells, state
from deepmoji.errors import InputError

KEY = CellKey(
    suite="paper",
    task="SCv1",
    system="last",
    seed=1,
    data="d1",
    model="m1",
    settings={"epochs": 5},
)


def make_cell(key=KEY, seed=0):
    draw = np.random.default_rng(seed)
    return Cell(
        key=key,
        validation=draw.random((3, 2), np.float32),
        test=draw.random((5, 2), np.float32),
        seconds=1.25,
        machine="a machine",
        versions={"numpy": "2"},
        report={"epochs": 3},
    )


def test_round_trip(tmp_path):
    cell = make_cell()
    cell.save(tmp_path)
    assert sorted(path.name for path in (tmp_path / "paper/SCv1/last").iterdir()) == [
        "seed-1.json",
        "seed-1.npz",
    ]
    (read,) = read_cells(tmp_path, "paper", "SCv1")
    assert read.key == KEY
    assert (read.seconds, read.machine) == (1.25, "a machine")
    assert (read.versions, read.report) == (cell.versions, cell.report)
    for name in ("validation", "test"):
        stored = getattr(read, name)
        assert stored.dtype == np.float32
        np.testing.assert_array_equal(stored, getattr(cell, name))


def test_cells_of_curves_lie_apart(tmp_path):
    for size in ("all", 100, 30):
        make_cell(replace(KEY, size=size)).save(tmp_path)
    make_cell(replace(KEY, size=30, seed=0)).save(tmp_path)
    assert (tmp_path / "curve/SCv1/last/size-30-seed-1.json").is_file()
    assert list(read_cells(tmp_path, "paper", "SCv1")) == []
    found = [(cell.key.size, cell.key.seed) for cell in read_cells(tmp_path, "curve", "SCv1")]
    assert found == [(30, 0), (30, 1), (100, 1), ("all", 1)]


def test_state_notices_what_has_changed(tmp_path):
    assert state(KEY, tmp_path) == "missing"
    make_cell().save(tmp_path)
    assert state(KEY, tmp_path) == "done"
    assert state(replace(KEY, seed=2), tmp_path) == "missing"
    assert state(replace(KEY, data="d2"), tmp_path) == "made with other data"
    changed = replace(KEY, model=None, settings={"epochs": 6})
    assert state(changed, tmp_path) == "made with other model and settings"


@pytest.mark.parametrize(
    "damage", ["npz cut", "npz gone", "npz exchanged", "json cut", "json bare"]
)
def test_a_damaged_cell_is_no_cell(damage, tmp_path):
    make_cell().save(tmp_path)
    path = KEY.path(tmp_path)
    arrays, record = path.with_suffix(".npz"), path.with_suffix(".json")
    match damage:
        case "npz cut":
            arrays.write_bytes(arrays.read_bytes()[:-40])
        case "npz gone":
            arrays.unlink()
        case "npz exchanged":
            np.savez(arrays, validation=np.ones((3, 2)), test=np.ones((5, 2)))
        case "json cut":
            record.write_text(record.read_text("utf-8")[:-40], encoding="utf-8")
        case "json bare":
            record.write_text(json.dumps([]), encoding="utf-8")
    assert state(KEY, tmp_path) == "damaged"
    with pytest.raises(InputError, match="seed-1"):
        list(read_cells(tmp_path, "paper", "SCv1"))


def test_a_cell_is_there_once_it_is_whole(tmp_path, monkeypatch):
    """Whatever ends the writing, the old cell does not stand for the new answers."""
    make_cell().save(tmp_path)

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    for place in ("numpy.savez", "deepmoji.benchmark.cells.write_json"):
        with monkeypatch.context() as patch:
            patch.setattr(place, interrupted)
            with pytest.raises(KeyboardInterrupt):
                make_cell(seed=1).save(tmp_path)
        assert state(KEY, tmp_path) == "missing"
        assert not list(tmp_path.rglob("*.partial"))
    make_cell(seed=1).save(tmp_path)
    assert state(KEY, tmp_path) == "done"
