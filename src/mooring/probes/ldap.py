"""An LDAP directory."""

from __future__ import annotations

import math
import re
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import first_words, use
from mooring.net.dial import Stream, dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._ldap_errors import NO_SUCH_OBJECT, Login, access_rule, cause
from mooring.probes._password import Password, password_of
from mooring.probes._session import SessionProbe
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._ldap3 import Answer, Directory

LDAP_PORT, LDAPS_PORT = 389, 636
_OVER_TLS = use("ldaps", "ldap")
_PLAIN = bytes.fromhex("300c020101600702010304008000")  # a bind by nobody
_SCOPES = {"base": "BASE", "one": "LEVEL", "sub": "SUBTREE"}
_ATTRIBUTES = re.compile(r"[\w.;*+-]*(,[\w.;*+-]+)*")
_LEFT_OUT = "write ldap://bind-dn:password@host/base-dn, or set bind_dn and password"


class LDAP(SessionProbe["Directory"]):
    """LDAP: bind, ask who we are, and search."""

    kind: Literal["ldap"] = "ldap"
    schemes: ClassVar[tuple[str, ...]] = ("ldap", "ldaps")
    extra: ClassVar[str | None] = "ldap"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "it takes StartTLS (asked only where `start_tls` is set)",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.AUTH: "it speaks LDAP, accepts bind DN and password, and knows us by a name",
        Stage.PERMISSION: "the base DN exists, and this account may read it",
        Stage.FUNCTION: "the search ends within its limits and finds what is expected",
    }

    url: SecretStr = Field(
        description="ldap://bind-dn:password@host:port/base-dn, or ldaps://; behind the base DN may stand "
        "?attribute?scope?filter.",
        examples=["ldaps://ldap.example/dc=example,dc=org"],
    )
    bind_dn: str | None = Field(
        None,
        description="Who logs in, where it does not stand in the address; without it the login is anonymous.",
        examples=["cn=app,ou=services,dc=example,dc=org"],
    )
    password: Password = None
    start_tls: bool = Field(False, description="Turn an ldap:// connection into TLS before the login.")
    tls: TLSSettings = Field(
        default_factory=TLSSettings,
        description="Whom to trust, and who we are; for ldaps:// and start_tls only.",
    )
    scope: Literal["base", "one", "sub"] | None = Field(
        None,
        description="Where to search: the base DN alone (the default), the level below it, or all below.",
    )
    filter: str | None = Field(
        None,
        max_length=1000,
        description="What has to be found; without it any entry will do.",
        examples=["(uid=app)"],
    )
    attribute: str | None = Field(None, description="An attribute that the first entry found has to have.")
    expect: str | None = Field(None, description="A value that this attribute has to hold.")
    size_limit: int = Field(
        100, ge=1, le=10_000, description="Entries after which the search may stop: more are not needed."
    )

    @model_validator(mode="after")
    def _fits(self) -> LDAP:
        if not self._parts.host:
            raise ValueError("url: an LDAP address names a host: ldap://host/dc=example,dc=org")
        if self._name and not self._secret:
            # A directory takes a name without a password for an anonymous login, which succeeds.
            raise ValueError(f"password: is missing or empty, which would be an anonymous login; {_LEFT_OUT}")
        if self._secret and not self._name:
            raise ValueError(f"bind_dn: is missing, a password alone logs nobody in; {_LEFT_OUT}")
        if self.start_tls and self._parts.scheme == "ldaps":
            raise ValueError("start_tls: is of no use with ldaps://, which is TLS from the start")
        demand_use(self.tls, "ldaps://, or set start_tls", secure=self._secure)
        self._demand_search()
        return self

    def _demand_search(self) -> None:
        attributes, scope, _, rest = self._asked
        if not _ATTRIBUTES.fullmatch(attributes) or scope not in ("", *_SCOPES) or rest:
            raise ValueError("url: behind the base DN stands ?attribute?scope?filter, scope base, one or sub")
        if not (self._filter.startswith("(") and self._filter.endswith(")")):
            raise ValueError("filter: stands in brackets: (uid=app)")
        if self.expect is not None and not self._attribute:
            raise ValueError("expect: is of no use without attribute, whose value it is compared with")

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @cached_property
    def _asked(self) -> tuple[str, str, str, str]:
        """What stands behind the base DN (RFC 4516): attributes, scope, filter, what is not known."""
        words = self.url.get_secret_value().partition("?")[2].split("?", 3)
        first, second, third, rest = (*map(unquote, words), "", "", "", "")[:4]
        return first, second.lower(), third, rest

    @property
    def _secure(self) -> bool:
        return self.start_tls or self._parts.scheme == "ldaps"

    @property
    def _name(self) -> str:
        return self.bind_dn if self.bind_dn is not None else self._parts.user or ""

    @property
    def _secret(self) -> str:
        return password_of(self._parts, self.password)

    @property
    def _filter(self) -> str:
        return self.filter or self._asked[2] or "(objectClass=*)"

    @property
    def _attribute(self) -> str:
        return self.attribute or self._asked[0].partition(",")[0].strip("*+")

    @property
    def _port(self) -> int:
        return self._parts.port or (LDAPS_PORT if self._parts.scheme == "ldaps" else LDAP_PORT)

    @property
    def _login(self) -> Login:
        return Login(self._name, self._parts.name, below=self._scope != "base")

    @property
    def _scope(self) -> str:
        return self.scope or self._asked[1] or "base"

    @property
    def address(self) -> str:
        place = self._parts.authority(self._port)
        return f"{place}/{self._parts.name}" if self._parts.name else place

    async def open(self, trail: Trail) -> Directory:
        from mooring.probes._ldap3 import Directory

        tls = self.tls if self._parts.scheme == "ldaps" else None
        with ExitStack() as undo:
            stream = await dial(trail, self._parts.host, self._port, tls, plain=_PLAIN)
            undo.callback(stream.drop)
            directory = Directory(stream)
            if self.start_tls:
                await self._start_tls(stream, directory, trail)
            async with first_words(trail, stream, self._parts.host, tls, _OVER_TLS), trail.stage(Stage.AUTH):
                await directory.bind(self._name, self._secret)
                await self._demand_identity(directory, trail)
            undo.pop_all()
        return directory

    async def _start_tls(self, stream: Stream, directory: Directory, trail: Trail) -> None:
        from mooring.probes._ldap3 import START_TLS, errors

        refusal = None
        host = self._parts.host
        async with first_words(trail, stream, host, None, _OVER_TLS), trail.stage(Stage.PROTOCOL):
            try:
                await directory.extended(START_TLS)
            except errors.LDAPOperationResult as error:
                refusal = error
        async with trail.stage(Stage.TLS):
            if refusal is not None:
                raise CheckError(
                    Reason.TLS,
                    f"the server refuses StartTLS: {refusal.message or refusal.description}",
                    code="TLS_NOT_OFFERED",
                    hint=Prose("Give the server a certificate, or use ldaps:// where it listens for that."),
                )
            await stream.start_tls(trail, self.tls, host)

    async def _demand_identity(self, directory: Directory, trail: Trail) -> None:
        """Ask who we are: a login that was taken for an anonymous one succeeds, too."""
        from mooring.probes._ldap3 import identity_of

        identity = await identity_of(directory)
        if identity is None:
            return
        trail.note(identity=identity or "anonymous")
        if self._name and not identity:
            raise CheckError(
                Reason.AUTH,
                Prose("the server took the login for an anonymous one"),
                code="ANONYMOUS",
                hint=Prose("Compare bind_dn and password with the directory's."),
            )

    async def inspect(self, session: Directory, trail: Trail) -> Observation:
        from mooring.probes._ldap3 import facts_of

        async with trail.stage(Stage.PERMISSION):
            await self._demand_base(session)
        async with trail.stage(Stage.FUNCTION):
            trail.note(**await facts_of(session))
            found = await self._search(session, trail)
            trail.measure(entries=found.entries)
            self._demand_found(found)
        return Observation()

    async def _demand_base(self, session: Directory) -> None:
        from mooring.probes._ldap3 import errors

        base = self._parts.name
        try:
            found = await session.search(base)
        except errors.LDAPNoSuchObjectResult as error:
            known = cause(error, self._login)
            raise CheckError(
                Reason.NOT_FOUND, f"{known.message}: {base}", code=str(NO_SUCH_OBJECT), hint=known.hint
            ) from None
        if not found.entries:
            raise CheckError(
                Reason.PERMISSION,
                Prose("the base DN is there, and this account may not read it"),
                code="NOT_READABLE",
                hint=Prose(
                    "Let the account read the base DN: this rule of OpenLDAP does, before all others."
                ),
                fix=access_rule(self._login),
            )

    async def _search(self, session: Directory, trail: Trail) -> Answer:
        answer = await session.search(
            self._parts.name,
            scope=_SCOPES[self._scope],
            filter_=self._filter,
            attributes=(self._attribute or "1.1",),
            most=self.size_limit,
            seconds=max(1, math.ceil(trail.remaining)),
        )
        if answer.cut and answer.entries < self.size_limit:
            trail.warn(Prose("the server cuts the search off after {number} entries", number=answer.entries))
        return answer

    def _demand_found(self, found: Answer) -> None:
        if not found.entries:
            raise CheckError(
                Reason.ASSERTION,
                f"{self._filter} matches no entry that this account may read",
                code="NO_ENTRY",
                hint=Prose("Compare filter and scope with the directory, and the account's rights."),
            )
        if not self._attribute:
            return
        values = found.first.get(self._attribute.lower())
        if values is None:
            raise CheckError(
                Reason.ASSERTION,
                f"the entry has no {self._attribute}, or none that this account may read",
                code="ATTRIBUTE_MISSING",
                hint=Prose("Compare the attribute with the entry, and the account's rights to read it."),
            )
        if self.expect is not None and self.expect not in values:
            shown = cut(", ".join(values))
            raise CheckError(
                Reason.ASSERTION,
                f"{self._attribute} is {shown!r}, expected {cut(self.expect)!r}",
                code="UNEXPECTED_VALUE",
            )

    async def ping(self, session: Directory) -> None:
        await session.search("")

    async def close(self, session: Directory) -> None:
        await session.leave()

    def drop(self, session: Directory) -> None:
        session.stream.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._ldap3 import errors

        return cause(error, self._login) if isinstance(error, errors.LDAPException) else None
