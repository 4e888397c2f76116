"""Downloads against a server that serves, cuts off, corrupts, redirects and hangs."""

import errno
import hashlib
import shutil
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest

from deepmoji.errors import HubError
from deepmoji.hub.checks import Wanted
from deepmoji.hub.fetch import Patience, fetch
from tests.helpers.webserver import (
    chunked,
    corrupt,
    cut,
    endless,
    hang,
    ignore_range,
    redirect,
    serve,
    status,
    without_length,
    wrong_range,
)

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Wanted(sha256=SHA256, size=len(CONTENT))
QUICK = Patience(timeout=0.5, tries=3, pause=0.01, longest_pause=0.02)
SLOW = Patience(timeout=10)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "model.bin"


@pytest.fixture
def get(web, target):
    web.files["/model.bin"] = CONTENT

    def get(wanted=KNOWN, **more):
        return fetch(web.at("/model.bin"), target, **{"wanted": wanted, "patience": QUICK, **more})

    return get


def fails(get, *parts, **more):
    with pytest.raises(HubError) as raised:
        get(**more)
    message = str(raised.value)
    assert [part for part in parts if part not in message] == []
    assert "\n" not in message
    return raised.value


def only(target):
    """What lies in the target's folder."""
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_arrives_whole_and_alone(get, target, web):
    steps = []
    assert get(report=lambda done, total: steps.append((done, total))) == SHA256
    assert target.read_bytes() == CONTENT
    assert only(target) == ["model.bin"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_file_that_is_there_and_right_is_not_asked_for(get, web):
    get()
    assert get() == SHA256
    assert len(web.requests) == 1


def test_a_file_that_is_there_and_wrong_is_replaced(get, target):
    target.parent.mkdir()
    target.write_bytes(b"something else")
    get()
    assert target.read_bytes() == CONTENT


def test_a_cut_is_resumed_by_asking_for_the_rest_alone(get, target, web):
    web.script["/model.bin"] += [cut(100_000), cut(50_000)]
    assert get() == SHA256
    assert web.ranges() == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_call_goes_on_where_the_first_gave_up(get, target, web):
    web.script["/model.bin"] += [cut(100_000), status(503), status(503)]
    fails(get, "503")
    assert only(target) == ["model.bin.part", "model.bin.part.etag"]
    steps = []
    get(report=lambda done, _: steps.append(done))
    assert web.ranges()[-1] == "bytes=100000-"
    assert steps[0] > 100_000
    assert target.read_bytes() == CONTENT


def test_cuts_that_bring_something_are_no_failures(get, web):
    web.script["/model.bin"] += [cut(20_000)] * 10
    assert get() == SHA256


def test_a_server_that_always_cuts_at_once_is_given_up(get, target, web):
    web.script["/model.bin"] += [cut(0)] * 3
    fails(get, "broke", "run it again")
    assert len(web.requests) == 3


@pytest.mark.parametrize("answer", [ignore_range, wrong_range])
def test_a_server_that_does_not_keep_to_the_range_restarts_the_file(get, target, web, answer):
    web.script["/model.bin"] += [cut(100_000), answer]
    assert get() == SHA256
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_complete_is_not_asked_for(get, target, web):
    target.parent.mkdir()
    target.with_name("model.bin.part").write_bytes(CONTENT)
    assert get() == SHA256
    assert web.requests == []


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * len(CONTENT), CONTENT + b"more"])
def test_a_damaged_part_is_started_over(get, target, web, part):
    target.parent.mkdir()
    target.with_name("model.bin.part").write_bytes(part)
    assert get() == SHA256
    assert web.ranges()[-1] is None
    assert only(target) == ["model.bin"]


def test_without_a_checksum_a_part_is_continued_if_the_tag_agrees(get, target, web):
    web.script["/model.bin"] += [cut(100_000)]
    assert get(Wanted()) == SHA256
    assert web.requests[1][2]["If-Range"] == '"first"'
    assert web.ranges() == [None, "bytes=100000-"]


def test_without_a_checksum_another_tag_starts_over(get, target, web):
    web.script["/model.bin"] += [cut(100_000), status(503), status(503)]
    fails(get, "503", wanted=Wanted())
    web.files["/model.bin"], web.tag = CONTENT[::-1], '"second"'
    get(Wanted())
    assert target.read_bytes() == CONTENT[::-1]


def test_without_checksum_and_tag_nothing_is_continued(get, target, web):
    web.tag = 'W/"weak"'
    web.script["/model.bin"] += [cut(100_000)]
    get(Wanted())
    assert web.ranges() == [None, None]
    assert target.read_bytes() == CONTENT


def test_without_a_checksum_a_file_of_unknown_length_is_refused(get, target, web):
    web.script["/model.bin"] += [without_length]
    fails(get, "how long", wanted=Wanted())


def test_with_a_checksum_a_file_of_unknown_length_is_welcome(get, web):
    web.script["/model.bin"] += [without_length]
    assert get() == SHA256


@pytest.mark.parametrize("wanted", [KNOWN, Wanted()], ids=["known", "unknown"])
def test_a_file_in_chunks_arrives_and_resumes(get, target, web, wanted):
    web.script["/model.bin"] += [chunked(70_000), chunked()]
    assert get(wanted) == SHA256
    assert web.ranges() == [None, "bytes=70000-"]


def test_a_file_without_a_length_that_is_cut_is_resumed(get, web):
    web.script["/model.bin"] += [lambda handler, body: without_length(handler, body[:70_000])]
    assert get() == SHA256
    assert web.ranges() == [None, "bytes=70000-"]


def test_a_corrupt_file_is_named_and_thrown_away(get, target, web):
    web.script["/model.bin"] += [corrupt]
    fails(get, "SHA-256", SHA256, "damaged")
    assert only(target) == []


def test_the_git_id_is_the_one_that_git_gives(get, target):
    # git hash-object of the same bytes
    get(Wanted(git_id=hashlib.sha1(b"blob 256000\0" + CONTENT, usedforsecurity=False).hexdigest()))
    assert target.exists()


def test_a_file_of_another_git_id_is_thrown_away(get, target):
    fails(get, "git id", wanted=Wanted(git_id="0" * 40))
    assert only(target) == []


def test_a_failure_leaves_the_old_file(get, target, web):
    target.parent.mkdir()
    target.write_bytes(b"old")
    web.script["/model.bin"] += [corrupt]
    fails(get, "SHA-256")
    assert target.read_bytes() == b"old"


def test_another_size_is_refused_before_it_is_read(get, target, web):
    fails(get, "256,000 bytes came, 255,999 were wanted", wanted=Wanted(size=255_999))
    assert only(target) == []


def test_a_content_length_that_is_too_large_reads_as_a_cut(get, web):
    def lie(handler, content):
        handler.begin(200, Content_Length=len(content) + 5)
        handler.wfile.write(content)
        handler.close_connection = True

    web.script["/model.bin"] += [lie] * 3
    fails(get, "broke after 256,000 of 256,005", wanted=Wanted())


def test_a_web_page_is_no_model(get, target, web):
    web.files["/model.bin"] = b"\n<!doctype html><title>Not found</title>"
    fails(get, "a web page came", wanted=Wanted(begins=(b"\x89HDF",)))
    assert only(target) == []


def test_an_endless_file_ends_at_the_limit(get, target, web):
    web.script["/model.bin"] += [endless]
    fails(get, "at most", wanted=Wanted(sha256=SHA256, limit=300_000))
    assert only(target) == []


def test_a_file_that_says_it_is_too_long_is_not_read(get, target):
    fails(get, "at most", wanted=Wanted(limit=1000))
    assert only(target) == []


def test_the_limit_holds_whatever_size_was_announced(get, target):
    fails(get, "1,000 bytes", "at most", wanted=Wanted(size=len(CONTENT), limit=1000))
    assert only(target) == []


def test_a_server_that_hangs_is_left_and_resumed(get, target, web):
    web.script["/model.bin"] += [hang]
    assert get() == SHA256
    assert web.ranges() == [None, "bytes=3-"]


def test_a_server_that_always_hangs_is_a_time_out(get, web):
    web.script["/model.bin"] += [lambda handler, _: handler.server.web.released.wait(5)] * 2
    fails(get, "does not answer", patience=Patience(timeout=0.2, tries=2, pause=0.01))


@pytest.mark.parametrize("code", [500, 502, 503, 504, 429])
def test_a_server_in_trouble_is_asked_again(get, web, code):
    web.script["/model.bin"] += [status(code), status(code, Retry_After=1)]
    assert get() == SHA256
    assert len(web.requests) == 3


@pytest.mark.parametrize(
    ("code", "part"),
    [(404, "not there"), (410, "not there"), (403, "HF_TOKEN"), (401, "not allowed")],
)
def test_a_refusal_is_final_and_told(get, target, web, code, part):
    web.script["/model.bin"] += [status(code)]
    fails(get, part, str(code))
    assert len(web.requests) == 1
    assert only(target) == []


def test_a_redirect_is_followed(get, web):
    web.files["/moved"] = CONTENT
    web.script["/model.bin"] += [redirect("/moved")]
    assert get() == SHA256


def test_a_range_is_asked_of_where_it_redirects_to(get, web):
    web.files["/moved"] = CONTENT
    web.script["/model.bin"] += [redirect("/moved"), redirect("/moved")]
    web.script["/moved"] += [cut(10)]
    get()
    assert [each[1] for each in web.requests] == ["/model.bin", "/moved"] * 2
    assert web.ranges()[-1] == "bytes=10-"


def test_redirects_in_a_circle_end(get, web):
    web.script["/model.bin"] += [redirect("/model.bin")] * 20
    fails(get, "redirects in circles")
    assert len(web.requests) < 8


def test_a_long_chain_of_redirects_ends(get, web):
    for step in range(10):
        web.script[f"/{step}"] += [redirect(f"/{step + 1}")]
    web.script["/model.bin"] += [redirect("/0")]
    fails(get, "redirects in circles")


@pytest.mark.parametrize(
    "to", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "//user:pw@e.org/x"]
)
def test_a_redirect_to_an_unsafe_address_is_refused(get, web, to):
    web.script["/model.bin"] += [redirect(to)]
    fails(get, "redirects", "not encrypted" if "example" in to else "")
    assert len(web.requests) == 1


def test_credentials_stay_with_the_server_they_are_for(get, web, target):
    web.files["/moved"] = CONTENT
    elsewhere = web.address.replace("127.0.0.1", "localhost")
    web.script["/model.bin"] += [redirect("/moved")]
    web.script["/moved"] += [redirect(f"{elsewhere}/moved")]
    get(headers={"Authorization": "Bearer secret"})
    sent = [headers.get("Authorization") for _, _, headers, _ in web.requests]
    assert sent == ["Bearer secret", "Bearer secret", None]


def test_a_full_disk_is_told_before_the_download(get, target, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 10))
    fails(get, "disk is full", "0.3 MB")
    assert only(target) == []


def test_a_full_disk_during_the_download_keeps_the_part(get, target, monkeypatch):
    def full(done, total):
        raise OSError(errno.ENOSPC, "No space left on device")

    fails(get, "disk is full", "goes on where it stopped", report=full)
    assert not target.exists()
    assert target.with_name("model.bin.part").exists()


def test_a_folder_that_cannot_be_made_is_told(web, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="cannot make the folder"):
        fetch(web.at("/x"), tmp_path / "file" / "x")


def test_two_at_once_do_not_write_one_file(get, web, target):
    def slow(handler, content):
        time.sleep(0.3)  # the other has come meanwhile
        serve(handler, content)

    web.script["/model.bin"] += [slow]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: get(patience=SLOW), range(2))) == [SHA256, SHA256]
    assert len(web.requests) == 1  # one downloads, the other finds it there
    assert only(target) == ["model.bin"]
