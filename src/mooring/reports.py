"""Reports of pools as programs send them, and back: the one place where their JSON becomes values.

Numbers and names are refused where they cannot be true, and keys that nobody here knows are left out; what
a program says of itself in words is made fit to be shown, cut, and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StrictBool,
)

from mooring.core.failure import InputError, Problem
from mooring.core.pool import (
    Durations,
    Leak,
    LeakKind,
    PoolAlert,
    PoolRule,
    PoolSnapshot,
    PoolTotals,
    Severity,
    SiteUse,
)
from mooring.core.redact import Redactor
from mooring.core.report import Instance, PoolReport
from mooring.core.shown import clean, ended
from mooring.pools.report import LONGEST_NAME, MOST_CONNECTIONS, MOST_POOLS
from mooring.targets import printable

VERSION = 1
"""Of the reports that are understood. Within it keys may be added, and no values to a closed set."""
LARGEST = 10**15
"""The highest count: more is no count of anything."""
_MOST_SITES = 20
_MOST_LEAKS = 50
_MOST_FRAMES = 8
_FILE = "file:"
_LAST_BUCKET = 255
_YEARS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def _shown(most: int) -> Callable[[str], str]:
    redact = Redactor()
    return lambda text: ended(clean(redact(text[: 4 * most])), most)


def _no_reference(name: str) -> str:
    """Refuse what a configuration would read more into: targets are exported to one, and applied again."""
    if "${" in name or name.startswith(_FILE):
        raise ValueError(f"may not hold ${{ nor begin with {_FILE}: a configuration reads such as references")
    return name


def _in_our_times(at: datetime) -> datetime:
    if not _YEARS[0] <= at < _YEARS[1]:
        raise ValueError("has to be a time between the years 2000 and 2200")
    return at


def _ours(at: datetime, ahead: timedelta) -> datetime:
    """Return a time on the server's clock. Times that contradict each other lead out of our times, too."""
    return min(max(at - ahead, _YEARS[0]), _YEARS[1] - timedelta(seconds=1))


def _at_most(most: int) -> BeforeValidator:
    """Count before anything is looked at: a hundred thousand mistakes would take their time."""

    def counted(given: Any) -> Any:
        if isinstance(given, (list, tuple, dict)) and len(given) > most:
            raise ValueError(f"may hold at most {most}")
        return given

    return BeforeValidator(counted)


Word = Annotated[
    str, Field(max_length=LONGEST_NAME), AfterValidator(printable), AfterValidator(_no_reference)
]
Short = Annotated[str, AfterValidator(_shown(100))]
Text = Annotated[str, AfterValidator(_shown(300))]
Message = Annotated[str, AfterValidator(_shown(1000))]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Connections = Annotated[int, Field(strict=True, ge=0, le=MOST_CONNECTIONS)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=10**9, allow_inf_nan=False)]
Value = Annotated[float, Field(strict=True, ge=-1e15, le=1e15, allow_inf_nan=False)]
Time = Annotated[AwareDatetime, AfterValidator(_in_our_times)]
Bucket = Annotated[int, Field(ge=0, le=_LAST_BUCKET)]


def _understood(version: Any) -> Any:
    """Say who has to be updated, rather than what a number has to be."""
    if type(version) is int and version != VERSION:
        older = "server" if version > VERSION else "program"
        raise ValueError(f"is {version}, and this server understands {VERSION}: update the {older}")
    return None if isinstance(version, bool) else version  # True is 1 elsewhere


class _Part(BaseModel):
    """Some of a report. What newer programs send in addition is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class TotalsInput(_Part):
    """What was counted since the process began to watch the pool; all only ever grow."""

    taken: Count = 0
    returned: Count = 0
    forgotten: Count = 0
    timeouts: Count = 0
    errors: Count = 0
    session_errors: Count = 0
    created: Count = 0
    closed: Count = 0
    unmatched: Count = 0
    internal_errors: Count = 0


class DurationsInput(_Part):
    """How long something took: counts by bucket, four of them an octave of nanoseconds."""

    counts: Annotated[dict[Bucket, Count], _at_most(_LAST_BUCKET + 1)] = Field(default_factory=dict)


class SiteInput(_Part):
    """What one line of the application does with a pool."""

    file: Text
    line: Count
    function: Short
    open: Connections
    total: Count
    oldest: Seconds | None = None
    p50: Seconds | None = None
    p95: Seconds | None = None
    scope: Text | None = None


Lines = Annotated[tuple[Text, ...], FailFast(), Field(max_length=100), _at_most(100)]


class LeakInput(_Part):
    """A lease that is not returned."""

    kind: LeakKind
    site: Text
    function: Short
    held: Seconds
    idle: Seconds | None = None
    owner: Text
    operation: Text | None = None
    scope: Text | None = None
    now: Lines = ()
    taken: Lines = ()


class AlertInput(_Part):
    """Something that a process tells of its part of a pool, until it is over."""

    rule: PoolRule
    severity: Severity
    message: Message
    recommendation: Message
    since: Time
    value: Value
    limit: Value | None = None
    suppressed: Count = 0
    ended: Time | None = None


class SnapshotInput(_Part):
    """One process' part of a pool, as it stands."""

    name: Word
    driver: Short
    at: Time
    used: Connections
    idle: Connections | None = None
    size: Connections | None = None
    limit: Connections | None = None
    least: Connections | None = None
    waiting: Connections
    peak: Connections
    totals: TotalsInput = TotalsInput()
    wait: DurationsInput = DurationsInput()
    use: DurationsInput = DurationsInput()
    create: DurationsInput = DurationsInput()
    sites: Annotated[tuple[SiteInput, ...], FailFast(), Field(max_length=100), _at_most(100)] = ()
    leaks: Annotated[tuple[LeakInput, ...], FailFast(), Field(max_length=200), _at_most(200)] = ()
    alerts: Annotated[tuple[AlertInput, ...], FailFast(), Field(max_length=100), _at_most(100)] = ()
    address: Text | None = None
    database: Text | None = None
    active: StrictBool = True

    def value(self, service: str, ahead: timedelta = timedelta()) -> PoolSnapshot:
        """Return it as it counts here, with its times on the server's clock; `ahead`: by how much it is."""
        given = _fields(self) | {
            "at": _ours(self.at, ahead),
            "totals": PoolTotals(**_fields(self.totals)),
            "sites": tuple(SiteUse(**_fields(each)) for each in self.sites[:_MOST_SITES]),
            "leaks": tuple(_leak(each) for each in self.leaks[:_MOST_LEAKS]),
            "alerts": tuple(_alert(each, ahead) for each in self.alerts if each.ended is None),
        }
        for name in ("wait", "use", "create"):
            given[name] = Durations(getattr(self, name).counts)
        return PoolSnapshot(service=service, **given)


class InstanceInput(_Part):
    """The process that reports. Its id is random, and new after a fork."""

    id: Annotated[str, AfterValidator(printable), Field(min_length=8, max_length=64)]
    host: Short
    pid: Count
    started_at: Time


class ReportInput(_Part):
    """What one process tells of its pools. All counts are since it began: a lost report loses nothing.

    Within a version keys may be added: those that a server does not know, it leaves out.
    """

    version: Annotated[Literal[1], BeforeValidator(_understood)]
    service: Word
    instance: InstanceInput
    sent_at: Time
    interval: Annotated[float, Field(strict=True, ge=0.1, le=86400, allow_inf_nan=False)] = Field(
        description="Seconds until the next one; silent for 2.5 of these, the process counts no more."
    )
    last: StrictBool = Field(False, description="Whether the process ends.")
    pools: Annotated[
        tuple[SnapshotInput, ...], FailFast(), Field(max_length=MOST_POOLS), _at_most(MOST_POOLS)
    ]
    done: Annotated[tuple[Count, ...], FailFast(), Field(max_length=1000), _at_most(1000)] = Field(
        (), description="Ids of the wishes that were carried out."
    )
    sequence: Count = Field(
        0,
        description="Which report of its process this is, from 1 on: tells a late one also where a clock "
        "steps back. 0: not told.",
    )

    def value(self, now: datetime) -> PoolReport:
        """Return it with its times on the server's clock, by which it is `now`.

        Raises InputError where it tells of one pool twice.
        """
        self._demand_each_once()
        ahead = self.sent_at - now
        process = self.instance
        return PoolReport(
            self.service,
            Instance(process.id, process.host, process.pid, _ours(process.started_at, ahead)),
            self.sent_at,
            self.interval,
            self.last,
            tuple(pool.value(self.service, ahead) for pool in self.pools),
            self.done,
            self.sequence,
        )

    def _demand_each_once(self) -> None:
        first: dict[str, int] = {}
        for place, pool in enumerate(self.pools):
            if first.setdefault(pool.name, place) != place:
                text = f"is already the name of pools.{first[pool.name]}"
                raise InputError([Problem(f"pools.{place}.name", text)])


def _leak(given: LeakInput) -> Leak:
    return Leak(**_fields(given) | {"now": given.now[:_MOST_FRAMES], "taken": given.taken[:_MOST_FRAMES]})


def _alert(given: AlertInput, ahead: timedelta) -> PoolAlert:
    return PoolAlert(**_fields(given) | {"since": _ours(given.since, ahead)})


def _fields(part: BaseModel) -> dict[str, Any]:
    """Return a part's fields as they are, not taken apart any further."""
    return {name: getattr(part, name) for name in type(part).model_fields}
