"""How large and how plain the source is kept, checked on the syntax tree.

Each budget is a function from a module to its violations; the second half of this file shows
that each can fail.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.source_tree import Module, functions, read_package

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60  # from `def` on, its docstring not counted: documentation is no bloat
MAX_PARAMETERS = 7  # self and cls not counted

BROAD = frozenset({"Exception", "BaseException"})
PRINTERS = ("deepmoji.inference.render", "deepmoji.cli")  # what a person sees is made there

PACKAGE = read_package()


def long_file(module: Module) -> Iterator[str]:
    """A file of too many lines."""
    lines = len(module.source.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{module.name}: {lines} lines, at most {MAX_FILE_LINES}"


def long_function(module: Module) -> Iterator[str]:
    """Functions of too many lines; of a command (see `many_parameters`) only the body counts."""
    for function in functions(module.tree):
        first = function.body[0].lineno if _is_command(module, function) else function.lineno
        lines = function.end_lineno - first + 1
        if ast.get_docstring(function) is not None:
            docstring = function.body[0]
            lines -= docstring.end_lineno - docstring.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield f"{module.name}.{function.name}: {lines} lines, at most {MAX_FUNCTION_LINES}"


def many_parameters(module: Module) -> Iterator[str]:
    """Functions of too many parameters.

    The functions that typer calls are let off: each of their parameters is an option that a user
    can give, documented and checked one by one.
    """
    for function in functions(module.tree):
        if _is_command(module, function):
            continue
        count = len(_parameters(function))
        if count > MAX_PARAMETERS:
            yield f"{module.name}.{function.name}: {count} parameters, at most {MAX_PARAMETERS}"


def broad_except(module: Module) -> Iterator[str]:
    """Handlers that catch everything: they hide the errors that nobody thought of."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {ast.unparse(each) if each else "" for each in caught}
            if "" in names or names & BROAD:
                yield f"{module.name}, line {node.lineno}: broad except"


def printing(module: Module) -> Iterator[str]:
    """Calls of `print` outside rendering."""
    if module.name in PRINTERS or module.name.startswith("deepmoji.cli."):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield f"{module.name}, line {node.lineno}: print"


def missing_annotation(module: Module) -> Iterator[str]:
    """Parameters and results without a type."""
    for function in functions(module.tree):
        bare = [each.arg for each in _parameters(function) if each.annotation is None]
        if function.returns is None:
            bare.append("the result")
        for name in bare:
            yield f"{module.name}.{function.name}: {name} has no annotation"


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = function.args
    everything = [
        *arguments.posonlyargs,
        *arguments.args,
        arguments.vararg,
        *arguments.kwonlyargs,
        arguments.kwarg,
    ]
    return [each for each in everything if each and each.arg not in {"self", "cls"}]


def _is_command(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether typer calls this function: it is in cli/, decorated with `….command(…)`."""
    if module.room != "cli":
        return False
    called = [each.func for each in function.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(f, ast.Attribute) and f.attr in {"command", "callback"} for f in called)


BUDGETS = [long_file, long_function, many_parameters, broad_except, printing, missing_annotation]


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.__name__)
def test_package_keeps_budget(budget):
    assert [found for module in PACKAGE.values() for found in budget(module)] == []


# Each budget can be broken.

PLACE = "deepmoji.training.loop"
EIGHT = "a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int"
BAD = [
    (long_file, PLACE, "x = 1\n" * 301),
    (long_function, PLACE, "def f() -> None:\n" + "    x = 1\n" * 60),
    (long_function, PLACE, "class A:\n  def f(self) -> None:\n" + "    x = 1\n" * 60),
    (long_function, "deepmoji.cli.predict", "@app.command()\ndef f():\n" + "    x = 1\n" * 61),
    (many_parameters, PLACE, f"def f({EIGHT}) -> None: ..."),
    (many_parameters, PLACE, f"@app.command()\ndef f({EIGHT}) -> None: ..."),
    (many_parameters, "deepmoji.cli.predict", f"def f({EIGHT}) -> None: ..."),
    (many_parameters, PLACE, "def f(a, b, c, *rest, d, e, f, **more): ..."),
    (broad_except, PLACE, "try: pass\nexcept: pass"),
    (broad_except, PLACE, "try: pass\nexcept Exception: raise"),
    (broad_except, PLACE, "try: pass\nexcept (ValueError, BaseException): pass"),
    (printing, PLACE, "def f() -> None:\n    print('x')"),
    (missing_annotation, PLACE, "def f(a) -> None: ..."),
    (missing_annotation, PLACE, "def f(*, a: int = 1): ..."),
    (missing_annotation, PLACE, "def f(**more) -> None: ..."),
]
GOOD = [
    (long_file, PLACE, "x = 1\n" * 300),
    (long_function, PLACE, "def f() -> None:\n    '''A\n" + "\n" * 90 + "'''\n    x = 1\n"),
    (long_function, "deepmoji.cli.predict", "@app.command()\ndef f(" + "\n" * 60 + "): ..."),
    (many_parameters, "deepmoji.cli.predict", f"@app.command()\ndef f({EIGHT}) -> None: ..."),
    (many_parameters, PLACE, "class A:\n    def f(self, a, b, c, d, e, f, g): ..."),
    (broad_except, PLACE, "try: pass\nexcept (ValueError, OSError): pass"),
    (printing, "deepmoji.cli.predict", "print('x')"),
    (printing, "deepmoji.inference.render", "print('x')"),
    (missing_annotation, PLACE, "class A:\n    def f(self, a: int) -> None: ..."),
]


@pytest.mark.parametrize(("budget", "name", "source"), BAD)
def test_budget_finds_a_breach(budget, name, source):
    assert list(budget(Module(name, source)))


@pytest.mark.parametrize(("budget", "name", "source"), GOOD)
def test_budget_lets_pass(budget, name, source):
    assert list(budget(Module(name, source))) == []
