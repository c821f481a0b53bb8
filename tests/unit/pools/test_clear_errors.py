"""What is given wrongly is refused with the name of the field and what would be right."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mooring.contrib import posthog, sentry
from mooring.pools import PoolTracker, Watch, opentelemetry
from mooring.pools.destination import Token, address_of
from mooring.pools.watch import watch_of_this_process
from mooring.testing import no_leaks

ADDRESS = "server: give an address such as https://mooring.example.com:9000, with its base path if it has one"


def tracker(**given: Any) -> PoolTracker:
    """Return one that nothing looks after."""
    return PoolTracker("shop", "orders", watch=Watch(threaded=False), **given)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: tracker(rules={"held": 3}),
            "rules: {'held': 3} is no Rules; give mooring.pools.Rules(held=30) or the like",
        ),
        (lambda: address_of(5), f"{ADDRESS}, as text; this is of the class int"),  # type: ignore[arg-type]
        (
            lambda: Token(b"s3cret"),  # type: ignore[arg-type]
            "token: give it as text, or the Path of its file; this is of the class bytes",
        ),
        (
            lambda: sentry.attach(None),  # type: ignore[arg-type]
            "trackers: None is none; give what mooring.instrument(pool) returns",
        ),
        (
            lambda: posthog.attach("x"),  # type: ignore[arg-type]
            "trackers: 'x' is none; give what mooring.instrument(pool) returns",
        ),
        (
            lambda: opentelemetry.export(trackers=["x"]),  # type: ignore[list-item]
            "trackers: 'x' is none; give what mooring.instrument(pool) returns",
        ),
        (
            lambda: no_leaks(trackers=["x"]),  # type: ignore[list-item]
            "trackers: 'x' is none; give what mooring.instrument(pool) returns",
        ),
        (
            lambda: tracker().on("leak", "text"),  # type: ignore[arg-type]
            "callback: 'text' cannot be called; give a function of one argument",
        ),
    ],
)
def test_what_is_of_a_wrong_class_is_refused(wrong: Callable[[], object], message: str) -> None:
    """A TypeError says it at once, and repeats nothing that may be a secret."""
    with pytest.raises(TypeError) as error:
        wrong()
    assert str(error.value) == message


def test_file_without_text_is_no_token(tmp_path: Path) -> None:
    """A file of bytes that are no text is told by its name, as any other that holds no token."""
    file = tmp_path / "token"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError) as error:
        Token(file).reveal()
    assert str(error.value) == (
        f"token: the file {file} is no token; it is one word, as the server printed it"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [("nonsense", True), ("true", False), ("OFF", False), ("", False)],
)
def test_nonsense_in_the_environment_is_told(
    value: str, told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What says neither yes nor no does not end the program, and is not passed over either."""
    monkeypatch.setenv("DB_CONNECTION_MONITORING", value)
    with caplog.at_level(logging.WARNING, logger="mooring"):
        vars(watch_of_this_process)["__wrapped__"]().close()
    message = (
        f"DB_CONNECTION_MONITORING: {value!r} means nothing, and pools are watched; "
        "give one of 0, false, no, off to have none watched"
    )
    assert caplog.messages == [message] * told


def test_tracker_is_shown_with_its_name() -> None:
    """In a log or a debugger a tracker is told from another."""
    assert repr(tracker()) == "<PoolTracker shop/orders>"
