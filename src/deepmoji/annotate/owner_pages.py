"""What the owner sees: progress, agreement, raters, and the tables to take away."""

from collections.abc import Callable
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from deepmoji.annotate.campaign import Campaign
from deepmoji.annotate.export import FORMS, iso
from deepmoji.annotate.files import SUFFIXES, table_bytes
from deepmoji.annotate.tokens import hashed
from deepmoji.annotate.web import Answering, Asked, render
from deepmoji.errors import DeepmojiError

_MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".jsonl": "application/jsonl; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
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

    def door(self, token: str) -> Answering | None:
        """Return what answers the holder of a token, None if it is not the owner's."""
        return partial(self._respond) if self._is_owner(hashed(token)) else None

    def _respond(self, asked: Asked) -> Response:
        if asked.post or asked.page not in {"", "export"}:
            raise HTTPException(404)
        return self._export(asked) if asked.page else self._overview()

    def _overview(self) -> Response:
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
            campaign=self._campaign,
            status=status,
            multi=self._campaign.scale.multi,
            given=given,
            most=max((count for _, _, count in given), default=0),
            forms=[(form, _ABOUT[form]) for form in forms],
            suffixes=SUFFIXES,
            when=_minute,
        )

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
