"""Reading the project's own sources, for the tests that judge them."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "mooring"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Finding = str
Rule = Callable[[Path, ast.Module], Iterator[Finding]]


def tracked(*suffixes: str) -> list[Path]:
    """Return the project's own files: what git knows or would add, else what lies there."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        paths: Iterable[Path] = (ROOT / name for name in names if name)
    else:
        folders = ("src", "tests", "docs", "benchmarks", "scripts")
        below = (path for folder in folders for path in (ROOT / folder).rglob("*"))
        paths = (*ROOT.glob("*.*"), *below)
    return sorted(
        path
        for path in paths
        if path.is_file()
        and (not suffixes or path.suffix in suffixes)
        and not {"__pycache__", ".venv"} & set(path.parts)
    )


def at(path: Path, node: ast.AST | int) -> str:
    """Return a place as editors understand it."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return f"{path.relative_to(ROOT)}:{line}"


def parsed(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield every Python file below a folder with its tree."""
    for path in tracked(".py"):
        if path.is_relative_to(folder):
            yield path, ast.parse(path.read_text(), str(path))


def check(rule: Rule, *folders: Path) -> None:
    """Apply a rule to every Python file of some folders and show all findings at once."""
    found = [each for folder in folders for path, tree in parsed(folder) for each in rule(path, tree)]
    assert not found, "\n" + "\n".join(found)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` of a name or attribute, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def imported(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import of a module, inside functions too, as its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node, node.module


def run_python(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def modules_below(package: str) -> list[str]:
    """Return the dotted names of the modules of a package of ours."""
    folder = SRC.parent / package.replace(".", "/")
    return sorted(
        ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in folder.rglob("*.py")
    )
