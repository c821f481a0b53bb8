"""The contract of a kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from mooring.core.failure import Cause
from mooring.core.reason import Reason
from mooring.core.redact import Redactor
from mooring.core.result import Observation
from mooring.core.shown import Shown
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._form import readable
from mooring.probes._url import SEPARATOR, Url


@dataclass(frozen=True, slots=True)
class KindDefaults:
    """What a kind's targets get where neither they nor `[defaults]` say otherwise. Times are seconds."""

    interval: float | None = None
    timeout: float | None = None
    retry: bool | None = None


class Probe(BaseModel):
    """How one kind of target is tested; its fields are the kind's settings.

    A probe says what it saw by returning an Observation, or raises why it could not. It holds no
    timeout, timing, logging, status, store, retry, redaction or registration: the runner does these
    once for all kinds. Instances are immutable and shared between checks.

    The class docstring's first line is the heading of its page and of its form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: str

    defaults: ClassVar[KindDefaults] = KindDefaults()
    schemes: ClassVar[tuple[str, ...]] = ()
    """URL schemes that mean this kind."""
    drivers: ClassVar[bool] = False
    """Whether a driver behind a scheme is passed over, as in SQLAlchemy's postgresql+asyncpg."""
    several_hosts: ClassVar[bool] = False
    """Whether the address may list several hosts, between commas."""
    proves: ClassVar[Mapping[Stage, str]] = {}
    """What each stage proves, in the order they run. What a check does not reach is `skipped`."""
    extra: ClassVar[str | None] = None
    """The pip extra that brings the driver."""
    local: ClassVar[bool] = False
    """Whether it reads this machine (files, processes): only from the configuration file or an admin."""
    passive: ClassVar[bool] = False
    """Whether the watched thing reports in by itself, and a check that becomes due means that it did not."""
    derived: ClassVar[bool] = False
    """Whether, passive, it is judged when something is reported and never becomes due by itself."""

    @model_validator(mode="after")
    def _names_one_host(self) -> Self:
        url = getattr(self, "url", None)
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        if isinstance(text, str) and not self.several_hosts and _lists_hosts(text):
            raise ValueError("url: names several hosts; a target is one, so make a target of each")
        return self

    async def check(self, trail: Trail) -> Observation:
        """Test the target once. Raises CheckError, or any error that `reason` or the runner explains."""
        raise NotImplementedError

    def reason(self, error: Exception) -> Reason | Cause | None:  # noqa: ARG002 - kinds look at it
        """Explain an error that only this kind's driver knows; None leaves it to the standard table."""
        return None

    @property
    def address(self) -> str:
        """Where the target is, safe to show to anybody."""
        return ""

    @property
    def destinations(self) -> tuple[str, ...]:
        """Every address that is sent a secret of these settings: none may be added without them."""
        return (self.address,)

    @property
    def reads_machine(self) -> bool:
        """Whether these settings read this machine, as every target of a `local` kind does."""
        return self.local

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make a probe from an address alone. Raises ValueError or pydantic.ValidationError."""
        return cls.model_validate({"kind": cls.kind_name(), "url": url})

    @classmethod
    def kind_name(cls) -> str:
        """Return the value of `kind`."""
        return str(cls.model_fields["kind"].default)

    @classmethod
    def headline(cls) -> str:
        """Return the first line of the class docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return all that is said of the kind as JSON-ready values; `settings` is JSON Schema."""
        return {
            "name": cls.kind_name(),
            "title": cls.headline(),
            "schemes": list(cls.schemes),
            "proves": {stage.value: text for stage, text in cls.proves.items()},
            "defaults": asdict(cls.defaults),
            "extra": cls.extra,
            "local": cls.local,
            "passive": cls.passive,
            "settings": readable(cls.model_json_schema()),
        }

    def secrets(self) -> Iterator[str]:
        """Yield every secret of these settings, for redaction."""
        for name in type(self).model_fields:
            yield from _secrets_in(getattr(self, name))

    @cached_property
    def redactor(self) -> Redactor:
        """What masks these secrets."""
        return Redactor(self.secrets())

    @cached_property
    def shown(self) -> Shown:
        """What makes fit to be shown what the checks say; kept, since every check needs it."""
        return Shown(self.redactor)


def _lists_hosts(text: str) -> bool:
    try:
        return SEPARATOR in Url.parse(text).host
    except ValueError:  # no address at all, which the kind says better
        return False


_SECRET_KEYS = re.compile(r"pass|pwd|token|secret|(api|access|account).?key|signature", re.IGNORECASE)


def _secrets_in(value: Any) -> Iterator[str]:
    """Yield every secret in a setting; of an address, its password and what its query hides."""
    if isinstance(value, SecretStr):
        yield from _secrets_of_text(value.get_secret_value())
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets_in(item)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))


def _secrets_of_text(text: str) -> Iterator[str]:
    try:
        url = Url.parse(text)
    except ValueError:  # a plain secret
        yield text
        return
    if url.password:
        yield url.password
        # As it was written, too: drivers quote the whole address, not always as we would encode it.
        yield urlsplit(f"x://{text.partition('://')[2]}").password or ""
    yield from (item for key, item in url.query.items() if item and looks_secret(key))


def looks_secret(key: str) -> bool:
    """Whether what stands under this name is a secret, by the words that people use."""
    return _SECRET_KEYS.search(key) is not None
