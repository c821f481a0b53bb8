"""A DICOM store of the Google Cloud Healthcare API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.http import Response, fetch
from mooring.net.http_request import Place, Request
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import _google_api as api
from mooring.probes import _google_errors as errors
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._google_api import Api
from mooring.probes._google_key import demand_key, secrets_of
from mooring.probes._google_store import SCHEME, Store
from mooring.probes._http import asked_for_tls

LARGEST_SKEW = 120
"""Seconds by which this machine's clock may differ; Google takes tokens of a few minutes' difference."""
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


Permission = Annotated[str, StringConstraints(pattern=r"^healthcare\.[A-Za-z]+\.[A-Za-z]+$")]


class GoogleHealthcare(Probe):
    """Google Cloud Healthcare: get a token, look at a DICOM store and at the rights on it, search.

    Without `key` and `key_file` the application-default credentials of Mooring's own machine are used; then
    only the configuration file or an admin may add the target. Every request goes out by Mooring's own
    client, within the timeout and by the egress policy, those of google-auth for a token too. What does not:
    the gcloud command and the programs of workload identity federation, which google-auth runs by itself
    where the default credentials say so.
    """

    kind: Literal["google_healthcare"] = "google_healthcare"
    schemes: ClassVar[tuple[str, ...]] = (SCHEME,)
    extra: ClassVar[str | None] = "google-healthcare"
    defaults: ClassVar[KindDefaults] = KindDefaults(interval=600, timeout=30)
    proves: ClassVar = {
        Stage.DNS: "the API's host name resolves",
        Stage.TCP: "it accepts connections",
        Stage.TLS: "its certificate is trusted, in date and for this host",
        Stage.PROTOCOL: "it answers in HTTP",
        Stage.AUTH: "Google gives a token for the credentials, and the API takes it",
        Stage.PERMISSION: "the account has each IAM permission on the store",
        Stage.FUNCTION: "the store is there, and a search for one study is answered",
    }

    url: str = Field(
        description=f"{SCHEME}://project/location/dataset/store",
        examples=[f"{SCHEME}://hospital/europe-west3/radiology/ct"],
    )
    key: SecretStr | None = Field(
        None,
        description="A service account's key: its JSON, or file:///path of it.",
        examples=["file:///key.json"],
    )
    key_file: str | None = Field(None, description="Path, on the server, of a service account's key.")
    permissions: tuple[Permission, ...] = Field(
        (errors.GET, errors.READ),
        max_length=50,
        description="IAM permissions that the account has on the store.",
    )
    endpoint: str = Field(
        "https://healthcare.googleapis.com",
        description="The API's address: another for Private Service Connect or a region's own.",
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="TLS settings, for the endpoint.")

    @model_validator(mode="after")
    def _can_be_asked(self) -> GoogleHealthcare:
        try:
            _ = self.store
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        if self.key is not None and self.key_file is not None:
            raise ValueError("key: stands beside key_file; one is enough")
        if self.key is not None:
            try:
                demand_key(self.key.get_secret_value())
            except ValueError as error:
                raise ValueError(f"key: {error}") from None
        try:
            place = self.place
        except ValueError as error:
            raise ValueError(f"endpoint: {error}") from None
        if Place.parse(self.endpoint).target != "/":
            raise ValueError("endpoint: is https://host alone, without a path")
        if not place.secure and place.host not in _HERE:
            raise ValueError("endpoint: has to begin with https://, for a token is sent there")
        return self

    @cached_property
    def store(self) -> Store:
        """Which DICOM store. Raises ValueError."""
        return Store.parse(self.url)

    @cached_property
    def place(self) -> Place:
        """Where the store is asked for. Raises ValueError."""
        return Place.parse(f"{self.endpoint.rstrip('/')}/v1/{self.store.path}")

    @property
    def address(self) -> str:
        return f"{SCHEME}://{'/'.join(self.store)}"

    @property
    def destinations(self) -> tuple[str, ...]:
        return (self.address, f"{self.place.scheme}://{self.place.authority}")

    @property
    def reads_machine(self) -> bool:
        return self.key is None and self.key_file is None

    def secrets(self) -> Iterator[str]:
        if self.key is not None:
            yield from secrets_of(self.key.get_secret_value())

    async def check(self, trail: Trail) -> Observation:
        from mooring.probes import _google_auth as auth

        knocked = await self._knock(trail)
        skew = _skew(knocked, trail.net.clock.now())
        async with trail.stage(Stage.AUTH):
            token = await auth.token(trail, self.key, self.key_file, self.tls, skew)
            trail.hide(token.text)
            trail.note(account=token.account or "unknown")
            asked = Api(trail, self.place, self.tls, token.headers)
            answer = await asked.get(self.store.path)
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise errors.complaint(answer, self.store, token.account)
        if abs(skew) > LARGEST_SKEW:
            trail.warn(Prose("this machine's clock is {skew} s from Google's", skew=round(skew)), Stage.AUTH)
        if answer.status in (HTTPStatus.OK, HTTPStatus.FORBIDDEN):
            async with trail.stage(Stage.PERMISSION):
                await api.demand_permissions(asked, answer, self.store, self.permissions, token.account)
        async with trail.stage(Stage.FUNCTION):
            await api.demand_store(asked, answer, self.store, token.account)
            found = await api.search(asked, self.store, token.account)
        return Observation({"studies": "some" if found else "none"})

    def reason(self, error: Exception) -> Cause | None:
        known = asked_for_tls(error, "http")
        if known is not None:
            return known
        from mooring.probes._google_refused import explain

        return explain(error)

    async def _knock(self, trail: Trail) -> Response:
        """Ask without a login: the way there is seen by itself, and so is a store that anybody may read."""
        response = await fetch(trail, Request(self.place, tls=self.tls))
        trail.end(trail.monotonic())
        trail.retract(Stage.FUNCTION)
        if response.status == HTTPStatus.OK and self.store.path in response.body.decode("utf-8", "replace"):
            trail.warn(Prose("the store is shown without any login"), Stage.PROTOCOL)
        return response


def _skew(response: Response, now: datetime) -> float:
    """Return the seconds by which this machine's clock is ahead of the server's, by the answer's own date."""
    try:
        return (now - parsedate_to_datetime(response.header("date") or "")).total_seconds()
    except (ValueError, TypeError):
        return 0.0
