"""Results as people read them, without colour and with it."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from mooring.cli.rows import Rows
from mooring.cli.terminal import Palette, Progress, columns, pad, safe, table
from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def result(
    name: str, kind: str, address: str, *, failure: Failure | None = None, warnings: tuple[str, ...] = ()
) -> CheckResult:
    """Return a result of a check that began at a fixed time."""
    seconds = {"dns": 0.0004, "tcp": 0.0011, "auth": 0.0092}
    stages = [StageResult(Stage(stage), StageStatus.PASSED, took) for stage, took in seconds.items()]
    stages += [
        StageResult(Stage.PERMISSION, StageStatus.PASSED),
        StageResult(Stage.FUNCTION, StageStatus.SKIPPED),
    ]
    status = failure.reason.status if failure else Status.DEGRADED if warnings else Status.UP
    return CheckResult(
        TargetRef(None, name, kind, address),
        status,
        failure,
        stages,
        Observation({"role": "master"}, {"clients_used": 3}, warnings),
        datetime(2026, 1, 2, tzinfo=UTC),
        0.0123,
    )


ORDERS = result("orders", "postgresql", "db.example:5432/orders")
CACHE = result(
    "cache",
    "redis",
    "10.0.0.7:6379",
    failure=Failure(
        Reason.AUTH,
        Stage.AUTH,
        "WRONGPASS",
        "WRONGPASS invalid username-password pair",
        "set another password",
    ),
)
SLOW = result("slow", "tcp", "h:1", warnings=("slow: 2.000 s, degraded above 1 s",))
BROKEN = result(
    "broken", "mysql", "h:3306", failure=Failure(Reason.DRIVER, None, "DRIVER_MISSING", "no driver")
)


def shown(*results: CheckResult, verbose: bool = False, stream: io.StringIO | None = None) -> str:
    """Return the rows of results."""
    palette = Palette(stream or io.StringIO(), {})
    rows = Rows([each.target for each in results], palette, verbose=verbose)
    return "\n".join(line for each in results for line in rows.lines(each))


def test_rows_line_up_and_name_what_failed() -> None:
    """Every column is as wide as its widest cell; a failure has its stage, message and hint."""
    assert shown(ORDERS, CACHE, SLOW, BROKEN) == (
        "✓ orders  postgresql  db.example:5432/orders  up    dns 0.4 ms · tcp 1.1 · auth 9.2 · permission\n"
        "✗ cache   redis       10.0.0.7:6379           down  auth: WRONGPASS invalid username-password pair\n"
        "                                                    → set another password\n"
        "! slow    tcp         h:1                     degraded  dns 0.4 ms · tcp 1.1 · auth 9.2 · "
        "permission\n"
        "                                                        ! slow: 2.000 s, degraded above 1 s\n"
        "? broken  mysql       h:3306                  unknown  no driver"
    )


def test_a_fix_stands_on_a_line_of_its_own() -> None:
    """What can be pasted follows the hint, with nothing else on its line and in no dim colour."""
    failure = Failure(
        Reason.PERMISSION, Stage.PERMISSION, "42501", "denied", "Grant it.", "GRANT SELECT ON a;"
    )
    lines = shown(result("db", "postgresql", "h:1", failure=failure), stream=Terminal()).splitlines()
    assert [line.strip() for line in lines[1:]] == ["\x1b[2m→ Grant it.\x1b[0m", "GRANT SELECT ON a;"]


def test_verbose_rows_tell_what_was_seen() -> None:
    """With -v come reason and code, the times of a check that failed, details and numbers."""
    assert shown(CACHE, verbose=True).splitlines()[2:] == [
        " " * 37 + line
        for line in (
            "reason auth, code WRONGPASS",
            "dns 0.4 ms · tcp 1.1 · auth 9.2 · permission",
            "role: master",
            "clients_used: 3",
            "took 12.3 ms",
        )
    ]


def test_measured_numbers_are_short() -> None:
    """A number is told as far as it means something; a count, and a large number, in full."""
    seen = Observation({}, {"echo_seconds": 0.0457421410, "days_left": 699.99547, "bytes": 1234567.0})
    measured = CACHE._replace(observation=seen)
    assert shown(measured, verbose=True).splitlines()[4:7] == [
        " " * 37 + line for line in ("echo_seconds: 0.04574", "days_left: 700", "bytes: 1234567.0")
    ]


def test_colour_is_for_terminals_that_want_it() -> None:
    """Only a terminal gets colour, and not one for which NO_COLOR is set or that is dumb."""
    assert "\033[32m✓\033[0m" in shown(ORDERS, stream=Terminal())
    assert not Palette(Terminal(), {"NO_COLOR": "1"}).on
    assert not Palette(Terminal(), {"TERM": "dumb"}).on
    assert not Palette(io.StringIO(), {}).on
    assert Palette(Terminal(), {"NO_COLOR": ""}).on


def test_what_a_server_says_cannot_act_on_the_terminal() -> None:
    """Escape sequences, line breaks and bidirectional marks are made harmless."""
    hostile = Failure(Reason.PROTOCOL, Stage.PROTOCOL, "X", "a\x1b[2Jb\nc\u202ed", None)
    line = shown(result("n\x1b]0;x", "tcp", "h:1", failure=hostile), stream=Terminal())
    assert "\x1b[2J" not in line
    assert "\x1b]0" not in line
    assert "a\ufffd[2Jb c\ufffdd" in line


def test_wide_characters_take_two_columns() -> None:
    """Names in other scripts keep the columns straight."""
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert pad("日本", 5) == "日本 "
    assert table([["日本", "x"], ["a", "y"]]) == ["日本  x", "a     y"]
    assert safe("  a \t b ") == "a b"


def test_progress_is_for_terminals() -> None:
    """The progress line is written over and taken away on a terminal, and never reaches a file."""
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = Progress(stream)
        progress.show("1 of 2")
        progress.clear()
        progress.clear()
    assert terminal.getvalue() == "\r\033[K1 of 2\r\033[K"
    assert file.getvalue() == ""
