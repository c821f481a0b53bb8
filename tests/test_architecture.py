"""The house rules that no linter knows. Each failure says where and what to do."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import grimp
import pytest

from tests.sources import (
    FUNCTIONS,
    ROOT,
    SRC,
    Finding,
    at,
    check,
    dotted,
    imported,
    modules_below,
    run_python,
    tracked,
)

LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
DEEPEST = 3
ALLOWED_LONGER: dict[str, str] = {}
"""Module -> why it may have up to 400 lines. Empty is best."""
CATCH_ALLS = frozenset({"base", "common", "helper", "helpers", "misc", "stuff", "util", "utils"})
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match)
"""What makes code hard to follow. `with` is left out: a scope is no decision."""


def test_modules_are_short() -> None:
    """No module has more than 300 lines, or 400 where the list above says why."""

    def rule(path: Path, _: ast.Module) -> Iterator[Finding]:
        lines = path.read_text().count("\n")
        most = 400 if str(path.relative_to(ROOT)) in ALLOWED_LONGER else LONGEST_MODULE
        if lines > most:
            yield f"{at(path, lines)}: {lines} lines; split it by noun, at most {most} are allowed"

    check(rule, SRC)


def test_functions_are_short() -> None:
    """No function has more than 50 lines."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{at(path, node)}: {node.name}() has {lines} lines; give its steps names"

    check(rule, SRC)


def test_nesting_is_shallow() -> None:
    """No function nests more than three decisions; `elif` counts as its `if`."""

    def depth(node: ast.AST, above: int) -> Iterator[tuple[ast.AST, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
                continue
            is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
            here = above + (isinstance(child, BRANCHES) and not is_elif)
            yield child, here
            yield from depth(child, here)

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for function in (n for n in ast.walk(tree) if isinstance(n, FUNCTIONS)):
            deepest = max(depth(function, 0), key=lambda pair: pair[1], default=(function, 0))
            if deepest[1] > DEEPEST:
                where = at(path, deepest[0])
                yield f"{where}: {function.name}() nests {deepest[1]} deep; return early or split"

    check(rule, SRC)


def test_files_are_named_by_a_noun() -> None:
    """No file is a catch-all; `_base.py` is for the folder of kinds only."""
    found = [
        f"{at(path, 1)}: a catch-all name; call it after what it holds"
        for path in tracked(".py")
        if path.stem.strip("_") in CATCH_ALLS and path != SRC / "probes" / "_base.py"
    ]
    assert not found, "\n" + "\n".join(found)


def test_wait_for_is_not_used() -> None:
    """asyncio.wait_for swallows cancellation on Python 3.11, so asyncio.timeout is used everywhere."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for node in ast.walk(tree):
            if isinstance(node, (ast.Attribute, ast.Name)) and dotted(node) in (
                "wait_for",
                "asyncio.wait_for",
            ):
                yield f"{at(path, node)}: wait_for; use `async with asyncio.timeout(...)`"

    check(rule, SRC, ROOT / "benchmarks", ROOT / "tests")


def test_cancellation_is_never_caught() -> None:
    """No code catches BaseException or everything: clean-up belongs in `finally` or an ExitStack."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                names = {dotted(n) for n in ast.walk(node.type)} if node.type else {"BaseException"}
                if "BaseException" in names:
                    yield f"{at(path, node)}: catches BaseException; catch Exception, clean up in finally"
            elif (
                isinstance(node, ast.Call)
                and dotted(node.func).endswith("suppress")
                and any(dotted(a) == "BaseException" for a in node.args)
            ):
                yield f"{at(path, node)}: suppresses BaseException; name what may happen"

    check(rule, SRC, ROOT / "benchmarks")


STATEFUL = re.compile(
    r"(^|\.)(Lock|RLock|Event|Condition|Semaphore|BoundedSemaphore|Queue|deque|defaultdict|Counter"
    r"|OrderedDict|WeakKeyDictionary|WeakValueDictionary|WeakSet|local|ThreadPoolExecutor|App|Store|Network)$"
)
CHANGING = frozenset(
    {
        "add",
        "append",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    }
)
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def module_values(tree: ast.Module) -> Iterator[tuple[ast.stmt, str, ast.expr]]:
    """Yield what a module assigns at its top: the statement, the name, the value."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((node, t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node, node.target.id, node.value


def changes(tree: ast.Module, names: set[str]) -> Iterator[tuple[ast.AST, str]]:
    """Yield where something changes one of these names in place."""
    for node in ast.walk(tree):
        changed: ast.AST | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            changed = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            changed = node.value
        if isinstance(changed, ast.Name) and changed.id in names:
            yield node, changed.id


def test_modules_hold_no_state() -> None:
    """Modules hold constants and loggers only: what changes belongs to an object that is passed."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        constants = set()
        for node, name, value in module_values(tree):
            if isinstance(value, CONTAINERS):
                constants.add(name)
                if not name.isupper() and not name.startswith("__") and "migrations" not in path.parts:
                    yield f"{at(path, node)}: {name} can change; pass it, or make it a CONSTANT"
            elif isinstance(value, ast.Call) and STATEFUL.search(dotted(value.func)):
                yield f"{at(path, node)}: {name} is module-level state; let an object own it and pass it"
        for changed, name in changes(tree, constants):
            yield f"{at(path, changed)}: changes the constant {name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                yield f"{at(path, node)}: global {', '.join(node.names)}; let an object own it and pass it"

    check(rule, SRC)


def text_findings(pattern: re.Pattern[str], what: str) -> list[Finding]:
    """Return where a pattern stands in any text file of the project."""
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{at(path, number)}: {match[0]!r}; {what}")
    return found


def test_nothing_is_left_over() -> None:
    """No mark of unfinished work stands in any file: it is done, or an issue."""
    marks = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
    found = text_findings(marks, "finish it, or open an issue and take the mark out")
    assert not found, "\n" + "\n".join(found)


def test_no_file_names_a_machine_or_a_registry() -> None:
    """No file holds a path of one machine or a package registry's host: indexes are configured by users."""
    paths = r"(?<![\w.])/(?:work|home|root|Users)/[\w.]+"
    hosts = "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("proxy", "golang", "org"),
            ("crates", "io"),
        )
    )
    found = text_findings(re.compile(f"{paths}|{hosts}"), "write something that is true on every machine")
    assert not found, "\n" + "\n".join(found)


IO_MODULES = frozenset(
    {
        "fileinput",
        "ftplib",
        "glob",
        "http",
        "io",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "requests",
        "select",
        "selectors",
        "shutil",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
    }
)


@pytest.mark.parametrize("package", ["core", "pools"])
def test_the_lowest_floor_needs_the_standard_library_only(package: str) -> None:
    """Core and pools import the standard library and core only; adapters a driver, inside functions."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for node, name in imported(tree):
            root = name.partition(".")[0]
            ours = name.startswith(("mooring.core", f"mooring.{package}"))
            is_late = package == "pools" and node not in tree.body and root != "mooring"
            if root not in sys.stdlib_module_names and not ours and root != "__future__" and not is_late:
                yield f"{at(path, node)}: imports {name}; only the standard library and core are allowed here"

    check(rule, SRC / package)


def test_core_does_no_input_or_output() -> None:
    """Core opens, reads and writes nothing, and only core/clock.py asks what time it is."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for node, name in imported(tree):
            if name.partition(".")[0] in IO_MODULES:
                yield f"{at(path, node)}: imports {name}; what does I/O belongs on a higher floor"
            elif name == "time" and path.name != "clock.py":
                yield f"{at(path, node)}: imports time; let the caller pass the time in"
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            if dotted(call.func) in ("datetime.now", "datetime.utcnow", "open") and path.name != "clock.py":
                yield f"{at(path, call)}: {dotted(call.func)}(); let the caller pass it in"

    check(rule, SRC / "core")


HEAVY = frozenset({"aiodns", "fastapi", "pydantic", "pydantic_core", "rich", "sqlalchemy", "typer", "uvloop"})


def test_importing_the_core_is_light() -> None:
    """`import mooring` and all of core load neither Pydantic nor any other package."""
    names = ["mooring", *modules_below("mooring.core")]
    heavy = run_python(
        f"import sys, {', '.join(names)}\n"
        f"print(*sorted({{m.partition('.')[0] for m in sys.modules}} & set({sorted(HEAVY)!r})))"
    )
    assert heavy == "", f"import mooring loads {heavy}; import it inside the function that needs it"


DRIVERS = frozenset(
    {
        "aiomysql",
        "asyncpg",
        "dns",
        "psutil",
        "psycopg",
        "pymysql",
        "redis",
        "sqlalchemy",
        "websockets",
        "fastapi",
        "yaml",
        "cryptography",
    }
)


def test_kinds_load_their_driver_only_when_they_check() -> None:
    """Listing all kinds loads no driver, so that a missing one costs only its own kind."""
    loaded = run_python(
        "import sys\nfrom mooring.probes._registry import Kinds\nlist(Kinds().all())\n"
        f"print(*sorted({{m.partition('.')[0] for m in sys.modules}} & set({sorted(DRIVERS)!r})))"
    )
    assert loaded == "", f"importing the kinds loads {loaded}; import drivers inside the methods"


ENTRANCES = re.compile(
    r"^mooring(\.(__main__|app|once|testing|cli\.main|contrib\.[a-z]\w*|pools\.opentelemetry|probes\.[a-z]\w*|store\.migrations(\..*)?))?$"
)
"""What people, pip's scripts, the registry of kinds and Alembic ask for by name."""
EARLY: dict[str, str] = {}
"""Modules that nobody needs yet, and why they are there. Empty is best."""


def test_every_module_is_used() -> None:
    """Each module is imported or named by another one, or is an entrance."""
    graph = grimp.build_graph("mooring", cache_dir=None)
    text = "\n".join(path.read_text() for path in tracked(".py") if path.is_relative_to(SRC))
    unused = [
        module
        for module in sorted(graph.modules)
        if not ENTRANCES.match(module)
        and module not in EARLY
        and not graph.find_modules_that_directly_import(module)
        and not graph.find_children(module)
        and f'"{module}"' not in text
    ]
    assert not unused, f"nobody imports {unused}; use them or take them out"


WORDED = {"CheckError": 1, "Cause": 2}
"""Where the message stands in what a kind raises or returns."""


def unworded(call: ast.Call) -> Iterator[str]:
    """Say how a call tells people something that the redactor would take for a stranger's words, or ours."""
    name = dotted(call.func).rpartition(".")[2]
    first = call.args[0] if call.args else None
    if name == "Prose":
        if not isinstance(first, ast.Constant):
            yield "Prose of what is no literal; write the sentence, and put the rest in by name"
        elif call.keywords:
            asked = {field for _, field, _, _ in Formatter().parse(str(first.value)) if field is not None}
            if asked != {each.arg for each in call.keywords}:
                yield f"the sentence asks for {sorted(asked)}"
    at_ = WORDED.get(name, 0 if name == "warn" else None)
    told = call.args[at_] if at_ is not None and len(call.args) > at_ else None
    if isinstance(told, ast.Constant) and isinstance(told.value, str):
        yield f"{told.value!r} is our own words; make it a Prose"


def test_what_we_say_is_told_apart_from_what_we_quote() -> None:
    """Our own sentences are literals in `Prose`, so that only what is put into them is redacted."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            yield from (f"{at(path, call)}: {what}" for what in unworded(call))

    check(rule, SRC / "probes", SRC / "net", SRC / "engine")


def collected(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield what pytest takes for tests: functions of the module, and of its classes."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (each for body in bodies for each in body):
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_"):
            yield node


def test_every_test_states_its_fact() -> None:
    """Each test has a docstring that is a sentence."""

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for test in collected(tree):
            if not (ast.get_docstring(test) or "").endswith("."):
                yield f"{at(path, test)}: {test.name}: say the fact it proves in one sentence"

    check(rule, ROOT / "tests")


def test_tests_do_not_sleep() -> None:
    """No test waits a fixed time: it steps a FakeClock or polls a condition."""

    def sleeps(node: ast.AST) -> Iterator[ast.Call]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (*FUNCTIONS, ast.Lambda, ast.While, ast.For, ast.AsyncFor)):
                continue
            if isinstance(child, ast.Call) and dotted(child.func) in ("asyncio.sleep", "time.sleep", "sleep"):
                yield child
            yield from sleeps(child)

    def rule(path: Path, tree: ast.Module) -> Iterator[Finding]:
        for test in collected(tree):
            for call in sleeps(test):
                if not (isinstance(call.args[0], ast.Constant) and call.args[0].value == 0):
                    yield f"{at(path, call)}: sleeps; poll the condition or step a FakeClock"

    check(rule, ROOT / "tests")
