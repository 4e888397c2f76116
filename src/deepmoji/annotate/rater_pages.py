"""What a rater sees: instructions and consent, one text at a time, their answers, their posts."""

import re
from collections.abc import Callable
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from deepmoji.annotate.desk import LONGEST_POST, MOST_POSTS, Desk, Revoked, Turn
from deepmoji.annotate.scales import Scale, from_stored
from deepmoji.annotate.schema import Rater
from deepmoji.annotate.web import Answering, Asked, render, see
from deepmoji.errors import InputError

OWN_QUESTION = "How did you feel when you wrote this?"
_BLANK_LINES = re.compile(r"(?:\r?\n[^\S\n]*){2,}")


class RaterPages:
    """Answers the requests that come by raters' links.

    Args:
        desk: what they do.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._scale = desk.scale
        self._pages: dict[tuple[str, bool], Callable[[Rater, Asked], Response]] = {
            ("", False): self._start,
            ("consent", True): self._consent,
            ("rate", False): self._rate,
            ("rate", True): self._answer,
            ("answers", False): self._answers,
            ("delete", False): self._confirm,
            ("delete", True): self._delete,
        }
        if desk.campaign.contribute:
            self._pages |= {
                ("posts", False): self._posts,
                ("posts", True): self._bring,
                ("take-back", True): self._take_back,
            }

    def door(self, token: str) -> Answering | None:
        """Return what answers the holder of a token, None if it is nobody's."""
        rater = self._desk.find(token)
        return None if rater is None else partial(self._respond, rater)

    def _respond(self, rater: Rater, asked: Asked) -> Response:
        page = self._pages.get((asked.page, asked.post))
        if page is None:
            raise HTTPException(404)
        before_consent = {"", "consent", "delete"}
        if asked.page not in before_consent and not self._desk.may_rate(rater):
            return see("./")
        try:
            return page(rater, asked)
        except Revoked:
            raise HTTPException(404) from None

    def _page(self, template: str, status: int = 200, /, **values: object) -> Response:
        return render(template, status, campaign=self._desk.campaign, **values)

    def _start(self, rater: Rater, _asked: Asked) -> Response:
        return self._page(
            "start.html",
            may_rate=self._desk.may_rate(rater),
            count=self._desk.count(rater.id),
            scale=self._scale,
        )

    def _consent(self, rater: Rater, asked: Asked) -> Response:
        if asked.field("agree") != "yes":
            return see("./")
        self._desk.consent(rater.id)
        return see("posts" if self._desk.campaign.contribute else "rate")

    def _rate(self, rater: Rater, asked: Asked) -> Response:
        number = asked.number("item")
        if number is None:
            turn = self._desk.next(rater.id)
        else:
            again = self._desk.again(rater.id, number)
            if again is None:
                raise HTTPException(404)
            turn = again
        return self._turn(turn, taken="taken" in asked.query)

    def _turn(self, turn: Turn, *, taken: bool = False, wrong: str = "") -> Response:
        status = 422 if wrong else 200
        if turn.item is None:
            return self._page("done.html", turn=turn, taken=taken)
        stored = turn.item.answer
        return self._page(
            "rate.html",
            status,
            turn=turn,
            item=turn.item,
            visible=any(each.isprintable() and not each.isspace() for each in turn.item.text),
            scale=self._scale,
            question=OWN_QUESTION if turn.item.own else self._scale.question,
            given=from_stored(stored) if stored is not None else (),
            unknown=stored is not None and from_stored(stored) is None,
            taken=taken,
            wrong=wrong,
        )

    def _answer(self, rater: Rater, asked: Asked) -> Response:
        item = asked.field_number("item")
        given = None if "unknown" in asked.fields else asked.fields.get("answer", [])
        try:
            saved = self._desk.answer(rater.id, item, None if given is None else tuple(given))
        except InputError:
            turn = self._desk.again(rater.id, item)
            if turn is None:
                raise HTTPException(404) from None
            return self._turn(turn, wrong="That was no answer. Please choose one.")
        if saved is None:
            raise HTTPException(404)
        return see("rate" if saved else "rate?taken=1")

    def _answers(self, rater: Rater, asked: Asked) -> Response:
        shown = self._desk.answers(rater.id, asked.number("page") or 1)
        rows = [(item, described(self._scale, item.answer)) for item in shown.items]
        return self._page("answers.html", shown=shown, rows=rows)

    def _confirm(self, rater: Rater, _asked: Asked) -> Response:
        posts = self._desk.posts(rater.id)
        return self._page("delete.html", count=self._desk.count(rater.id), posts=len(posts))

    def _delete(self, rater: Rater, asked: Asked) -> Response:
        if asked.field("sure") != "yes":
            return see("delete")
        self._desk.forget(rater.id)
        return self._page("deleted.html")

    def _posts(self, rater: Rater, _asked: Asked) -> Response:
        return self._own(rater)

    def _own(self, rater: Rater, wrong: str = "", kept: str = "") -> Response:
        posts = self._desk.posts(rater.id)
        return self._page(
            "posts.html",
            422 if wrong else 200,
            rows=[(post, described(self._scale, post.answer)) for post in posts],
            unrated=sum(post.answered is None for post in posts),
            most=MOST_POSTS,
            longest=LONGEST_POST,
            question=OWN_QUESTION,
            wrong=wrong,
            kept=kept,
        )

    def _bring(self, rater: Rater, asked: Asked) -> Response:
        pasted = asked.field("posts")
        posts = [part for part in _BLANK_LINES.split(pasted) if part.strip()]
        try:
            if not self._desk.bring(rater.id, posts):
                raise InputError("there is no post in it; paste one first")
        except InputError as error:
            return self._own(rater, wrong=f"Not saved: {error}.", kept=pasted)
        return see("rate")

    def _take_back(self, rater: Rater, asked: Asked) -> Response:
        self._desk.take_back(rater.id, asked.field_number("item"))
        return see("posts")


def described(scale: Scale, stored: str | None) -> str:
    """Say an answer in words; "" where there is none."""
    if stored is None:
        return ""
    answer = from_stored(stored)
    if answer is None:
        return "don’t know"
    names = {choice.value: choice.name for choice in scale.choices}
    shown = (f"{value} ({names[value]})" if names.get(value) else value for value in answer)
    return ", ".join(shown) or "none of them"
