"""The package read as syntax trees, for the tests that hold the house to its rules.

Nothing is imported: a rule about imports must not depend on what is installed.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "deepmoji"


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, whether it is a package's face, its lines and tree."""

    name: str
    source: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def room(self) -> str:
        """The first name below `deepmoji`: a folder, a module, or "" for `deepmoji` itself."""
        return room_of(self.name)


@dataclass(frozen=True)
class Import:
    """One imported module: its dotted name, its line, and whether importing the file runs it."""

    target: str
    line: int
    at_import: bool


def room_of(name: str) -> str:
    """The room that a dotted name of the package lies in; "" for `deepmoji` itself."""
    return name.removeprefix("deepmoji").lstrip(".").split(".")[0]


def read_package() -> dict[str, Module]:
    """All modules of the package by dotted name."""
    modules = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return modules


def is_own(name: str) -> bool:
    """Whether a dotted name belongs to this package."""
    return name.split(".")[0] == "deepmoji"


def is_third_party(name: str) -> bool:
    """Whether a dotted name belongs to neither the standard library nor this package."""
    return not is_own(name) and name.split(".")[0] not in sys.stdlib_module_names


def imports(module: Module, known: frozenset[str] = frozenset()) -> Iterator[Import]:
    """Every import statement of a module, relative ones resolved.

    `from deepmoji import text` names the module `deepmoji.text` if that is one of `known`, else
    an attribute of `deepmoji`. So does `import_module("x")` or `require("x", …)` with a literal.
    """
    for node, at_import in _walk(module.tree, at_import=True):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(alias.name, node.lineno, at_import)
            case ast.ImportFrom(names=names):
                base = _base(module, node)
                for alias in names:
                    full = f"{base}.{alias.name}"
                    yield Import(full if full in known else base, node.lineno, at_import)
            case ast.Call(
                func=ast.Name(id=function) | ast.Attribute(attr=function),
                args=[ast.Constant(value=str(target)), *_],
            ) if function in {"import_module", "require", "__import__"}:
                yield Import(target, node.lineno, at_import)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _base(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _walk(node: ast.AST, *, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs when its file is imported."""
    for child in ast.iter_child_nodes(node):
        runs = at_import and not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            runs = False
        yield child, runs
        yield from _walk(child, at_import=runs)
