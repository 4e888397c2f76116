"""What the owner sees and does: progress, agreement, tables to take away, raters in and out."""

from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from deepmoji.annotate.campaign import Campaign
from deepmoji.annotate.export import FORMS, iso
from deepmoji.annotate.files import SUFFIXES, table_bytes
from deepmoji.annotate.progress import RaterStatus
from deepmoji.annotate.tokens import hashed
from deepmoji.annotate.web import Answering, Asked, render, see
from deepmoji.errors import DeepmojiError

_MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".jsonl": "application/jsonl; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
MOST_INVITED = 500  # at a time; a page of more is no page
_ABOUT = {
    "majority": "one label for each text: what most raters said",
    "mean": "negative or positive by the mean, near-neutral texts left out",
    "ratings": "every answer: item, rater, answer, time",
    "study": "the ratings of each text as a list, for deepmoji study",
}


class OwnerPages:
    """Answers the requests that come by the owner's link.

    Args:
        campaign: that is looked at.
        is_owner: whether a token's hash is the owner's, at the moment of the request.
    """

    def __init__(self, campaign: Campaign, is_owner: Callable[[str], bool]) -> None:
        self._campaign = campaign
        self._is_owner = is_owner
        self._pages: dict[tuple[str, bool], Callable[[Asked], Response]] = {
            ("", False): self._overview,
            ("export", False): self._export,
            ("invite", True): self._invite,
            ("rater", False): self._rater,
            ("revoke", True): self._revoke,
        }

    def door(self, token: str) -> Answering | None:
        """Return what answers the holder of a token, None if it is not the owner's."""
        return self._respond if self._is_owner(hashed(token)) else None

    def _respond(self, asked: Asked) -> Response:
        page = self._pages.get((asked.page, asked.post))
        if page is None:
            raise HTTPException(404)
        return page(asked)

    def _overview(self, _asked: Asked, wrong: str = "") -> Response:
        status = self._campaign.status()
        forms = [
            form for form in FORMS if status.scale == "nine" or form in ("majority", "ratings")
        ]
        names = {choice.value: choice.name for choice in self._campaign.scale.choices}
        given = [(value, names[value], count) for value, count in status.given.items()]
        if status.scale == "emojis":
            given = sorted((each for each in given if each[2]), key=lambda each: -each[2])
        return render(
            "owner.html",
            422 if wrong else 200,
            campaign=self._campaign,
            status=status,
            multi=self._campaign.scale.multi,
            given=given,
            most=max((count for _, _, count in given), default=0),
            forms=[(form, _ABOUT[form]) for form in forms],
            suffixes=SUFFIXES,
            when=_minute,
            most_invited=MOST_INVITED,
            wrong=wrong,
        )

    def _invite(self, asked: Asked) -> Response:
        count = asked.number_given("count")
        if count is None or not 1 <= count <= MOST_INVITED:
            return self._overview(asked, f"Nobody was invited: give a number, 1 to {MOST_INVITED}.")
        return render(
            "invited.html", campaign=self._campaign, invitations=self._campaign.invite(count)
        )

    def _rater(self, asked: Asked) -> Response:
        return render("revoke.html", campaign=self._campaign, rater=self._named(asked.query))

    def _revoke(self, asked: Asked) -> Response:
        rater = self._named({"name": asked.field("name")})
        self._campaign.revoke(rater.name, delete_answers=asked.field("delete") == "yes")
        return see("./#raters")

    def _named(self, given: Mapping[str, str]) -> RaterStatus:
        """Return the rater that is named, by no other name than the status shows."""
        for rater in self._campaign.status().raters:
            if rater.name == given.get("name"):
                return rater
        raise HTTPException(404)

    def _export(self, asked: Asked) -> Response:
        form, suffix = asked.query.get("form", ""), asked.query.get("as", "")
        if form not in FORMS or suffix not in SUFFIXES:
            raise HTTPException(404)
        try:
            made = self._campaign.table(form)
            content = table_bytes(suffix, made.columns, made.rows)
        except DeepmojiError as error:
            raise HTTPException(422, str(error)) from error
        name = f'attachment; filename="{form}{suffix}"'
        return Response(content, headers={"Content-Disposition": name}, media_type=_MEDIA[suffix])


def _minute(time: int | None) -> str:
    return "" if time is None else iso(time)[:16].replace("T", " ")
