"""Programs give what they like as the name of an operation: what cannot be told harms nothing else."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mooring.pools.scope import SCOPE, Scope
from tests.report_server import ReportServer
from tests.unit.pools.desk import Desk


class Mute:
    """What has no words: to ask it for some raises."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no words")

    __repr__ = __str__


class MuteError(Exception):
    """An error of the application's that cannot be shown."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no words")


STRANGE = [(7, "7"), (b"load", "b'load'"), (Path("/load"), "/load"), (Mute(), "Mute")]


@pytest.mark.parametrize(("given", "told"), STRANGE)
def test_names_that_are_no_text_are_told_as_text(
    desk: Desk, server: ReportServer, tmp_path: Path, given: Any, told: str
) -> None:
    """A leak tells them as text, and statistics, the export and the report hold them like others."""
    tracker = desk.tracker()

    def leaks() -> None:
        SCOPE.set(Scope(given))  # as the middleware does with what a framework gives
        tracker.track(given)
        tracker.record_error(ValueError("no row"), operation=given)

    thread = threading.Thread(target=leaks)
    thread.start()
    thread.join()
    for _ in range(2):
        desk.clock.step(1)
        desk.watch.look()
    assert [(leak.operation, leak.scope) for leak in tracker.leaks()] == [(told, told)]
    assert [error.operation for error in tracker.errors.kept] == [told]
    assert json.loads(json.dumps(tracker.stats()))["sites"][0]["scope"] == told
    tracker.export_json(tmp_path / "pool.json")
    desk.round()
    (report,) = server.reports
    (leak,) = report["pools"][0]["leaks"]
    assert (leak["operation"], leak["scope"]) == (told, told)
    assert tracker.faults == 0


def test_error_without_words_is_counted(desk: Desk) -> None:
    """An error of the application's that cannot be shown is one of its own, and no fault of ours."""
    tracker = desk.tracker()
    for _ in range(50):
        tracker.record_error(MuteError())
    assert [(error.name, error.message) for error in tracker.errors.kept] == [("MuteError", "MuteError")] * 50
    assert (tracker.errors.total, tracker.faults, tracker.active) == (50, 0, True)
