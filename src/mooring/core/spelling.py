"""What somebody may have meant who wrote a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_SHOWN = 60
"""Characters of what a stranger wrote that a message repeats."""
MOST_GUESSED = 2


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Return a question and a blank, to stand before what is known; empty where nothing is near."""
    from difflib import get_close_matches  # only who misspells waits for it

    near = get_close_matches(written[:LONGEST_SHOWN], list(known), n=MOST_GUESSED)
    return f"did you mean {' or '.join(near)}? " if near else ""
