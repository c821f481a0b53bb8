"""DataHub."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.http_request import Place
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._datahub import MAKE_ONE, ME, SEARCH, Door, identify
from mooring.probes._datahub_answer import Answer, Claims, found
from mooring.probes._datahub_rights import PRIVILEGES, Actor, lacking
from mooring.probes._form import MORE
from mooring.probes._http import asked_for_tls, demand_one_login
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

NOBODYS = "made-up-by-mooring-to-see-whether-tokens-count"
"""A token that is nobody's: through the front end, which asks for one, it shows whether GMS looks at it."""
TOKEN_DAYS_WARNING = 14
_PROXIED = "/api/gms"
_PASTED = ("/api/graphql", "/api/v2/graphql", "/api/graphiql", "/config")


class DataHub(Probe):
    """DataHub: find out who answers, whom the token stands for and what it may do, and search."""

    kind: Literal["datahub"] = "datahub"
    schemes: ClassVar[tuple[str, ...]] = ("datahub+https", "datahub+http")
    defaults: ClassVar[KindDefaults] = KindDefaults(interval=3600, timeout=30, retry=False)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, in date and for this host (datahub+https)",
        Stage.PROTOCOL: "DataHub answers, GMS or its front end, and GMS is ready",
        Stage.AUTH: "the token is accepted, is whose it should be, and whoever shows none is turned away",
        Stage.PERMISSION: "the token may list what `permissions` names",
        Stage.FUNCTION: "a search is answered, with as many results as are expected",
    }

    url: SecretStr = Field(
        description="datahub+https://TOKEN@host[:port][/path], of GMS or of the front end; in DataHub Cloud "
        "the path is /gms.",
        examples=["datahub+https://TOKEN@datahub.example/gms"],
    )
    token: SecretStr | None = Field(
        None, description="Access token, where it does not stand in the address before the host."
    )
    permissions: tuple[Literal["policies", "ingestion_sources"], ...] = Field(
        ("policies", "ingestion_sources"),
        description='What the token has to be able to list: policies (the privilege "Manage Policies"), '
        'ingestion_sources ("Manage Metadata Ingestion").',
    )
    expect_actor: str | None = Field(
        None,
        min_length=1,
        description="Whose the token has to be: a user's name, or urn:li:corpuser:NAME.",
        examples=["urn:li:corpuser:mooring"],
    )
    search: str = Field("*", min_length=1, max_length=1000, description="What is searched for.")
    search_minimum: int = Field(0, ge=0, description="Results that the search has to find at least.")
    token_warn_days: float = Field(
        TOKEN_DAYS_WARNING, ge=0, description="Days before the token expires at which it warns."
    )
    check_enforcement: bool = Field(
        True,
        description="Send one request without a valid token, and warn where it is answered.",
        json_schema_extra={**MORE},
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="TLS settings, for datahub+https.")

    @model_validator(mode="after")
    def _can_be_sent(self) -> DataHub:
        url = Url.parse(self.url.get_secret_value())
        if url.query:
            raise ValueError("url: an address of DataHub has no ?query")
        if url.user and url.password:
            raise ValueError("url: DataHub takes a token, no user and password: datahub+https://TOKEN@host")
        if url.user == "" and not url.password:
            raise ValueError("url: nothing stands before the @: datahub+https://TOKEN@host")
        demand_one_login({}, url, self.token)
        demand_one_login({}, Url(""), SecretStr(self._token) if self._token is not None else None)
        try:
            _ = self.door
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        demand_use(self.tls, "datahub+https:// instead", secure=self.door.base.secure)
        return self

    @property
    def _token(self) -> str | None:
        if self.token is not None:
            return self.token.get_secret_value()
        url = Url.parse(self.url.get_secret_value())
        return url.user or url.password

    @cached_property
    def door(self) -> Door:
        """Where DataHub is asked, without a `/` or a page's path at the end."""
        text = self.url.get_secret_value()
        path = Url.parse(text).path.rstrip("/")
        place = Place.parse(text.partition("+")[2])
        target = place.target.rstrip("/")
        for pasted in _PASTED:
            target = target.removesuffix(pasted)
        base = Place(place.scheme, place.host, place.port, target)
        return Door(base, self._token, self.tls, front_end=path.endswith(_PROXIED))

    @cached_property
    def address(self) -> str:
        return self.door.base.shown

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self._token is not None:
            yield self._token

    async def check(self, trail: Trail) -> Observation:
        door = await identify(trail, self.door)
        trail.begin(Stage.AUTH, trail.monotonic())
        actor = await self._authenticate(trail, door)
        trail.end(trail.monotonic())
        trail.begin(Stage.PERMISSION, trail.monotonic())
        await self._demand_privileges(trail, door, actor)
        trail.end(trail.monotonic())
        began = trail.monotonic()
        trail.begin(Stage.FUNCTION, began)
        answer = await door.ask(trail, SEARCH, text=self.search)
        total = answer.count("searchAcrossEntities")
        trail.measure(search_results=total, search_seconds=trail.monotonic() - began)
        if total < self.search_minimum:
            raise CheckError(
                Reason.ASSERTION,
                Prose(
                    "the search finds {total}, expected at least {least}",
                    total=total,
                    least=self.search_minimum,
                ),
                code="TOO_FEW_FOUND",
                hint=Prose("The search index may be lost or behind: DataHub restores it from its store."),
            )
        trail.end(trail.monotonic())
        return Observation()

    def reason(self, error: Exception) -> Cause | None:
        return asked_for_tls(error, "datahub+http")

    async def _authenticate(self, trail: Trail, door: Door) -> Actor:
        """Return who we are. Raises CheckError where the token is refused, ignored or another's."""
        claims = Claims.of(door.token)
        self._tell_expiry(trail, claims)
        answer = await door.ask(trail, ME)
        actor = Actor.of(answer)
        trail.note(actor=actor.urn)
        if actor.version:
            trail.note(server_version=actor.version)
        self._warn_of_expiry(trail, claims)
        if self.check_enforcement or door.token is None:
            await _look_at_enforcement(trail, door, actor, claims)
        if self.expect_actor is not None and not actor.called(self.expect_actor):
            raise CheckError(
                Reason.ASSERTION,
                Prose("the token is {actor}'s, expected {wanted}", actor=actor.urn, wanted=self.expect_actor),
                code="WRONG_ACTOR",
                hint=Prose("Put a token of that user into the address, or correct expect_actor."),
            )
        return actor

    def _tell_expiry(self, trail: Trail, claims: Claims) -> None:
        if claims.readable:
            until = "never" if claims.expires is None else claims.expires.isoformat()
            trail.note(token_expires=until)
        if claims.expires is not None:
            trail.measure(token_days_left=claims.days_left(trail.net.clock.now()))

    def _warn_of_expiry(self, trail: Trail, claims: Claims) -> None:
        if claims.expires is None:
            return
        days, day = claims.days_left(trail.net.clock.now()), f"{claims.expires:%Y-%m-%d}"
        if days < 0:
            trail.warn(Prose("the token expired on {day} and is still let in", day=day), Stage.AUTH)
        elif days <= self.token_warn_days:
            left = Prose("1 day") if int(days) == 1 else Prose("{days} days", days=int(days))
            trail.warn(Prose("the token expires in {left}, on {day}", left=left, day=day), Stage.AUTH)

    async def _demand_privileges(self, trail: Trail, door: Door, actor: Actor) -> None:
        missing = []
        for name in dict.fromkeys(self.permissions):
            privilege = PRIVILEGES[name]
            answer = await door.ask(trail, privilege.document)
            if answer.refuses(privilege.field):
                missing.append(privilege)
                continue
            total = answer.count(privilege.field)
            if total == 0 and actor.may.get(privilege.flag) is False:  # an empty list is no permission
                missing.append(privilege)
            else:
                trail.measure(**{name: total})
        if missing:
            said = (Claims.of(door.token).actor, self.expect_actor)
            raise lacking(actor.urn, missing, proved=any(map(actor.proved_by, said)))


async def _look_at_enforcement(trail: Trail, door: Door, actor: Actor, claims: Claims) -> None:
    """Ask as nobody, and warn where that is answered. Raises CheckError where our token counts no more."""
    nobody = actor.urn if door.token is None else await _nobody(trail, door)
    if nobody is None:
        return
    trail.note(auth_enforced=False)
    ignored = nobody == actor.urn and not (claims.actor and actor.called(claims.actor))
    if door.token is not None and ignored and actor.tokens_count:
        raise CheckError(
            Reason.AUTH,
            Prose("DataHub does not accept the token: it takes us for {nobody}, its guest", nobody=nobody),
            code="TOKEN_IGNORED",
            hint=MAKE_ONE,
        )
    words = Prose(
        "authentication is not enforced: without a valid token one is let in as {nobody}", nobody=nobody
    )
    trail.warn(words, Stage.AUTH)


async def _nobody(trail: Trail, door: Door) -> str | None:
    """Ask without a valid token; return who is let in so. None, noted, where they are turned away."""
    response = await door.send(trail, ME, NOBODYS if door.front_end else None)
    if response.status == HTTPStatus.OK:
        try:
            urn = found(Answer.of(response).data, "me", "corpUser", "urn")
        except CheckError:  # a page, such as that of a login
            return None
        return urn if isinstance(urn, str) else None
    if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        trail.note(auth_enforced=True)
    return None
