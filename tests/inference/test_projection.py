"""Reduced encodings: the principal components, in the bundle and out of it."""

from contextlib import suppress

import numpy as np
import pytest

from deepmoji.errors import BundleError, InputError
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.projection import Projection
from tests.helpers.bundles import Tiny, make_bundle

TEXTS = [f"{a} {b}" for a in ("i", "love", "so", "sad", "day") for b in ("tired", "work", "lol")]


@pytest.fixture(scope="module")
def points():
    random = np.random.default_rng(0)
    mixed = random.normal(size=(500, 5)) * [5, 3, 1, 0.5, 0.1]
    return (mixed @ random.normal(size=(5, 9)) + 3).astype(np.float32)


def test_it_is_the_singular_value_decomposition(points):
    fitted = Projection.fit(np.array_split(points, 7), 3)
    centred = points - points.mean(axis=0)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    assert np.abs((fitted.components * vectors[:3]).sum(axis=1)) == pytest.approx(1, abs=1e-5)
    assert fitted.explained == pytest.approx((values**2 / (values**2).sum())[:3], abs=1e-5)
    assert fitted.texts == 500
    reduced = fitted.reduce(points, 3)
    assert reduced.mean(axis=0) == pytest.approx(0, abs=1e-4)
    assert np.abs(reduced) == pytest.approx(np.abs(centred @ vectors[:3].T), abs=1e-3)
    assert fitted.reduce(points, 2) == pytest.approx(reduced[:, :2])


def test_saved_and_loaded(points, tmp_path):
    fitted = Projection.fit([points], 4)
    path = tmp_path / "projection.npz"
    fitted.save(path)
    again = Projection.load(path, 9)
    # float16 keeps 11 bits of numbers of at most 1.
    assert again.components == pytest.approx(fitted.components, abs=2**-11)
    assert (again.mean == fitted.mean).all()
    assert again.kept(4) == fitted.kept(4) == pytest.approx(1, abs=0.01)
    first = path.read_bytes()
    fitted.save(path)
    assert path.read_bytes() == first


def test_a_damaged_file_is_told(points, tmp_path):
    path = tmp_path / "projection.npz"
    Projection.fit([points], 4).save(path)
    with pytest.raises(BundleError, match="not fitted on this model, whose encodings have 8"):
        Projection.load(path, 8)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BundleError, match="damaged"):
        Projection.load(path, 9)
    np.savez(path, mean=np.array([{}], dtype=object))
    with pytest.raises(BundleError, match="damaged"):  # nothing is unpickled
        Projection.load(path, 9)


def test_another_kind_of_file_under_its_name_is_told(tmp_path):
    path = tmp_path / "projection.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(9))
    with pytest.raises(BundleError, match=r"damaged: .*; fit it again with deepmoji fit"):
        Projection.load(path, 9)


@pytest.mark.parametrize("compress", [True, False])
def test_any_damaged_byte_is_told_or_does_no_harm(points, tmp_path, compress):
    """Zip, deflate and npy each have errors of their own."""
    path = tmp_path / "projection.npz"
    fitted = Projection.fit([points], 2)
    arrays = {name: getattr(fitted, name) for name in ("mean", "components", "explained", "texts")}
    (np.savez_compressed if compress else np.savez)(path, **arrays)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for value in (14, 255 - whole[place]):  # 14 as a method of compression is LZMA
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            with suppress(BundleError):
                Projection.load(path, 9)


@pytest.mark.parametrize("size", [0, 10, 500])
def test_more_components_than_there_can_be(points, size):
    with pytest.raises(InputError, match="choose 1 to 9"):
        Projection.fit([points], size)
    with pytest.raises(InputError, match="on 0 texts"):
        Projection.fit([], 1)


@pytest.fixture(scope="module")
def reducing(tmp_path_factory):
    """A predictor whose bundle has a projection to 5 numbers."""
    bundle = make_bundle(tmp_path_factory.mktemp("projection") / "tiny", Tiny())
    predictor = Predictor(bundle, threads=2)
    Projection.fit([predictor.encode(TEXTS)], 5).save(bundle.projection)
    return predictor


def test_encode_reduces(reducing):
    texts = ["so tired", "", "i love you"]
    reduced = reducing.encode(texts, reduce=3)
    assert (reduced.dtype, reduced.shape) == (np.float32, (3, 3))
    projection = Projection.of(reducing.bundle, 3)
    assert reduced == pytest.approx(projection.reduce(reducing.encode(texts), 3), abs=1e-6)
    assert reducing.encode([], reduce=2).shape == (0, 2)
    assert reducing.encode(iter(texts), reduce=3) == pytest.approx(reduced, abs=1e-6)
    blocks = list(reducing.iter_encodings(texts, batch=2, reduce=3))
    assert [len(block) for block in blocks] == [2, 1]


def test_a_row_depends_on_its_own_text(reducing):
    alone = reducing.encode(["so tired"], reduce=4)
    among = reducing.encode(["so tired", *TEXTS], reduce=4)
    assert among[0] == pytest.approx(alone[0], abs=1e-6)


@pytest.mark.parametrize("size", [0, 6])
def test_a_size_that_is_not_there(reducing, size):
    with pytest.raises(InputError, match="1 to 5 numbers here"):
        reducing.encode(["so tired"], reduce=size)


def test_a_bundle_without_one_says_how_to_fit_it(predictor):
    with pytest.raises(BundleError, match="deepmoji fit-projection MODEL --file TEXTS"):
        predictor.encode(["so tired"], reduce=3)


def test_the_bundle_is_still_one(reducing):
    from deepmoji.bundle import PARTS, check_replaceable

    assert reducing.bundle.projection.name in PARTS
    check_replaceable(reducing.bundle.folder)
