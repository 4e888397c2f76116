"""`deepmoji predict` and `deepmoji encode`."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import deepmoji

pty = pytest.importorskip("pty")

SENTENCES = ["I love how you never reply back..", "This is the shit"]


def rows(output):
    return [json.loads(line) for line in output.splitlines()]


def test_tables(call, model):
    result = call("predict", "--model", model, *SENTENCES)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line for line in lines if line in SENTENCES] == SENTENCES
    assert sum(line.endswith("%") and "█" in line for line in lines) == 10
    assert max(map(len, lines)) <= 80


def test_json(call, model):
    result = call("predict", "--json", "--top", "3", "--model", model, *SENTENCES)
    assert [row["text"] for row in rows(result.stdout)] == SENTENCES
    moji = deepmoji.load(model)
    for row, prediction in zip(rows(result.stdout), moji.predict(SENTENCES, top=3), strict=True):
        assert [(each["label"], each["probability"]) for each in row["top"]] == [
            (label, pytest.approx(probability, abs=1e-6)) for label, probability in prediction.top
        ]
        assert {word["text"] for word in row["words"]} <= set(
            row["text"].replace("..", " ..").split()
        )


def test_occlusion(call, model):
    options = ("predict", "--model", model, "--explain", "occlusion")
    (row,) = rows(call(*options, "--json", SENTENCES[0]).stdout)
    (prediction,) = deepmoji.load(model).predict(SENTENCES[:1], explain="occlusion")
    assert [word["occlusion"] for word in row["words"]] == [
        pytest.approx(word.occlusion, abs=1e-5) for word in prediction.words
    ]
    assert "without" in call(*options, SENTENCES[0]).stdout
    assert call(*options[:-1], "gradients", "hi").exit_code == 2


# What a shell pipes in: bytes, not always UTF-8, not always ended by a line break.
LINES = [
    b"so tired",
    b"",
    b"\xff\xfe broken",
    "日本語 😂".encode(),
    b"\xed\xa0\x80",
    b"\x00",
    b"last",
]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_every_line_of_standard_input_gives_a_row(run, model, end):
    result = run("predict", "--json", "-m", model, stdin=b"\n".join(LINES) + end)
    assert (result.returncode, result.stderr) == (0, b"")
    texts = [row["text"] for row in rows(result.stdout.decode("utf-8"))]
    assert [text.encode("utf-8", "surrogateescape") for text in texts] == LINES


def test_tables_of_broken_text_do_not_crash(run, model):
    result = run("predict", "-m", model, stdin=b"\n".join(LINES))
    assert (result.returncode, result.stderr) == (0, b"")
    assert "\ufffd\ufffd broken" in result.stdout.decode("utf-8")
    assert b"\x1b" not in result.stdout


def test_output_is_utf8_whatever_the_locale(run, model):
    environment = {"PYTHONIOENCODING": "cp1252", "LC_ALL": "C", "PYTHONUTF8": "0"}
    for options in ([], ["--json"]):
        result = run("predict", "-m", model, *options, "so tired", environment=environment)
        assert result.returncode == 0
        label = deepmoji.load(model).predict("so tired").top[0][0]
        assert label in result.stdout.decode("utf-8")


def test_line_ends_of_windows_and_byte_order_mark(call, model):
    result = call("predict", "--json", "-m", model, stdin=b"\xef\xbb\xbfso tired\r\n\r\nhi\r\n")
    assert [row["text"] for row in rows(result.stdout)] == ["so tired", "", "hi"]


def test_line_longer_than_a_read(call, model):
    line = b"love " * 60_000
    result = call("predict", "--json", "-m", model, stdin=line + b"\nhi\n" + line)
    assert [len(row["text"]) for row in rows(result.stdout)] == [len(line), 2, len(line)]
    assert [row["truncated"] for row in rows(result.stdout)] == [True, False, True]


def test_long_texts_in_windows(call, model, tmp_path):
    texts = ["love " * 60, "hi"]
    options = ("-m", model, "--long-texts", "mean", "--stride", 12, *texts)
    long, short = rows(call("predict", "--json", *options).stdout)
    assert (long["truncated"], long["windows"], len(long["words"])) == (False, 4, 60)
    assert "windows" not in short
    encoded = rows(call("encode", "--json", *options).stdout)
    expected = deepmoji.load(model, long_texts="mean", stride=12).encode(texts)
    assert np.abs(np.array([row["encoding"] for row in encoded]) - expected).max() < 2e-6
    assert "60 words were read, in 4 windows" in call("predict", *options).stdout
    result = call("predict", "-m", model, "--stride", 12, "hi")
    assert result.exit_code == 1
    assert "stride is for long texts that are read in windows" in result.output


def test_files(call, model, tmp_path):
    (tmp_path / "a.txt").write_text("so tired\n\nhi", encoding="utf-8")
    (tmp_path / "b.csv").write_text('id,text\n1,"love, you\nall"\n2,\n', encoding="utf-8-sig")
    (tmp_path / "c.tsv").write_text("text\tid\nhappy day\t1\n", encoding="utf-8")
    (tmp_path / "d.jsonl").write_text('{"text": "x"}\n\n{"text": "\\ud83d"}\n', encoding="utf-8")
    files = [
        part for name in ("a.txt", "b.csv", "c.tsv", "d.jsonl") for part in ("-f", tmp_path / name)
    ]
    result = call("predict", "--json", "-m", model, *files)
    assert [row["text"] for row in rows(result.stdout)] == [
        *("so tired", "", "hi", "love, you\nall", "", "happy day", "x", "\ud83d"),
    ]


def test_text_column(call, model, tmp_path):
    (tmp_path / "a.csv").write_text("id,body\n1,hello\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"body": "there"}\n', encoding="utf-8")
    files = ("-f", tmp_path / "a.csv", "-f", tmp_path / "b.jsonl", "--text-column", "body")
    result = call("predict", "--json", "-m", model, *files)
    assert [row["text"] for row in rows(result.stdout)] == ["hello", "there"]


def test_long_field_where_a_c_long_has_32_bits(call, model, tmp_path, monkeypatch):
    def limit(size):
        if size >= 2**31:  # as on Windows
            raise OverflowError("Python int too large to convert to C long")

    monkeypatch.setattr("csv.field_size_limit", limit)
    (tmp_path / "a.csv").write_text("text\nhello\n", encoding="utf-8")
    result = call("predict", "--json", "-m", model, "-f", tmp_path / "a.csv")
    assert [row["text"] for row in rows(result.stdout)] == ["hello"]


def test_field_longer_than_csv_takes_by_default(call, model, tmp_path):
    (tmp_path / "a.csv").write_text(f"text\n{'love ' * 60_000}\n", encoding="utf-8")
    result = call("predict", "--json", "-m", model, "-f", tmp_path / "a.csv")
    assert [len(row["text"]) for row in rows(result.stdout)] == [300_000]


def test_live_pipe_is_answered_line_by_line(model):
    command = [sys.executable, "-m", "deepmoji", "predict", "--json", "-m", model]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text in ("one", "two"):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
    assert process.returncode == 0


def test_closed_pipe_ends_quietly(model):
    command = f"{sys.executable} -m deepmoji predict --json -m {model} -f - | head -n 1"
    texts = b"so tired of it\n" * 5000
    result = subprocess.run(["bash", "-c", command], input=texts, capture_output=True, check=False)
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == b""


def on_terminal(*arguments, program="from deepmoji.cli import main; main()", stdin=None):
    """Run the command line on a terminal of 80 columns; what it shows, and its exit code."""
    leader, follower = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=follower if stdin is None else stdin,
        stdout=follower,
        stderr=follower,
        env=environment,
    ) as process:
        os.close(follower)
        shown = b""
        try:
            while data := os.read(leader, 4096):
                shown += data
        except OSError:  # Linux ends a pseudo-terminal this way
            pass
    os.close(leader)
    return shown.decode("utf-8"), process.returncode


def test_terminal_gets_colours(model):
    shown, code = on_terminal("predict", "-m", model, "I love you")
    assert code == 0
    assert "48;5;" in shown


def test_terminal_without_texts_is_a_usage_error(model):
    shown, code = on_terminal("predict", "-m", model)
    assert code == 2
    assert "give at least one text" in shown


def test_terminal_sees_progress(model, tmp_path):
    (tmp_path / "posts.txt").write_text("so tired\n" * 40_000, encoding="utf-8")
    shown, code = on_terminal(
        *("encode", "-m", model, "-f", tmp_path / "posts.txt", "-o", tmp_path / "x.npy"),
        program="from deepmoji.cli import common, main; common.PATIENCE = 0.0; main()",
    )
    assert code == 0
    assert "encoding" in shown
    assert " texts, " in shown
    assert np.load(tmp_path / "x.npy", mmap_mode="r").shape == (40_000, 34)


def test_encode_to_npy(call, model, tmp_path):
    out = tmp_path / "x.npy"
    result = call("encode", "-m", model, "--out", out, *SENTENCES)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 texts, 34 numbers each" in result.stderr
    assert np.abs(np.load(out) - deepmoji.load(model).encode(SENTENCES)).max() < 1e-6


def test_encode_many_lines(call, model, tmp_path):
    texts = [f"love {number} {'so tired ' * (number % 7)}" for number in range(5000)]
    stdin = "\n".join(texts)
    result = call("encode", "-m", model, "--out", tmp_path / "x.npy", stdin=stdin)
    assert result.exit_code == 0
    encodings = np.load(tmp_path / "x.npy")
    assert encodings.shape == (5000, 34)
    assert np.abs(encodings - deepmoji.load(model).encode(texts)).max() < 1e-6


def test_encode_to_parquet(call, model, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    result = call("encode", "-m", model, "-o", tmp_path / "x.parquet", stdin="so\n\ntired\n")
    assert result.exit_code == 0
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column("text").to_pylist() == ["so", "", "tired"]
    assert len(table.column("encoding")[0]) == 34


def test_encode_to_json(call, model):
    result = call("encode", "-m", model, "--json", "so tired")
    (row,) = rows(result.stdout)
    expected = deepmoji.load(model).encode(["so tired"])[0]
    assert row["text"] == "so tired"
    assert row["encoding"] == pytest.approx(expected.tolist(), abs=1e-6)


def test_no_input_lines(call, model, tmp_path):
    assert call("predict", "--json", "-m", model, stdin="").stdout == ""
    assert call("encode", "-m", model, "-o", tmp_path / "x.npy", stdin="").exit_code == 0
    assert np.load(tmp_path / "x.npy").shape == (0, 34)
