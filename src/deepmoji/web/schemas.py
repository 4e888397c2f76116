"""The bodies of requests and answers, as the OpenAPI document describes them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from deepmoji.web.models import DEFAULT


def _well_formed(value: Any) -> Any:
    """Read a lone surrogate, which JSON can hold and UTF-8 cannot, as U+FFFD: unknown, but one."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _whole(value: Any) -> Any:
    """Take 5 and 5.0, the integers of JSON; neither true nor "5"."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Text = Annotated[str, BeforeValidator(_well_formed)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Body):
    """Texts, and the model to read them."""

    texts: list[Text] = Field(description="Any strings; each has an answer, in this order.")
    model: Text = Field(DEFAULT, description="A name that GET /v1/models gives.")


class PredictRequest(Ask):
    """Texts, and what to say of each."""

    top: Annotated[int, BeforeValidator(_whole)] = Field(
        5, ge=1, description="How many labels, the most probable first; at most all there are."
    )
    explain: Literal["attention", "occlusion"] = Field(
        "attention",
        description="occlusion: for each word also how the answer changes without it, at the "
        "price of reading the text once more for each of its words.",
    )

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"texts": ["This is the shit", "This is shit"], "top": 5}]}
    )


class EncodeRequest(Ask):
    """Texts to encode."""

    reduce: Annotated[int, BeforeValidator(_whole)] = Field(
        0,
        ge=0,
        description="To how many numbers, by the projection that was fitted for the model; 0: all. "
        "GET /v1/models says how many there are at most.",
    )

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["so tired"]}]})


class EmotionsRequest(Ask):
    """Texts whose emotions are asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["so proud of you"]}]})


class Label(_Answer):
    """A label and how probable it is."""

    label: str
    probability: float = Field(ge=0, le=1)


class WordRead(_Answer):
    """A piece of the text that was read as one word."""

    text: str
    start: int = Field(description="In characters (Unicode code points) from the text's start.")
    end: int
    weight: float = Field(description="Attention; the weights of a text's words sum to 1.")
    occlusion: float | None = Field(
        None,
        description="If asked for: log p(most probable label) with the word, minus without it.",
    )


class Read(_Answer):
    """What the model says of a text."""

    top: list[Label]
    words: list[WordRead]
    unknown_share: float = Field(description="Of the words, how many the model does not know.")
    truncated: bool = Field(description="The text has more words than were read.")
    windows: int | None = Field(
        None, description="In how many windows a long text was read, if in more than one."
    )


class PredictResponse(_Answer):
    """A prediction for each text, in their order."""

    predictions: list[Read]


class EncodeResponse(_Answer):
    """A row of numbers for each text, in their order."""

    features: list[list[float]]


class EmotionShare(_Answer):
    """An emotion and its share of the text's emotions."""

    emotion: str
    share: float = Field(ge=0, le=1)


class Felt(_Answer):
    """The emotions that the emojis of a text stand for."""

    emotions: list[EmotionShare] = Field(description="All of them, the strongest first.")
    valence: float = Field(description="From -1, unpleasant, to 1.", ge=-1, le=1)


class EmotionsResponse(_Answer):
    """The emotions of each text, in their order."""

    predictions: list[Felt]


class NamedLabel(_Answer):
    """A label; an emoji has a name."""

    label: str
    name: str | None


class Model(_Answer):
    """A model that can be asked."""

    name: str
    default: bool = Field(description="It answers where a request names none.")
    labels: list[NamedLabel]
    features: int = Field(description="Numbers that /v1/encode gives for a text.")
    reducible: int = Field(description="To how many of them `reduce` can cut; 0: not at all.")
    emotions: list[str] = Field(description="What /v1/emotions tells apart; none: it cannot.")
    max_tokens: int = Field(description="Words that are read at a time.")
    long_texts: Literal["cut", "attention", "mean"] = Field(
        description="What becomes of longer texts: they are cut there, or read in windows, weighed "
        "by the attention that they draw, or all alike."
    )
    exclusive: bool = Field(description="Only one label holds: the probabilities sum to 1.")


class LimitValues(_Answer):
    """How much the server takes."""

    body_bytes: int
    texts: int
    occluded_texts: int
    characters: int
    waiting: int


class ModelsResponse(_Answer):
    """The models of this server and its limits."""

    models: list[Model]
    limits: LimitValues


class Health(_Answer):
    """The server answers."""

    status: Literal["ok"]


class Limit(_Answer):
    """The limit that a request exceeds."""

    name: str
    value: float


class Detail(_Answer):
    """A part of a body that is wrong."""

    where: str
    message: str


class Failure(_Answer):
    """What went wrong."""

    code: str
    message: str
    limit: Limit | None = None
    details: list[Detail] | None = None


class FailureResponse(_Answer):
    """A request without an answer."""

    error: Failure
