"""What the kinds that speak SQL have in common: their settings, and what is asked of the answers."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._encryption import Encryption, encryption
from mooring.probes._password import Password
from mooring.probes._session import SessionProbe
from mooring.probes._url import Url

S = TypeVar("S")

GRACE = 1.0
"""Seconds after the check's deadline at which the server itself gives up the query, if it still runs."""

_ANOTHER_VALUE = Prose("Run the query by hand: correct the data, or this target's query and expect.")


class SQLProbe(SessionProbe[S], Generic[S]):
    """A database that speaks SQL."""

    default_port: ClassVar[int]

    url: SecretStr = Field(description="scheme://user:password@host:port/database?sslmode=...")
    password: Password = None
    tls: TLSSettings | None = Field(
        None,
        description="TLS settings. Without them the address decides (sslmode, sslrootcert and their kin), "
        "and where it says nothing TLS is used, unverified, if the server offers it.",
    )
    query: str = Field(
        "SELECT 1",
        min_length=1,
        max_length=10_000,
        description="What is run as the real operation, in a transaction that is rolled back.",
    )
    expect: str | int | float | bool | None = Field(
        None, description="The value that the query's first row has to hold in its first column."
    )
    role: Literal["primary", "replica"] | None = Field(
        None, description="The role that the server has to have; without it any will do."
    )
    sessions_warning: float = Field(
        0.8, gt=0, le=1, description="Part of the server's sessions in use from which on a check warns."
    )
    tables: tuple[str, ...] = Field(
        (),
        max_length=100,
        description="Tables on which the privileges have to be granted.",
        examples=[["public.orders"]],
    )

    @model_validator(mode="after")
    def _can_be_used(self) -> SQLProbe[S]:
        parts = self.parts
        if not parts.host:
            raise ValueError(f"url: names no host; write {parts.scheme}://user:password@host/database")
        if not self.user:
            raise ValueError(
                f"url: names no user; write {parts.scheme}://user:password@{parts.host}/database"
            )
        encryption(parts.query, self.tls)
        return self

    @cached_property
    def parts(self) -> Url:
        """The address taken apart."""
        return Url.parse(self.url.get_secret_value())

    @cached_property
    def encryption(self) -> Encryption:
        """What is asked of TLS."""
        return encryption(self.parts.query, self.tls)

    @property
    def port(self) -> int:
        """The port, of the address or the usual one."""
        return self.parts.port or self.default_port

    @property
    def user(self) -> str:
        """The user who logs in; JDBC has its place behind the question mark."""
        return self.parts.user or self.parts.query.get("user", "")

    @property
    def secret(self) -> str:
        """The password, empty where there is none."""
        if self.password is not None:
            return self.password.get_secret_value()
        return self.parts.password or self.parts.query.get("password", "")

    @property
    def database(self) -> str:
        """The database's name, empty where the address names none."""
        return self.parts.name

    @property
    def address(self) -> str:
        host = self.parts.authority(self.default_port)
        return f"{host}/{self.database}" if self.database else host

    def demand_role(self, replica: bool) -> None:
        """Raise CheckError(assertion) where the server has not the role that is asked for."""
        found = "replica" if replica else "primary"
        if self.role not in (None, found):
            raise CheckError(
                Reason.ASSERTION,
                Prose("the server is a {found}, not a {wanted}", found=found, wanted=self.role),
                code="WRONG_ROLE",
                hint=Prose(
                    "After a failover the address may have to follow; else change this target's role."
                ),
            )

    def demand_expected(self, row: tuple[Any, ...] | None) -> None:
        """Raise CheckError(assertion) where the query's first value is not the expected one."""
        if self.expect is None:
            return
        if not row:
            raise CheckError(
                Reason.ASSERTION, Prose("the query returned no row"), code="NO_ROW", hint=_ANOTHER_VALUE
            )
        found = as_text(row[0])
        if found != as_text(self.expect) and not _same_number(row[0], self.expect):
            raise CheckError(
                Reason.ASSERTION,
                f"the query returned {cut(found)!r}, not {cut(as_text(self.expect))!r}",
                code="UNEXPECTED_VALUE",
                hint=_ANOTHER_VALUE,
            )

    def judge_head_room(self, trail: Trail, used: int, most: int) -> None:
        """Keep the numbers of sessions, and warn where few are left."""
        trail.measure(sessions_used=used, sessions_max=most)
        if most > 0 and used / most >= self.sessions_warning:
            trail.warn(Prose("{used} of {most} sessions are in use", used=used, most=most))


def _same_number(found: object, wanted: object) -> bool:
    """Whether both are numbers and equal: averages and sums come as decimals with zeros behind."""
    numbers = (int, float, Decimal)
    both = (found, wanted)
    if not all(isinstance(value, numbers) and not isinstance(value, bool) for value in both):
        return False
    return Decimal(str(found)) == Decimal(str(wanted))


def as_text(value: object) -> str:
    """Return a value as SQL clients print it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
