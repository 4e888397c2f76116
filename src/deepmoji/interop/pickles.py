"""Pickles of plain values and numpy's, read without running anything that they ask for.

A pickle is a program for a stack machine, and the usual machine imports and calls what the program
names. This one has the instructions that make numbers, strings, lists, tuples and dicts, and for
names the few of :mod:`deepmoji.interop.pickled`. Instructions and their arguments: the
documentation of ``pickletools``; protocols 0 to 4, as Python 2 and 3 write them.
"""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deepmoji.errors import InputError
from deepmoji.interop.pickled import (
    NAMES,
    Name,
    Refused,
    attempt,
    fill,
    made,
    quoted,
    refuse,
    text,
    whole,
    word,
)

_LARGEST = 1 << 25  # bytes of a file; the largest benchmark set of 2017 has 3.4 million
_MOST_STEPS = 10_000_000  # each makes at most one value of 64 bytes or so
_NEWEST = 4
_MARK: Any = object()
_BOOLS = {b"00": False, b"01": True}


def read_pickle(path: Path) -> Any:
    """Return what a pickle holds, as plain values.

    Strings of Python 2, which do not say what they are, come as ``bytes``; arrays of numpy as
    lists, its scalars as numbers. Keys of dicts are ``str``.

    Args:
        path: a file of at most 32 MiB.

    Raises:
        InputError: if it cannot be read, is cut short or damaged, or asks for anything else than
            plain values: it says for what. Nothing of it is run.
    """
    try:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} has more than {_LARGEST >> 20} MiB; no benchmark set does")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        return _Machine(content).run()
    except Refused as error:
        raise InputError(f"{path} is no pickle of plain values: {error}") from error


class _Machine:
    """The stack machine."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._spent = 0  # bytes that became arrays and the like

    def run(self) -> Any:
        for _ in range(_MOST_STEPS):
            code = self.take(1)
            if code == b".":
                break
            step = _STEPS.get(code)
            if step is None:
                refuse(f"instruction {code!r} at byte {self._position - 1} makes something else")
            step(self)
        else:
            refuse(f"more than {_MOST_STEPS:,} steps")
        if self._position != len(self._content):
            refuse(f"it goes on after its end at byte {self._position}")
        if len(self._stack) != 1 or self._stack[0] is _MARK or isinstance(self._stack[0], Name):
            refuse("it does not end with one value")
        return self._stack[0]

    # What instructions are followed by.

    def take(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._content):
            refuse(f"it ends in the middle, after {len(self._content)} bytes")
        self._position, begin = end, self._position
        return self._content[begin:end]

    def number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0]

    def sized(self, form: str) -> bytes:
        size = self.number(form)
        return self.take(size) if size >= 0 else refuse("a string of negative length")

    def line(self) -> bytes:
        end = self._content.find(b"\n", self._position)
        if end < 0:
            refuse(f"it ends in the middle, after {len(self._content)} bytes")
        line = self.take(end - self._position)
        self._position += 1
        return line.removesuffix(b"\r")  # some of the old files were checked out on Windows

    # The stack.

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            refuse("an instruction lacks its values")
        return self._stack.pop()

    def marked(self) -> list[Any]:
        """Return the values since the last mark, and take them away with it."""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                values = self._stack[place + 1 :]
                del self._stack[place:]
                return values
        refuse("an instruction lacks its mark")

    def top(self, kind: type[Any]) -> Any:
        if not self._stack or type(self._stack[-1]) is not kind:
            refuse(f"something is added to what is no {kind.__name__}")
        return self._stack[-1]

    def put(self, index: int) -> None:
        self._memo[index] = self._stack[-1] if self._stack else refuse("nothing to remember")

    def memoize(self) -> None:
        self.put(len(self._memo))

    def get(self, index: int) -> None:
        if index not in self._memo or self._memo[index] is _MARK:
            refuse(f"value {index} is used before it is there")
        self.push(self._memo[index])

    # Containers.

    def tuple_of(self, count: int) -> None:
        self.push(tuple(self.pop() for _ in range(count))[::-1])

    def append(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        items = self.top(dict)
        if len(values) % 2:
            refuse("a key without a value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            items[word(key)] = value

    def new_dict(self) -> None:
        values = self.marked()
        self.push({})
        self.set_items(values)

    # What stands for a name and a call.

    def name(self, module: str, name: str) -> None:
        if f"{module}.{name}" not in NAMES:
            refuse(f"it asks for {module[:60]}.{name[:60]}, and only plain values are read")
        self.push(NAMES[f"{module}.{name}"])

    def stack_name(self) -> None:
        name, module = word(self.pop()), word(self.pop())
        self.name(module, name)

    def reduce(self) -> None:
        arguments, name = self.pop(), self.pop()
        self.push(made(name, arguments, self._spend))

    def build(self) -> None:
        state = self.pop()
        fill(self._stack[-1] if self._stack else None, state, self._spend)

    def _spend(self, count: int) -> None:
        # Strings that are remembered can be used again and again: without this, a small file could
        # fill the memory. Whoever writes arrays writes the bytes of each.
        self._spent += count
        if self._spent > len(self._content):
            refuse("it makes more than it holds")


_Step = Callable[[_Machine], None]


def _pushes(value: Callable[[_Machine], object]) -> _Step:
    return lambda machine: machine.push(value(machine))


_STEPS: Mapping[bytes, _Step] = MappingProxyType(
    {
        b"\x80": lambda m: None if m.number("B") <= _NEWEST else refuse("a newer protocol than 4"),
        b"\x95": lambda m: m.number("Q") and None,  # how much follows: a hint for buffers
        # Values.
        b"N": _pushes(lambda _: None),
        b"\x88": _pushes(lambda _: True),
        b"\x89": _pushes(lambda _: False),
        b"J": _pushes(lambda m: m.number("i")),
        b"K": _pushes(lambda m: m.number("B")),
        b"M": _pushes(lambda m: m.number("H")),
        b"G": _pushes(lambda m: struct.unpack(">d", m.take(8))[0]),
        b"F": _pushes(lambda m: attempt(lambda: float(m.line()))),
        b"I": _pushes(lambda m: _BOOLS[line] if (line := m.line()) in _BOOLS else whole(line)),
        b"L": _pushes(lambda m: whole(m.line())),
        b"\x8a": _pushes(lambda m: int.from_bytes(m.sized("B"), "little", signed=True)),
        b"S": _pushes(lambda m: quoted(m.line())),
        b"T": _pushes(lambda m: m.sized("i")),
        b"U": _pushes(lambda m: m.sized("B")),
        b"B": _pushes(lambda m: m.sized("I")),
        b"C": _pushes(lambda m: m.sized("B")),
        b"\x8e": _pushes(lambda m: m.sized("Q")),
        b"V": _pushes(lambda m: text(m.line(), "raw-unicode-escape")),
        b"X": _pushes(lambda m: text(m.sized("I"), "utf-8")),
        b"\x8c": _pushes(lambda m: text(m.sized("B"), "utf-8")),
        b"\x8d": _pushes(lambda m: text(m.sized("Q"), "utf-8")),
        # Containers.
        b"(": lambda m: m.push(_MARK),
        b")": lambda m: m.push(()),
        b"]": lambda m: m.push([]),
        b"}": lambda m: m.push({}),
        b"t": lambda m: m.push(tuple(m.marked())),
        b"\x85": lambda m: m.tuple_of(1),
        b"\x86": lambda m: m.tuple_of(2),
        b"\x87": lambda m: m.tuple_of(3),
        b"l": lambda m: m.push(m.marked()),
        b"d": lambda m: m.new_dict(),
        b"a": lambda m: m.append([m.pop()]),
        b"e": lambda m: m.append(m.marked()),
        b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]),
        b"u": lambda m: m.set_items(m.marked()),
        # What is used again.
        b"p": lambda m: m.put(whole(m.line())),
        b"q": lambda m: m.put(m.number("B")),
        b"r": lambda m: m.put(m.number("I")),
        b"\x94": lambda m: m.memoize(),
        b"g": lambda m: m.get(whole(m.line())),
        b"h": lambda m: m.get(m.number("B")),
        b"j": lambda m: m.get(m.number("I")),
        # Names, and what stands for a call.
        b"c": lambda m: m.name(word(m.line()), word(m.line())),
        b"\x93": lambda m: m.stack_name(),
        b"R": lambda m: m.reduce(),
        b"b": lambda m: m.build(),
    }
)
