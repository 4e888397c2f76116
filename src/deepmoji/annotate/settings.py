"""What a campaign is set to, decided when it is made."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from deepmoji.annotate.scales import Scale
from deepmoji.errors import InputError

PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"

CONSENT = """\
You are asked to paste posts that you wrote yourself, and to say how you felt when you wrote them.

Your posts and your answers are stored with the time you gave them, under a random name, and are \
read by the people who run this study and used to teach and test software that reads emotions. \
Do not paste what others wrote, or what would tell who you or others are.

You can change or take back each of them, and delete all of them with one button, at any time and \
without a reason. What was taken out of the study for an analysis before that is not called back.
"""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A campaign's settings.

    Attributes:
        scale: ``nine``, ``labels:a,b,c`` or ``emojis``.
        multi: whether a rater may give several labels to a text.
        raters_per_item: how many raters each text goes to.
        title: heads every page.
        instructions: plain text that raters read first.
        consent: plain text that raters have to agree to first; "" for none.
        contribute: whether raters bring posts of their own; without a consent text there is a
            general one.
        release_minutes: after how long a text that was shown and not answered goes to another.
        url: what the links begin with.

    Raises:
        InputError: if a setting cannot be.
    """

    scale: str = "nine"
    multi: bool = False
    raters_per_item: int = 3
    title: str = "How does it feel?"
    instructions: str = ""
    consent: str = ""
    contribute: bool = False
    release_minutes: int = 30
    url: str = ADDRESS

    def __post_init__(self) -> None:
        Scale.parse(self.scale, multi=self.multi)
        for name in ("raters_per_item", "release_minutes"):
            value = getattr(self, name)
            if not 1 <= value <= 1_000_000:
                raise InputError(f"{name} is {value}; it has to be 1 or more")
        if not self.title.strip():
            raise InputError("the title is empty; give raters something to know the page by")
        check_address(self.url)

    @property
    def agreement(self) -> str:
        """The text that raters have to agree to, or ""."""
        return self.consent.strip() or (CONSENT if self.contribute else "")


def check_address(url: str) -> str:
    """Return an address that links can begin with, without a slash at its end.

    Raises:
        InputError: if it is no http or https address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise InputError(f"the address {url!r} has to be like https://rate.example.org")
    return url.rstrip("/")
