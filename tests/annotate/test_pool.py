"""Each item goes to so many raters, at random, never twice to one."""

import itertools
import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from deepmoji.annotate import Campaign
from deepmoji.annotate.desk import Revoked
from deepmoji.annotate.schema import Item, Rating
from deepmoji.errors import InputError
from tests.annotate.conftest import BOTH_DATABASES

pytestmark = BOTH_DATABASES


def test_every_item_goes_to_so_many_raters_and_to_none_twice(make):
    made = make(raters_per_item=2)
    seen = [made.answer_all(rater, ("5",)) for rater in made.raters(4)]
    assert Counter(text for texts in seen for text in texts) == dict.fromkeys(
        ["I love it", "so sad", "meh", "whatever", "best day ever"], 2
    )
    assert all(len(texts) == len(set(texts)) for texts in seen)


def test_raters_have_orders_of_their_own_and_keep_them(make):
    texts = [f"text {n}" for n in range(8)]
    made = make(texts, raters_per_item=30)
    orders = [tuple(made.answer_all(rater, ("5",))) for rater in made.raters(8)]
    assert all(sorted(order) == sorted(texts) for order in orders)
    assert len(set(orders)) == 8  # of 8! orders: two the same have a chance of 7e-4
    assert len({order[0] for order in orders}) > 1
    # No order of the file: neighbours there are neighbours as often as any two texts.
    follows = sum(
        texts.index(b) - texts.index(a) == 1
        for order in orders
        for a, b in itertools.pairwise(order)
    )
    assert follows < 28  # of 56; 7 expected


def test_an_item_in_hand_comes_again_until_it_is_answered(make):
    made = make()
    [rater] = made.raters(1)
    first = made.desk.next(rater).item
    assert made.desk.next(rater).item.id == first.id
    made.desk.answer(rater, first.id, None)
    assert made.desk.next(rater).item.id != first.id


def test_an_item_in_hand_takes_a_place_until_it_waited_too_long(make):
    made = make(["only"], raters_per_item=1, release_minutes=10)
    slow, quick = made.raters(2)
    item = made.desk.next(slow).item
    assert made.desk.next(quick).item is None
    made.clock.now += 9 * 60
    assert made.desk.next(quick).item is None
    made.clock.now += 2 * 60
    assert made.desk.next(quick).item.id == item.id
    # The place is another's now: the late answer is not taken, and says so.
    assert made.desk.answer(slow, item.id, ("5",)) is False
    assert made.desk.answer(quick, item.id, ("7",)) is True
    assert made.desk.next(slow).item is None
    assert made.campaign.status().answers == 1


def test_a_late_answer_counts_if_nobody_took_the_place(make):
    made = make(["only"], raters_per_item=1, release_minutes=10)
    [slow] = made.raters(1)
    item = made.desk.next(slow).item
    made.clock.now += 3600
    assert made.desk.answer(slow, item.id, ("5",)) is True


def test_answers_can_be_changed_but_only_own_ones(make):
    made = make(["only"], raters_per_item=1)
    rater, stranger = made.raters(2)
    item = made.desk.next(rater).item
    made.desk.answer(rater, item.id, ("2",))
    made.clock.now += 1e6
    assert made.desk.answer(rater, item.id, ("8",)) is True
    assert made.desk.answer(stranger, item.id, ("1",)) is None
    assert made.desk.again(stranger, item.id) is None
    assert made.campaign.status().given["8"] == 1
    assert made.campaign.status().answers == 1


def test_back_leads_through_all_answers(make):
    made = make()
    [rater] = made.raters(1)
    texts = made.answer_all(rater, ("5",))
    turn = made.desk.next(rater)
    assert turn.item is None
    back = []
    while turn.before is not None:
        turn = made.desk.again(rater, turn.before)
        back.append(turn.item.text)
    assert back == texts[::-1]


def test_deleting_gives_the_places_back(make):
    made = make(raters_per_item=1)
    first, second = made.raters(2)
    made.answer_all(first, ("5",))
    assert made.desk.next(second).item is None
    made.desk.forget(first)
    assert made.campaign.status().answers == 0
    assert len(made.answer_all(second, ("5",))) == 5


def test_revoking_keeps_answers_and_frees_what_is_in_hand(make):
    made = make(["a", "b"], raters_per_item=1)
    [invitation] = made.campaign.invite(1)
    rater = made.rater(invitation.name).id
    first = made.desk.next(rater).item
    made.desk.answer(rater, first.id, ("5",))
    made.desk.next(rater)
    token = invitation.link.split("/")[-2]
    assert made.desk.find(token).id == rater
    assert made.campaign.revoke(invitation.link) == invitation.name
    assert made.desk.find(token) is None
    assert made.campaign.status().answers == 1
    assert made.desk.next(made.raters(1)[0]).item is not None
    made.campaign.revoke(invitation.name, delete_answers=True)
    assert made.campaign.status().answers == 0
    with pytest.raises(InputError, match="no rater r-unknown"):
        made.campaign.revoke("r-unknown")


def test_what_was_on_its_way_when_a_link_ended_is_not_stored(make):
    made = make(["a", "b"], contribute=True)
    [invitation] = made.campaign.invite(1)
    rater = made.desk.find(invitation.link.split("/")[-2]).id  # found: the request has begun
    item = made.desk.next(rater).item
    assert made.desk.answer(rater, item.id, ("5",))
    made.campaign.revoke(invitation.name, delete_answers=True)
    for request in (
        lambda: made.desk.answer(rater, item.id, ("7",)),
        lambda: made.desk.bring(rater, ["a post"]),
        lambda: made.desk.consent(rater),
        lambda: made.desk.next(rater),
    ):
        with pytest.raises(Revoked):
            request()
    status = made.campaign.status()
    assert (status.answers, status.posts, status.in_hand) == (0, 0, 0)


@pytest.mark.parametrize("needed", [1, 3])
def test_raters_at_the_same_moment_do_not_overshoot(make, needed):
    made = make([f"text {n}" for n in range(12)], raters_per_item=needed)
    raters = made.raters(8)
    barrier = threading.Barrier(len(raters))
    failed = []

    def work(rater):
        with Campaign.open(made.campaign.store.place) as own:  # as another process would
            desk = own.desk()
            barrier.wait()
            try:
                while (item := desk.next(rater).item) is not None:
                    assert desk.answer(rater, item.id, ("5",)) is True
            except AssertionError as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with made.campaign.store.read() as session:
        counts = session.scalars(select(func.count(Rating.id)).group_by(Rating.item_id)).all()
    assert counts == [needed] * 12


def test_posts_of_their_own_come_first_and_to_nobody_else(make):
    made = make(["given"], contribute=True, raters_per_item=3)
    author, other = made.raters(2)
    assert made.desk.bring(author, [" my day was great ", "", "not so today"]) == 2
    turn = made.desk.next(author)
    assert (turn.item.text, turn.item.own) == ("my day was great", True)
    assert made.answer_all(author, ("7",)) == ["my day was great", "not so today", "given"]
    assert made.answer_all(other, ("3",)) == ["given"]
    mine, theirs = made.desk.posts(author), made.desk.posts(other)
    assert [post.text for post in mine] == ["not so today", "my day was great"]
    assert theirs == []
    made.desk.take_back(other, mine[0].id)
    assert len(made.desk.posts(author)) == 2
    made.desk.take_back(author, mine[0].id)
    assert len(made.desk.posts(author)) == 1
    made.desk.forget(author)
    with made.campaign.store.read() as session:
        assert session.scalars(select(Item.text)).all() == ["given"]


def test_what_is_deleted_is_not_left_on_the_disk(make, database):
    if database == "postgresql":
        pytest.skip("what PostgreSQL deleted stays on its disk until it vacuums")
    made = make(["given"], contribute=True)
    [author] = made.raters(1)
    private = "a private that nobody else may read"
    made.desk.bring(author, [private])
    folder = made.campaign.store.folder
    assert any(private.encode() in file.read_bytes() for file in folder.iterdir())
    made.desk.forget(author)
    assert not any(private.encode() in file.read_bytes() for file in folder.iterdir())


def test_too_much_is_refused_whole(make):
    made = make(None, contribute=True)
    [rater] = made.raters(1)
    with pytest.raises(InputError, match="2,001 characters, at most 2,000"):
        made.desk.bring(rater, ["fine", "x" * 2001])
    with pytest.raises(InputError, match="at most 500 posts"):
        made.desk.bring(rater, ["x"] * 501)
    assert made.desk.posts(rater) == []
    with pytest.raises(InputError, match="1 to 10,000"):
        made.campaign.invite(0)
