"""SCRAM (RFC 5802): the server says how often the password is hashed, and drivers do so in the event loop."""

from __future__ import annotations

import re

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason

MOST_ROUNDS = 1_000_000
"""Half a second of hashing, during which no other check goes on.

PostgreSQL's scram_iterations is 4096 unless it is set, and takes up to 2147483647; MongoDB's
scramSHA256IterationCount is 15000.
"""
MOST_SAID = 2000
"""Bytes of a request to log in: libpq, PostgreSQL's own client, takes no longer one."""
# Every attribute once, since drivers differ in which of several they take; and in one way only, since
# what drivers search for themselves takes them for ever in a text made for it.
_FIRST = re.compile(rb"r=[^,]+,s=[^,]+,i=([1-9][0-9]*)(?:,[^rsi,]=[^,]*)*")


def rounds_in(said: object) -> int:
    """Return how often a server's first message has the password hashed. Raises CheckError(protocol)."""
    found = _FIRST.fullmatch(said) if isinstance(said, bytes) and len(said) <= MOST_SAID else None
    if found is None:
        text = Prose("what the server says of its login by SCRAM makes no sense")
        raise CheckError(Reason.PROTOCOL, text, code="UNREADABLE")
    return int(found[1])


def demand_bearable(rounds: int, hint: Prose) -> None:
    """Raise CheckError(protocol) where so much hashing would hold up every other check."""
    if rounds > MOST_ROUNDS:
        raise CheckError(
            Reason.PROTOCOL,
            Prose(
                "the server wants the password hashed {rounds} times, of which Mooring does {most} at most",
                rounds=rounds,
                most=MOST_ROUNDS,
            ),
            code="SCRAM_ITERATIONS",
            hint=hint,
        )
