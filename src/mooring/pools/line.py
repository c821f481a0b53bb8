"""What a reporter knows of one service: when it reports again, what is left to tell, what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from mooring.core.pool import PoolSnapshot
from mooring.core.report import Wish, WishKind
from mooring.pools.delivery import PATH, Answer
from mooring.pools.report import room
from mooring.pools.watched import Watched

SHORTEST, LONGEST = 1.0, 300.0
"""Seconds that may be between two reports."""
RARELY = 300.0
"""Seconds between two attempts where the server refuses the reports."""
MOST_LEAVING = 100
"""Last words of closed trackers that are kept until they are told."""
MOST_WISHES = 100
"""Wishes of one answer that are read."""
MOST_DONE = 1000
"""Wishes that are remembered: until they are told to be done, and lest they are carried out again."""
SOON = 2.0
"""Seconds between two reports, however much is found meanwhile."""
APART = 1.0
"""Seconds between two reports, however many trackers are closed."""
_LARGEST = 2**63


def bounded(interval: float) -> float:
    """Return the seconds between two reports, as near as they may be to what is wanted."""
    return min(LONGEST, max(SHORTEST, interval)) if interval == interval else LONGEST  # noqa: PLR0124 -- NaN


class Line:
    """One service of this process."""

    def __init__(self, service: str, known: Mapping[int, None] | None = None) -> None:
        self.service = service
        self.due = self.sent = float("-inf")
        """When to report next, and when it was last done; of a monotonic clock."""
        self.halvings = 0
        """How often a report was too large."""
        self.trouble: str | None = None
        """Why the server refuses the reports, as it was told."""
        self.over = False
        """Whether the last report was delivered."""
        self.leaving: dict[str, PoolSnapshot] = {}
        """What closed trackers had to say last, by name."""
        self.done: dict[int, None] = {}
        """Wishes that were carried out, and the server does not know it yet."""
        self.turn: set[str] = set()
        """The pools that were told already, where a report has no room for all of them."""
        self._announced = 0.0
        """The seconds to the next turn, as the server was told first in this one."""
        self._news: WeakKeyDictionary[Watched, int] = WeakKeyDictionary()
        self.known: dict[int, None] = dict(known or {})
        """The wishes that were carried out lately: answers may be repeated, clocks set back."""

    def hear(self, pools: Iterable[Watched], now: float, random: Callable[[], float]) -> None:
        """Report soon of what is newly found: within a second, at random, but not twice within two."""
        has_news = False
        for tracker in pools:
            has_news = has_news or tracker.news > self._news.get(tracker, 0)
            self._news[tracker] = tracker.news
        if has_news and self.trouble is None:
            self.due = min(self.due, max(now, self.sent + SOON) + random())

    def leave(self, snapshot: PoolSnapshot, now: float) -> None:
        """Keep the last words of a tracker, and tell them soon."""
        self.turn.discard(snapshot.name)
        self.leaving.pop(snapshot.name, None)
        self.leaving[snapshot.name] = snapshot
        if len(self.leaving) > MOST_LEAVING:
            del self.leaving[next(iter(self.leaving))]
        if self.trouble is None:
            self.due = min(self.due, max(now, self.sent + APART))

    def refused(self, answer: Answer, now: float, share: float) -> bool:
        """Report rarely from now on. Return whether it is refused for another reason than before."""
        self.turn.clear()
        before, self.trouble = self.trouble, refusal(answer, self.service)
        self.due = now + RARELY * (1 + share) / 2
        return self.trouble != before

    def part(self, pools: Iterable[str], interval: float) -> tuple[Sequence[str], bool]:
        """Return the pools that the next report tells of, and whether it leaves some for another one."""
        if not self.turn:
            self._announced = interval
        every = {**dict.fromkeys(self.leaving), **dict.fromkeys(pools)}
        left = [name for name in every if name not in self.turn]
        most = room(self.halvings)
        return left[:most], len(left) > most

    def goes_on(self, names: Iterable[str], now: float) -> None:
        """Report of the other pools at once."""
        self.turn.update(names)
        self.sent = self.due = now

    def is_told(self, interval: float, now: float) -> None:
        """Report again when the server expects it: a longer interval is told within the one that it knows."""
        self.turn.clear()
        self.trouble = None
        self.sent = now
        self.due = now + min(self._announced, interval)

    def knows(self, leaving: Mapping[str, PoolSnapshot], done: Iterable[int]) -> None:
        """Forget what the server knows now."""
        for name, snapshot in leaving.items():
            if self.leaving.get(name) is snapshot:
                del self.leaving[name]
        for each in done:
            self.done.pop(each, None)

    def carry_out(self, wishes: object, pools: Mapping[str, Watched]) -> None:
        """Carry out what the server wants, each wish once; one of a pool that is gone is done as well."""
        for wish in sorted(_read(wishes), key=lambda each: each.id):
            if wish.id not in self.known:
                self.known[wish.id] = None
                if len(self.known) > MOST_DONE:
                    del self.known[next(iter(self.known))]
                if (tracker := pools.get(wish.pool)) is not None:
                    _carry_out(wish.do, tracker)
            if len(self.done) < MOST_DONE:
                self.done[wish.id] = None


def refusal(answer: Answer, service: str) -> str:
    """Return why the server takes no reports, and what to do."""
    said = _said(answer)
    if answer.location:
        return (
            f"it redirects to {answer.location}, where the token is not sent; give the address that is right"
        )
    known = _WORDS.get(answer.status)
    return known.format(said=said) if known else _REFUSED.format(service=service, said=said)


def _said(answer: Answer) -> str:
    """Return the status, the detail and the first mistake of a problem as RFC 9457 has it."""
    told = answer.json()
    told = told if isinstance(told, dict) else {}
    said, mistakes = f"{answer.status}", told.get("errors")
    if isinstance(told.get("detail"), str) and told["detail"]:
        said += f": {told['detail']}"
    first = mistakes[0] if isinstance(mistakes, list) and mistakes else None
    if isinstance(first, dict) and {"field", "message"} <= first.keys():
        said += f" {first['field']}: {first['message']}"
    return said


_WORDS = {
    401: (
        "it does not know the token ({said}); give one of the server's as token=, MOORING_TOKEN or the file "
        "MOORING_TOKEN_FILE"
    ),
    403: "the token may not report pools ({said}); give one with the role reporter",
    404: (f"there is no {PATH} ({{said}}); see whether the address has the right base path, or update it"),
    409: "it has no room ({said}); remove the pools there that are gone",
}
_REFUSED = (
    "it refuses the reports of {service} ({said}); see whether the server and this program have the same "
    "version of Mooring"
)


def _read(wishes: object) -> Iterator[Wish]:
    """Yield what can be understood: a server may be newer than we are."""
    for each in wishes[:MOST_WISHES] if isinstance(wishes, list) else ():
        wish = _wish(each) if isinstance(each, dict) else None
        if wish is not None:
            yield wish


def _wish(told: Mapping[str, Any]) -> Wish | None:
    pool, do, number = told.get("pool"), told.get("do"), told.get("id")
    if not isinstance(pool, str) or do not in list(WishKind):
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < _LARGEST:
        return None
    return Wish(pool, WishKind(do), number)


def _carry_out(do: WishKind, tracker: Watched) -> None:
    try:
        match do:
            case WishKind.CLEANUP:
                tracker.cleanup()
            case WishKind.RESET:
                tracker.reset()
            case WishKind.START:
                tracker.start()
            case WishKind.STOP:
                tracker.stop()
    except Exception as error:
        tracker.broken(error)
