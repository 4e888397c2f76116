"""What a pickle may hold: strings and numbers as Python wrote them, and what numpy makes of bytes.

No name that a pickle uses is looked up anywhere but in :data:`NAMES`, which holds nothing that can
be called: what Python and numpy would have made is made here, from its bytes.
"""

import math
import re
from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

_T = TypeVar("_T")
_WHOLE = re.compile(rb"[+-]?\d{1,19}L?")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.?)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"'": b"'", b'"': b'"'}
_LONGEST_WORD = 200  # a long one, remembered and used as a key again and again, would take hours
_DTYPE = re.compile(r"b1|[iu][1248]|f[248]")


class Refused(Exception):  # noqa: N818 - it is one, of the pickle
    """Why a pickle is not read."""


class Dtype:
    """A type of numpy's; the byte order is told after the rest."""

    def __init__(self, code: str) -> None:
        if not _DTYPE.fullmatch(code):
            refuse(f"numbers of numpy's type {code[:20]!r}")
        self.type: np.dtype[Any] = np.dtype(code)


class Array(list[Any]):
    """An array of numpy's, as the list of its values or of its rows."""


class Name(Enum):
    """The names that a pickle may use; none of them is called."""

    DTYPE = auto()
    ARRAY = auto()
    RECONSTRUCT = auto()
    SCALAR = auto()
    ENCODE = auto()
    BYTES = auto()


NAMES: Mapping[str, Name] = MappingProxyType(
    {
        "numpy.dtype": Name.DTYPE,
        "numpy.ndarray": Name.ARRAY,
        # Before numpy 2 and since.
        "numpy.core.multiarray._reconstruct": Name.RECONSTRUCT,
        "numpy._core.multiarray._reconstruct": Name.RECONSTRUCT,
        "numpy.core.multiarray.scalar": Name.SCALAR,
        "numpy._core.multiarray.scalar": Name.SCALAR,
        "_codecs.encode": Name.ENCODE,
        "__builtin__.bytes": Name.BYTES,
    }
)


def refuse(why: str) -> NoReturn:
    """Raise :class:`Refused`."""
    raise Refused(why)


def attempt(convert: Callable[[], _T]) -> _T:
    """Return what a conversion gives; of bytes that do not allow it, the pickle is refused."""
    try:
        return convert()
    except ValueError as error:  # of which those of encodings are
        raise Refused(str(error)) from error


def word(value: object) -> str:
    """Return a key or name as ``str``: Python 2 wrote bytes."""
    if not isinstance(value, str | bytes) or len(value) > _LONGEST_WORD:
        refuse("a key or name that is no short string")
    return value if isinstance(value, str) else attempt(lambda: value.decode("ascii"))


def whole(line: bytes) -> int:
    """Return a whole number of at most 64 bits; longer ones cost time that grows faster."""
    if not _WHOLE.fullmatch(line):
        refuse(f"{line[:30]!r} is no whole number")
    return int(line.removesuffix(b"L"))


def quoted(line: bytes) -> bytes:
    """Return a string of protocol 0: as Python 2 shows it."""
    quote = line[:1]
    if len(line) < 2 or quote not in {b"'", b'"'} or line[-1:] != quote:
        refuse("a string without its quotation marks")

    def plain(match: re.Match[bytes]) -> bytes:
        escape = match[1]
        if escape not in _ESCAPED and len(escape) != len(b"xff"):
            refuse(f"the escape \\{escape.decode('latin-1')} in a string")
        return _ESCAPED.get(escape) or bytes([int(escape[1:], 16)])

    return _ESCAPE.sub(plain, line[1:-1])


def text(content: bytes, encoding: str) -> str:
    """Return text; Python 2 wrote some characters as the two halves that UTF-16 has for them."""
    text = attempt(lambda: content.decode(encoding, "surrogatepass"))
    return attempt(lambda: text.encode("utf-16", "surrogatepass").decode("utf-16"))


def made(name: object, arguments: object, spend: Callable[[int], None]) -> object:
    """Return what a pickle wants made by a name.

    Args:
        name: a :class:`Name`.
        arguments: a tuple.
        spend: told how many bytes are made; refuses too many.

    Raises:
        Refused: if it is no plain value.
    """
    match name, arguments:
        case Name.DTYPE, (bytes() | str() as code, 0 | 1, 0 | 1):
            return Dtype(word(code))
        case Name.RECONSTRUCT, (Name.ARRAY, (0,), bytes() | str()):
            return Array()
        case Name.SCALAR, (Dtype() as of, bytes() as data):
            if len(data) != of.type.itemsize:
                refuse("a number whose bytes do not fit its type")
            spend(len(data))
            return attempt(lambda: np.frombuffer(data, of.type)[0].item())
        case Name.ENCODE, (str() as encoded, "latin1" | "latin-1"):  # how Python 3 writes bytes
            spend(len(encoded))
            return attempt(lambda: encoded.encode("latin-1"))
        case Name.BYTES, ():
            return b""
        case _:
            refuse("it makes something that is no plain value")


def fill(target: object, state: object, spend: Callable[[int], None]) -> None:
    """Give a :class:`Dtype` or an :class:`Array` the state that a pickle holds for it.

    Args:
        target: what :func:`made` returned.
        state: a tuple as numpy writes it.
        spend: see :func:`made`.

    Raises:
        Refused: if it is no such state, or does not fit.
    """
    match target, state:
        case Dtype(), (3, str() | bytes() as order, None, None, None, int(), int(), int()):
            if word(order) not in {"<", ">", "|", "="}:
                refuse("a byte order that is none")
            target.type = target.type.newbyteorder(cast("Any", word(order)))
        case Array(), (1, tuple(), Dtype() as of, int() as turned, bytes() as data):
            shape = cast("tuple[Any, ...]", cast("tuple[Any, ...]", state)[1])
            plain = 0 < len(shape) <= 2 and all(type(each) is int and each >= 0 for each in shape)
            if not plain or math.prod(shape) * of.type.itemsize != len(data):
                refuse("an array whose shape does not fit its bytes")
            spend(max(len(data), shape[0]))
            values = np.frombuffer(data, of.type) if data else np.empty(0, of.type)
            target[:] = attempt(values.reshape(shape, order="F" if turned else "C").tolist)
        case _:
            refuse("an object whose state is none of numpy's plain ones")
