"""What is chosen before the server starts: where it listens, who may ask, how much."""

from dataclasses import dataclass, field

from deepmoji.errors import InputError
from deepmoji.serving.listening import LOCAL


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is taken. A refusal names the limit, by these names."""

    body_bytes: int = 1 << 20
    texts: int = 256  # of a request
    occluded_texts: int = 32  # of a request for occlusion, which reads a text once for each word
    characters: int = 10_000  # of a text
    waiting: int = 4096  # texts of all requests that wait; more are told to come back
    batch: int = 512  # texts that are answered at a time
    body_seconds: float = 30.0  # for a body to arrive

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise InputError(f"the limit {name} has to be positive, not {value}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about a server but its models."""

    host: str = "127.0.0.1"
    port: int = 8000  # 0: any that is free
    api_key: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()  # other sites whose pages may ask
    access_log: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise InputError(f"a port is 0 to 65535, not {self.port}")
        key = self.api_key
        if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key):
            raise InputError("an API key is made of printable ASCII characters, no space around it")
        if key == "":
            raise InputError("the API key is empty; leave it out to have none")
        for origin in self.origins:
            if "://" not in origin or origin.endswith("/"):
                raise InputError(f"an origin is like https://example.org, not {origin!r}")

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can ask without a key."""
        return self.api_key is None and self.host not in LOCAL
