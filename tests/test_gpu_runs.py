"""A folder travels in parts, and runs on a lent machine stop in time and go on."""

import json

import pytest

import deepmoji
from runs import gpu
from tests.helpers.corpora import make_corpus
from tests.source_tree import ROOT


def train(corpus, work, *settings, minutes, capsys, status=0):
    """Call the program; return what it says of each settings file."""
    options = ["--work", work, "--minutes", minutes, "--reserve", 0, "--mib", 0.01]
    command = ["train", corpus, *settings, *options, "--device", "cpu"]
    assert gpu.main([str(each) for each in command]) == status
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["name"]: row["state"] for row in rows}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "a.bin").write_bytes(bytes(range(256)) * 300)
    (folder / "empty").touch()
    (folder / "words.json").write_text("[😂]", encoding="utf-8")
    return folder


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_comes_back_from_its_parts(folder, tmp_path):
    parts, back = tmp_path / "parts", tmp_path / "deep" / "back"
    written = gpu.split(folder, parts, mib=0.01)
    assert len(written) > 7
    assert {path.name for path in parts.iterdir()} == {gpu.SUMS, *(path.name for path in written)}
    assert max(path.stat().st_size for path in written) <= 0.01 * 2**20
    gpu.join(parts, back)
    assert content(back) == content(folder)
    assert [path.name for path in back.parent.iterdir()] == ["back"]


def test_what_did_not_travel_well_is_named(folder, tmp_path):
    parts = tmp_path / "parts"
    written = gpu.split(folder, parts, mib=0.01)
    written[2].write_bytes(b"damaged")
    written[5].unlink()
    with pytest.raises(SystemExit, match=r": part-0002, part-0005$"):
        gpu.join(parts, tmp_path / "back")
    (parts / gpu.SUMS).unlink()
    with pytest.raises(SystemExit, match=gpu.SUMS):
        gpu.join(parts, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_is_overwritten(folder, tmp_path):
    parts = tmp_path / "parts"
    gpu.split(folder, parts)
    with pytest.raises(SystemExit, match="not empty"):
        gpu.split(folder, parts)
    with pytest.raises(SystemExit, match="there already"):
        gpu.join(parts, folder)
    with pytest.raises(SystemExit, match="nothing to split"):
        gpu.split(tmp_path / "nowhere", tmp_path / "others")


def test_settings_run_one_after_another_and_go_on(tmp_path, capsys):
    corpus = make_corpus(tmp_path / "corpus")
    model = "[model]\nunits = 8\nembedding_size = 8\n"
    schedule = "[pretrain]\nepochs = 0.2\nbatch_size = 32\nevaluate_every = 2\n"
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(model + schedule, encoding="utf-8")
    bad.write_text(f"{model}{schedule}learning_rate = 1e38\nclip_norm = 1e38\n", encoding="utf-8")
    files, work = (bad, good), tmp_path / "work"
    states = train(corpus, work, *files, minutes=1e-6, capsys=capsys)
    assert all(state.startswith(("stopped", "waits")) for state in states.values())
    assert not (work / "good").exists()
    states = train(corpus, work, *files, minutes=60, capsys=capsys, status=1)
    assert states["good"] == "finished"
    assert "lower --learning-rate" in states["bad"]
    gpu.join(work / "good.parts", tmp_path / "back")
    assert deepmoji.load(tmp_path / "back").scores(["a funny day"]).shape == (1, 4)
    assert train(corpus, work, good, minutes=60, capsys=capsys) == {"good": "finished before"}


def test_settings_of_one_name_are_refused(tmp_path):
    files = [tmp_path / folder / "large.toml" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text("[pretrain]\nepochs = 0.2", encoding="utf-8")
    options = ["--work", str(tmp_path / "work"), "--minutes", "1"]
    with pytest.raises(SystemExit, match=r"large\.toml.*large\.toml"):
        gpu.main(["train", "nowhere", *map(str, files), *options])


def test_changed_settings_are_not_finished_before(tmp_path, capsys):
    corpus, work = make_corpus(tmp_path / "corpus"), tmp_path / "work"
    file = tmp_path / "tiny.toml"

    def once(epochs, units=8, status=0):
        sizes = f"[model]\nunits = {units}\nembedding_size = 8\n"
        schedule = f"[pretrain]\nepochs = {epochs}\nbatch_size = 32\n"
        file.write_text(sizes + schedule, encoding="utf-8")
        return train(corpus, work, file, minutes=60, capsys=capsys, status=status)["tiny"]

    assert once(0.2) == "finished"
    assert once(0.2) == "finished before"
    assert "falling" in once(0.4, status=1)
    assert "units (8 there, 4 now)" in once(0.2, units=4, status=1)
    assert once(0.2) == "finished before"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[corpus]\nlanguage = 'en'", "corpus is none of the tables"),
        ("[pretrain]\nbatch_sise = 3", "batch_sise"),
        ("[model]\nunits = -1", "units has to be"),
    ],
)
def test_mistakes_in_settings_are_told_before_anything_runs(tmp_path, text, message):
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=message):
        gpu.main(["train", "nowhere", str(file), "--work", str(tmp_path / "w"), "--minutes", "1"])


def test_the_checks_cover_it():
    code = (ROOT / "Makefile").read_text(encoding="utf-8").partition("CODE := ")[2].split("\n")[0]
    assert "runs" in code.split()
