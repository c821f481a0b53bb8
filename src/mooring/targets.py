"""Targets as strangers write them, and back: the one place where flat keys become a Target.

A target's keys are its own (`TargetKeys`) and, beside them, the settings of its kind. Configuration
file, API, command line and stored rows all pass through here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import PurePath
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from mooring.core.failure import InputError, Problem
from mooring.core.redact import masked
from mooring.core.target import Origin, Schedule, Target
from mooring.mistakes import problems_of
from mooring.probes._base import Probe
from mooring.probes._registry import Kinds
from mooring.probes._url import Url

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

LONGEST_NAME = 200
# Not Cn: which characters are unassigned depends on the Unicode version, and new emoji are among them.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and a symbol that show nothing, so that two names with and without look the same."""
_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def printable(name: str) -> str:
    """Return a name that can be shown anywhere. Raises ValueError that says what is refused."""
    if not name.strip():
        raise ValueError("has to hold something that can be read")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"has {len(name)} characters; at most {LONGEST_NAME} are allowed")
    for at, character in enumerate(name):
        hidden = character in _EMPTY or unicodedata.category(character) in _HIDDEN
        if hidden and not (character == _JOINER and _joins(name[:at], name[at + 1 :])):
            text = (
                f"holds U+{ord(character):04X}; control, invisible and bidirectional characters are refused"
            )
            raise ValueError(text)
    return name


def _joins(before: str, after: str) -> bool:
    """Whether what stands between makes one emoji of two, as in a family."""
    pair = before.rstrip(f"\ufe0f{_SKIN_TONES}")[-1:], after[:1]
    return all(each and unicodedata.category(each) == "So" for each in pair)


def _no_truth(value: Any) -> Any:
    """Refuse true and false as a number: Python takes them for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("has to be a number")  # noqa: TRY004 - pydantic turns only ValueError into a mistake
    return value


Name = Annotated[str, AfterValidator(printable)]
Seconds = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]
Count = Annotated[int, BeforeValidator(_no_truth)]


class ScheduleKeys(BaseModel):
    """When a target is tested. What is left out comes from the kind, then from [defaults]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: Annotated[Seconds, Field(ge=1, le=604800)] | None = Field(
        None, description="Seconds between two checks; left out, the kind's own."
    )
    timeout: Annotated[Seconds, Field(ge=0.1, le=600)] | None = Field(
        None, description="Seconds after which a check ends, whatever the target does; left out, the kind's."
    )
    retry: bool | None = Field(
        None, description="Whether a failure is confirmed by quick re-checks before the target is down."
    )
    retry_delay: Annotated[Seconds, Field(ge=0.5, le=3600)] | None = Field(
        None, description="Seconds between these re-checks, give or take a tenth."
    )
    failures_before_down: Annotated[Count, Field(ge=1, le=100)] | None = Field(
        None, description="Failures in a row that make a target down."
    )
    successes_before_up: Annotated[Count, Field(ge=1, le=100)] | None = Field(
        None, description="Successes in a row that make it up again."
    )
    degraded_above: Annotated[Seconds, Field(gt=0, le=600)] | None = Field(
        None, description="Seconds above which a check that passes is degraded for being slow."
    )


class TargetKeys(ScheduleKeys):
    """The keys that every target has, whatever its kind. No kind's setting may use one of these names."""

    name: Name = Field(description="What people call it; no two have the same.")
    kind: str | None = Field(None, description="The kind; where it is left out the address says it.")
    labels: dict[Name, Name] = Field(
        default_factory=dict, description="Words to filter and group by.", max_length=50
    )
    enabled: bool = Field(True, description="Checked on schedule; off: paused.")
    depends_on: tuple[Name, ...] = Field(
        (), description="Names of targets without which this one cannot work."
    )
    regions: tuple[Name, ...] = Field(("local",), min_length=1, description="Where it is tested from.")
    quorum: Count = Field(1, ge=1, description="Regions that have to call it down.")


_TOLD = frozenset(("id", "origin", "version", "changed_at", "health", "address"))
RESERVED = frozenset(TargetKeys.model_fields) | _TOLD
_OWN = frozenset(TargetKeys.model_fields)
_SCHEDULE = tuple(ScheduleKeys.model_fields)


class TargetReader:
    """Reads targets. `defaults` stand below a kind's own defaults, which stand below the target's keys."""

    def __init__(self, kinds: Kinds, defaults: Schedule | None = None) -> None:
        self.kinds = kinds
        self._defaults = defaults or Schedule()

    def from_url(self, url: str, name: str | None = None, **keys: Any) -> Target:
        """Return the target that an address and further keys describe. Raises InputError.

        Without a name it is called by its address.
        """
        settings = {key: value for key, value in keys.items() if key not in _OWN} | {"url": url}
        if name is None:
            probe = self._try([], lambda: self.probe(settings))  # read() tells what is wrong with it
            name = (probe.address or probe.kind)[:LONGEST_NAME] if probe else "-"
        return self.read({**keys, "url": url, "name": name})

    def read(
        self, keys: Mapping[str, Any], *, origin: Origin = Origin.API, where: str | None = None
    ) -> Target:
        """Return the target that these flat keys describe. Raises InputError with every mistake."""
        problems: list[Problem] = []
        given = {key: value for key, value in keys.items() if key in _OWN}
        settings = {key: value for key, value in keys.items() if key not in _OWN or key == "kind"}
        probe = self._try(problems, lambda: self.probe(settings))
        own = self._try(problems, lambda: _validated(TargetKeys, given))
        target = None
        if probe is not None and own is not None:
            target = self._try(problems, lambda: self._target(probe, own, origin))
        if target is None or problems:
            raise InputError(Problem(p.field, p.message, where) for p in problems)
        return target

    @staticmethod
    def _try(problems: list[Problem], read: Callable[[], T]) -> T | None:
        """Return what was read, or None having kept its mistakes: the other half may hold some too."""
        try:
            return read()
        except InputError as error:
            problems += error.problems
            return None

    def probe(self, settings: Mapping[str, Any]) -> Probe:
        """Return the probe of these settings; without `kind` their `url` says it. Raises InputError."""
        kind = self._kind(settings)
        try:
            return _validated(kind, {**settings, "kind": kind.kind_name()})
        except InputError as error:
            wrong = _wrong_address(settings.get("url"))
            fields = ("url" if each.message == wrong else each.field for each in error.problems)
            raise InputError(map(Problem, fields, [p.message for p in error.problems])) from None

    def _kind(self, settings: Mapping[str, Any]) -> type[Probe]:
        name = settings.get("kind")
        if name is not None:
            if not isinstance(name, str):
                raise InputError([Problem("kind", "has to be the name of a kind, in quotes")])
            return self.kinds.with_address(name, settings.get("url"))
        url = settings.get("url")
        if not isinstance(url, str):
            raise InputError([Problem("url", "is missing; give the address, or a kind with its settings")])
        try:
            return self.kinds.of_scheme(Url.parse(url).scheme)
        except ValueError as error:
            raise InputError([Problem("url", str(error))]) from None

    def _target(self, probe: Probe, keys: TargetKeys, origin: Origin) -> Target:
        problems: list[Problem] = []
        if keys.quorum > len(set(keys.regions)):
            text = f"is {keys.quorum}, more than the regions that test it ({len(set(keys.regions))})"
            problems.append(Problem("quorum", text))
        schedule = self._try(problems, lambda: self._schedule(probe, keys))
        if schedule is None or problems:
            raise InputError(problems)
        return Target(
            name=keys.name,
            probe=probe,
            schedule=schedule,
            labels=keys.labels,
            enabled=keys.enabled,
            depends_on=keys.depends_on,
            regions=keys.regions,
            origin=origin,
        )

    def defaults_of(self, kind: type[Probe]) -> dict[str, Any]:
        """Return what a target of this kind has that says nothing of its schedule."""
        kinds = {key: getattr(kind.defaults, key, None) for key in _SCHEDULE}
        return {key: getattr(self._defaults, key) if value is None else value for key, value in kinds.items()}

    def _schedule(self, probe: Probe, keys: TargetKeys) -> Schedule:
        values = self.defaults_of(type(probe))
        values |= {key: own for key in _SCHEDULE if (own := getattr(keys, key)) is not None}
        if values["timeout"] > values["interval"]:
            if keys.timeout is not None:
                message = f"is {values['timeout']:g} s, longer than the interval of {values['interval']:g} s"
                raise InputError([Problem("timeout", message)])
            values["timeout"] = values["interval"]
        return Schedule(**values, quorum=keys.quorum)


def _wrong_address(url: Any) -> str | None:
    """Return what is wrong with how an address is written; every kind finds it, and none names the field."""
    try:
        Url.parse(url if isinstance(url, str) else "x://x")
    except ValueError as error:
        return str(error)
    return None


def _validated(model: type[M], given: Mapping[str, Any]) -> M:
    """Return a model made from what a stranger wrote. Raises InputError with every mistake."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InputError(problems_of(error, {*model.model_fields, *_OWN})) from None


def settings_of(probe: Probe, *, reveal: bool = False) -> dict[str, Any]:
    """Return a probe's settings as plain values. Secrets are masked unless `reveal`.

    An address keeps everything but its login's password, so that it can be read.
    """
    return {
        key: _plain(value, reveal)
        for key in type(probe).model_fields
        if key != "kind" and (value := getattr(probe, key)) != type(probe).model_fields[key].default
    }


def keys_of(target: Target, *, reveal: bool = False) -> dict[str, Any]:
    """Return a target as the flat keys that `TargetReader.read` takes."""
    schedule = {key: value for key in _SCHEDULE if (value := getattr(target.schedule, key)) is not None}
    return {
        "name": target.name,
        "kind": target.probe.kind,
        **settings_of(target.probe, reveal=reveal),
        **schedule,
        "labels": dict(target.labels),
        "enabled": target.enabled,
        "depends_on": list(target.depends_on),
        "regions": list(target.regions),
        "quorum": target.schedule.quorum,
    }


def _plain(value: Any, reveal: bool) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value() if reveal else masked(value.get_secret_value())
    if isinstance(value, BaseModel):
        return {key: _plain(getattr(value, key), reveal) for key in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: _plain(item, reveal) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, reveal) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: item for f in fields(value) if (item := getattr(value, f.name)) is not None}
    return str(value) if isinstance(value, PurePath) else value
