"""The line of the application that checked a connection out."""

from __future__ import annotations

import os
import sys
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from mooring.core.pool import place_of

BUCKETS = 256
"""Of quarter octaves of nanoseconds (core/histogram.py): more than any time can be."""
MOST_SITES = 1000
"""Of one tracker; what comes from further ones is counted together."""
MOST_STACKS = 1000
"""Ways to a checkout that are kept of one tracker."""
DEEPEST = 8
"""Lines of such a way."""
MOST_CODES = 10_000
"""Code objects of which is known whether they are the application's: programs may make them without end."""
FRAMEWORKS = frozenset(
    {
        "_pytest",
        "aiomysql",
        "anyio",
        "asgiref",
        "asyncpg",
        "asyncio",
        "beanie",
        "billiard",
        "celery",
        "click",
        "django",
        "django_redis",
        "eventlet",
        "fastapi",
        "flask",
        "flask_sqlalchemy",
        "gevent",
        "greenlet",
        "gunicorn",
        "kombu",
        "mongoengine",
        "mooring",
        "motor",
        "opentelemetry",
        "pluggy",
        "psycopg",
        "psycopg_pool",
        "pymongo",
        "pymysql",
        "redis",
        "rest_framework",
        "sentry_sdk",
        "sqlalchemy",
        "sqlmodel",
        "starlette",
        "uvicorn",
        "werkzeug",
    }
)
"""Packages whose lines tell nobody anything: they stand between the application and the driver."""
LOOPS = frozenset({"asyncio.base_events", "asyncio.events", "asyncio.runners", "uvloop"})
"""Modules that run tasks: who runs the loop, beyond them, has not asked for what a task asks for."""


class Site:
    """One line that checks connections out, and how long its leases were held.

    Counts are exact under CPython's lock: a list's element is added to without the interpreter switching
    threads in between, for it switches at calls and backward jumps only.
    """

    __slots__ = ("_line", "code", "in_application", "lasti", "used")

    def __init__(self, code: CodeType | None, lasti: int, *, in_application: bool) -> None:
        self.code = code
        """Kept, so that no other code object takes its address; it holds no variables alive."""
        self.lasti = lasti
        self._line: int | None = None
        self.in_application = in_application
        """False for a driver's own line: no line of the application's was seen to call it."""
        self.used = [0] * BUCKETS
        """Leases that were returned, by the bucket of how long they were held (core/histogram.py)."""

    @property
    def file(self) -> str:
        """The file, as the interpreter names it; empty where the site is that of all the rest."""
        return self.code.co_filename if self.code else ""

    @property
    def line(self) -> int:
        """The line in that file."""
        if self._line is None:
            self._line = _line_of(self.code, self.lasti) if self.code else 0
        return self._line

    @property
    def function(self) -> str:
        """The function's qualified name."""
        return self.code.co_qualname if self.code else ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"

    @property
    def place(self) -> str:
        """`file:line`, with what a reader does not need of the path left out."""
        return place_of(self.file, self.line)


Stack = tuple[Site, ...]
"""The application's lines that led to a checkout, innermost first. Equal ones are one object."""


class Sites:
    """Finds the site of a checkout by one look-up of a whole number.

    The number is the address of the code object plus the offset in it: since Python 3.11 the
    instructions stand inside the code object, so no two living ones give the same.
    """

    def __init__(self) -> None:
        self.known: dict[int, Site] = {}
        self.rest = Site(None, 0, in_application=True)
        self._ours: dict[int, tuple[CodeType, bool, bool]] = {}
        self._stacks: dict[tuple[int, ...], Stack] = {}

    def all(self) -> list[Site]:
        """Return every site that is known, and the one of all the rest."""
        return [*self.known.values(), self.rest]

    def forget_counts(self) -> None:
        """Count from zero."""
        self.known.clear()  # hooks look into it themselves
        self.rest = Site(None, 0, in_application=True)
        self._stacks = {}

    def add(self, frame: FrameType) -> Site:
        """Return the site of a frame that is not known yet."""
        if len(self.known) >= MOST_SITES:
            return self.rest
        code, lasti = frame.f_code, frame.f_lasti
        seen = self._ours.get(id(code))
        site = Site(code, lasti, in_application=seen is None or seen[1])
        return self.known.setdefault(id(code) + lasti, site)

    def is_application(self, frame: FrameType) -> bool:
        """Whether a frame is the application's, not one of the standard library, a driver or a framework."""
        return self._known_of(frame)[1]

    def is_application_code(self, code: CodeType, module: object) -> bool:
        """Whether code is the application's, likewise; `module` is the name of its module."""
        return (self._ours.get(id(code)) or self._learn(code, module))[1]

    def application(self, frame: FrameType | None) -> FrameType | None:
        """Return the innermost frame that is the application's; the given one where none is."""
        at, greenlet, ours = frame, None, self._ours
        while at is not None:
            try:
                _, is_application, is_loop = ours[id(at.f_code)]  # on the path of a checkout: no call
            except KeyError:
                _, is_application, is_loop = self._known_of(at)
            if is_application:
                return at
            if is_loop:
                break
            back = at.f_back
            if back is None and (greenlet := _waiting_for(greenlet)) is not None:
                back = greenlet.gr_frame
            at = back
        return frame

    def stack(self, frame: FrameType) -> Stack:
        """Return the application's lines that lead to its frame; none where too many ways are known.

        What stands for the frame of a caller that has gone on meanwhile has them itself.
        """
        noted: Stack | None = getattr(frame, "stack", None)
        if noted is not None:
            return noted
        frames: list[FrameType] = []
        at: FrameType | None = frame
        while at is not None and len(frames) < DEEPEST:
            known = self._known_of(at)
            if known[1]:
                frames.append(at)
            at = None if known[2] else at.f_back
        key = tuple([id(each.f_code) + each.f_lasti for each in frames])
        stack = self._stacks.get(key)
        if stack is None and len(self._stacks) < MOST_STACKS:
            stack = tuple([Site(each.f_code, each.f_lasti, in_application=True) for each in frames])
            self._stacks[key] = stack
        return stack or ()

    def _known_of(self, frame: FrameType) -> tuple[CodeType, bool, bool]:
        """Return a frame's code, whether it is the application's, and whether it runs an event loop."""
        code = frame.f_code
        return self._ours.get(id(code)) or self._learn(code, frame.f_globals.get("__name__"))

    def _learn(self, code: CodeType, module: object) -> tuple[CodeType, bool, bool]:
        if len(self._ours) >= MOST_CODES:
            self._ours.clear()
        known = self._ours[id(code)] = code, _is_application(code, module), module in LOOPS
        return known


def _line_of(code: CodeType, lasti: int) -> int:
    line = next(islice(code.co_positions(), lasti // 2, None), (None,))[0]
    return line or code.co_firstlineno


def _is_application(code: CodeType, module: object) -> bool:
    package = str(module or "").partition(".")[0]
    if package in FRAMEWORKS:
        return False
    file = code.co_filename
    if package in sys.stdlib_module_names and not os.path.isabs(file):  # noqa: PTH117 -- pathlib costs 3 ms
        return False  # of a frozen program
    in_library = file.startswith(_STANDARD) and not any(part in file for part in _INSTALLED)
    return not in_library and not file.startswith("<frozen ")


def _waiting_for(greenlet: Any) -> Any:
    """Return the greenlet that waits for this one, or for the one that runs; None where there is none.

    SQLAlchemy's asyncio side runs its pool in a greenlet, where the frames of the application end.
    """
    module: Any = sys.modules.get("greenlet")
    if module is None:
        return None
    return (greenlet or module.getcurrent()).parent


_STANDARD = os.__file__.removesuffix("os.py")
_INSTALLED = ("site-packages", "dist-packages")
