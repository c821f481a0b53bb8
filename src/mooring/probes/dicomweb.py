"""DICOM over HTTP: search, retrieve, store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.http import Response, fetch
from mooring.net.http_request import Place, Request, demand_headers
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import _dicomweb as web
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._dicom import NOBODY
from mooring.probes._form import MORE
from mooring.probes._http import (
    Headers,
    asked_for_tls,
    authenticates,
    demand_one_login,
    in_our_words,
    refusal,
    secrets_of,
    split_headers,
    stage_of,
)
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

OPEN = Prose("the login is not enforced: whoever asks without one is shown studies as well")
_WITH_TLS = Prose("Write the address with dicomweb+https://.")
_FOR_CONTROL = 0.5
"""Part of the time left that the request without a login may take: it decides on a warning only."""
_TURNED_AWAY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""What proves that a login is demanded. Whatever else a request without one runs into proves nothing."""
_PREFIX = "dicomweb+"

Prefix = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=200)]


def _header_name(name: str) -> str:
    demand_headers([(name, "")])
    return name


class DicomWeb(Probe):
    """DICOMweb: search for a study and, where asked to, look whether one may retrieve and store."""

    kind: Literal["dicomweb"] = "dicomweb"
    schemes: ClassVar[tuple[str, ...]] = ("dicomweb+http", "dicomweb+https")
    defaults: ClassVar[KindDefaults] = KindDefaults(interval=600, timeout=10)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, in date and for this host, and ours is accepted (https)",
        Stage.PROTOCOL: "it answers in HTTP",
        Stage.AUTH: "it accepts the login, and demands it (only where one is given; 401 fails here)",
        Stage.PERMISSION: "the login may search; with `retrieve` and `store`, that as well (403 fails here)",
        Stage.FUNCTION: "a search for one study (QIDO-RS) is answered in DICOM's JSON, with 200 or 204",
    }

    url: SecretStr = Field(
        description="dicomweb+https://[user:password@]host[:port]/dicom-web; the login is sent as Basic.",
        examples=["dicomweb+https://mooring:secret@pacs.example/dicom-web"],
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as Authorization.")
    api_key: SecretStr | None = Field(None, min_length=1, description="API key, sent in `api_key_header`.")
    api_key_header: Annotated[str, AfterValidator(_header_name)] = Field(
        "X-API-Key", description="Header that the API key is sent in.", json_schema_extra={**MORE}
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers to send. All but well-known harmless ones, such as Origin, are kept secret.",
        json_schema_extra={**MORE},
    )
    retrieve: bool = Field(
        False, description="Look whether one may retrieve, by the metadata of one instance (WADO-RS)."
    )
    store: bool = Field(
        False,
        description="Look whether one may store, by sending a message without any instance in it (STOW-RS).",
    )
    check_enforcement: bool = Field(
        True, description="Where a login is given, ask once more without it, and warn if that works too."
    )
    qido_prefix: Prefix = Field(
        "", description="Path for searching, after the address.", json_schema_extra={**MORE}
    )
    wado_prefix: Prefix = Field(
        "", description="Path for retrieving, after the address.", json_schema_extra={**MORE}
    )
    stow_prefix: Prefix = Field(
        "", description="Path for storing, after the address.", json_schema_extra={**MORE}
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for https only."
    )

    @model_validator(mode="after")
    def _can_be_sent(self) -> DicomWeb:
        url = Url.parse(self.url.get_secret_value())
        demand_one_login(self.headers, url, self.token)
        if url.query:
            raise ValueError("url: holds a query; the address ends with the path before /studies")
        if self.api_key is not None:
            demand_headers([(self.api_key_header, self.api_key.get_secret_value())])
            if any(name.lower() == self.api_key_header.lower() for name in self.headers):
                raise ValueError(f"api_key: headers hold {self.api_key_header} as well; once is enough")
        try:
            secure = self._request("").secure
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        demand_use(self.tls, "dicomweb+https:// instead", secure=secure)
        return self

    @cached_property
    def _base(self) -> str:
        """The address without login, in HTTP's own words; people paste it with /studies at its end, too."""
        text = self.url.get_secret_value()
        if text.lower().startswith(_PREFIX):
            text = text[len(_PREFIX) :]
        return text.partition("#")[0].rstrip("/").removesuffix("/studies").rstrip("/")

    @cached_property
    def _logins(self) -> tuple[tuple[str, str], ...]:
        secret = split_headers(self.headers, Url.parse(self.url.get_secret_value()), self.token)[1]
        if self.api_key is None:
            return secret
        return (*secret, (self.api_key_header, self.api_key.get_secret_value()))

    @property
    def _logged_in(self) -> bool:
        return authenticates(self._logins) or self.api_key is not None or self.tls.cert is not None

    @cached_property
    def _search(self) -> Request:
        return self._request(f"{self.qido_prefix}/studies?limit=1")

    @cached_property
    def address(self) -> str:
        return _PREFIX + Place.parse(self._base).shown.rstrip("/")

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from secrets_of(self._logins)

    async def check(self, trail: Trail) -> Observation:
        try:
            response = await fetch(trail, self._search)
        except CheckError as error:
            raise in_our_words(error, _WITH_TLS) from None
        began = trail.monotonic() - response.transfer
        trail.note(status_code=response.status, **_server(response))
        studies = self._judged(trail, response)
        if self._logged_in:
            await self._control(trail)
        if self._logged_in or self.retrieve or self.store:
            await self._demand_rights(trail, studies)
        if len(studies) > 1:
            trail.warn(Prose("the server ignores limit=1 and sends {number} studies", number=len(studies)))
        trail.begin(Stage.FUNCTION, began)
        trail.end(began + response.transfer)
        trail.measure(first_byte_seconds=response.first_byte, transfer_seconds=response.transfer)
        return Observation({"holds_studies": bool(studies)})

    def reason(self, error: Exception) -> Cause | None:
        return asked_for_tls(error, f"{_PREFIX}http")

    def _judged(self, trail: Trail, response: Response) -> web.Found:
        try:
            return web.studies_in(response)
        except web.Refused as told:
            trail.begin(stage_of(told.status), trail.monotonic())
            raise refusal(told.status, told.message, logged_in=self._logged_in, hint=told.hint) from None

    async def _control(self, trail: Trail) -> None:
        """Ask without a login: a server that answers all the same shows its studies to everybody."""
        trail.begin(Stage.AUTH, trail.monotonic())
        if self.check_enforcement and (open_ := await self._answers_strangers(trail)) is not None:
            trail.note(auth_enforced=not open_)
        trail.end(trail.monotonic())
        if trail.notes.get("auth_enforced") is False:
            trail.warn(OPEN, Stage.AUTH)

    async def _answers_strangers(self, trail: Trail) -> bool | None:
        """Return whether studies are shown without the login; None where neither is proved."""
        tls = TLSSettings(self.tls.verify, self.tls.ca, self.tls.pin, server_name=self.tls.server_name)
        public = tuple((name, value) for name, value in self._search.headers)
        stranger = Request(self._search.place, headers=public, tls=tls)
        with suppress(OSError, EOFError, CheckError):  # it says nothing; TimeoutError is an OSError
            async with asyncio.timeout(trail.remaining * _FOR_CONTROL):
                response = await fetch(trail.aside(), stranger)
            try:
                web.studies_in(response)
            except web.Refused as told:
                return False if told.status in _TURNED_AWAY else None
            return True
        return None

    async def _demand_rights(self, trail: Trail, studies: web.Found) -> None:
        trail.begin(Stage.PERMISSION, trail.monotonic())
        try:
            if self.retrieve:
                await self._demand_retrieve(trail, studies)
            if self.store:
                request = self._request(
                    f"{self.stow_prefix}/studies", body=web.NOTHING, content_type=web.NOTHING_TYPE
                )
                web.demand_right(web.Service.STORE, await fetch(trail.aside(), request), there=False)
        except CheckError as error:
            if error.cause.stage is not None:
                trail.begin(error.cause.stage, trail.monotonic())
            raise
        trail.end(trail.monotonic())

    async def _demand_retrieve(self, trail: Trail, studies: web.Found) -> None:
        """Retrieve the metadata of one instance; where there is none, of one that nobody has."""
        study = web.uid_in(studies, web.STUDY_UID)
        path = f"/studies/{study or NOBODY}"
        if study is not None:
            found = await fetch(trail.aside(), self._request(f"{self.qido_prefix}{path}/instances?limit=1"))
            if found.status == HTTPStatus.OK:
                instances = web.objects_in(found)
                series, instance = (web.uid_in(instances, tag) for tag in (web.SERIES_UID, web.INSTANCE_UID))
                path += f"/series/{series}/instances/{instance}" if series and instance else ""
        response = await fetch(trail.aside(), self._request(f"{self.wado_prefix}{path}/metadata"))
        web.demand_right(web.Service.RETRIEVE, response, there=study is not None)
        if response.status == HTTPStatus.OK and not response.cut:
            web.objects_in(response)

    def _request(self, path: str, *, body: bytes | None = None, content_type: str | None = None) -> Request:
        public = split_headers(self.headers, Url.parse(self.url.get_secret_value()), None)[0]
        headers = [(name, value) for name, value in public if name.lower() != "accept"]
        headers.append(("Accept", web.JSON_TYPE))
        if content_type is not None:
            headers.append(("Content-Type", content_type))
        method = "GET" if body is None else "POST"
        place = Place.parse(self._base + path)
        return Request(place, method, tuple(headers), self._logins, body, self.tls)


def _server(response: Response) -> dict[str, str]:
    server = response.header("server")
    return {} if server is None else {"server": cut(server)}
