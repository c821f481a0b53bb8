"""DICOM over its own protocol, DIMSE: a PACS, a modality, a worklist."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import first_words, use
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults
from mooring.probes._dicom import NOBODY, Service, Titles, failed, title
from mooring.probes._session import SessionProbe
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._pynetdicom import Association

DICOM_PORT, DICOM_TLS_PORT = 104, 2762
OUR_TITLE = "MOORING"
VERIFICATION = "1.2.840.10008.1.1"
_MODELS = {
    "PATIENT": "1.2.840.10008.5.1.4.1.2.1.1",
    "STUDY": "1.2.840.10008.5.1.4.1.2.2.1",
    "SERIES": "1.2.840.10008.5.1.4.1.2.2.1",
    "IMAGE": "1.2.840.10008.5.1.4.1.2.2.1",
    "WORKLIST": "1.2.840.10008.5.1.4.31",
}
"""The SOP class that answers for each level: patient root, study root, modality worklist."""
_UPPER_LEVELS = {
    "PATIENT": {},
    "STUDY": {},
    "SERIES": {"StudyInstanceUID": NOBODY},
    "IMAGE": {"StudyInstanceUID": NOBODY, "SeriesInstanceUID": NOBODY},
    "WORKLIST": {},
}
_PLAIN = bytes.fromhex("05000000000400000000")
"""A-RELEASE-RQ, at which a peer that has not been associated aborts."""
_DRIVER = "mooring.probes._pynetdicom"

Level = Literal["PATIENT", "STUDY", "SERIES", "IMAGE", "WORKLIST"]


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Dicom(SessionProbe["Association"]):
    """DICOM: ask for an association, send a C-ECHO and, where asked to, a C-FIND."""

    kind: Literal["dicom"] = "dicom"
    schemes: ClassVar[tuple[str, ...]] = ("dicom", "dicoms", "dicom-tls")
    extra: ClassVar[str | None] = "dicom"
    defaults: ClassVar[KindDefaults] = KindDefaults(interval=600, timeout=10)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, in date and for this host, and ours is accepted (dicoms)",
        Stage.PROTOCOL: "it answers in DICOM",
        Stage.AUTH: "it accepts an association between the two AE titles",
        Stage.PERMISSION: "it offers C-ECHO and, with `find`, C-FIND to our AE title",
        Stage.FUNCTION: "it answers a C-ECHO and, with `find`, a C-FIND with success",
    }

    url: SecretStr = Field(
        description="dicom://CALLED_AET@host:port?calling_aet=OURS, or dicoms:// with TLS",
        examples=["dicom://PACS@pacs.example:11112?calling_aet=MOORING"],
    )
    calling_aet: str | None = Field(
        None, description=f"Our own AE title, where the address does not say it; else {OUR_TITLE}."
    )
    find: Annotated[Level, BeforeValidator(_upper)] | None = Field(
        None,
        description="Level of a C-FIND to send after the C-ECHO, which some peers answer to anybody.",
    )
    find_keys: dict[str, str] = Field(
        default_factory=dict,
        max_length=20,
        description="What the C-FIND matches, by DICOM keyword; without any it asks for what nobody has,"
        " which costs the peer least.",
        examples=[{"PatientID": "TEST*"}],
    )
    find_matches: int = Field(0, ge=0, le=100, description="Matches that the C-FIND has to bring at least.")
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for dicoms:// only."
    )

    @model_validator(mode="after")
    def _fits(self) -> Dicom:
        url = self._parts
        if not url.host:
            raise ValueError("url: a DICOM address names a host: dicom://CALLED_AET@host:port")
        if url.password is not None:
            raise ValueError("url: DICOM knows no password; what stands before the @ is the peer's AE title")
        if not self._called:
            raise ValueError("url: name the peer's AE title: dicom://CALLED_AET@host:port")
        if unknown := set(url.query) - {"calling_aet"}:
            raise ValueError(f"url: unknown {min(unknown)[:40]!r}; the address takes only calling_aet")
        if self.calling_aet is not None and "calling_aet" in url.query:
            raise ValueError("calling_aet: stands in the address as well; once is enough")
        if url.user and url.name:
            raise ValueError("url: the peer's AE title stands before the @; leave out what follows the port")
        title(self._called, "url")
        title(self._calling, "calling_aet")
        demand_use(self.tls, "dicoms:// instead of dicom://", secure=self._secure)
        if self.find is None and (self.find_keys or self.find_matches):
            raise ValueError("find: has to name a level where find_keys or find_matches are given")
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme != "dicom"

    @property
    def _port(self) -> int:
        return self._parts.port or (DICOM_TLS_PORT if self._secure else DICOM_PORT)

    @property
    def _called(self) -> str:
        return self._parts.user or self._parts.name

    @property
    def _calling(self) -> str:
        return self._parts.query.get("calling_aet") or self.calling_aet or OUR_TITLE

    @property
    def address(self) -> str:
        return f"{title(self._called, 'url')}@{self._parts.authority(self._port)}"

    async def open(self, trail: Trail) -> Association:
        driver = await _driver(trail)
        with ExitStack() as undo:
            host, tls = self._parts.host, self.tls if self._secure else None
            stream = await dial(trail, host, self._port, tls, plain=_PLAIN)
            undo.callback(stream.drop)
            own_address = str(stream.writer.get_extra_info("sockname")[0])
            titles = Titles(
                title(self._calling, "calling_aet"), title(self._called, "url"), own_address.partition("%")[0]
            )
            wanted = [VERIFICATION] if self.find is None else [VERIFICATION, _MODELS[self.find]]
            association = driver(stream, titles, wanted)
            hint = use("dicoms", "dicom")
            async with first_words(trail, stream, host, tls, hint), trail.stage(Stage.PROTOCOL):
                answer = await association.request()
            async with trail.stage(Stage.AUTH):
                association.demand_accepted(answer)
            undo.pop_all()
        return association

    async def inspect(self, session: Association, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            session.demand(VERIFICATION, Service.ECHO)
            if self.find is not None:
                session.demand(_MODELS[self.find], Service.FIND)
        trail.begin(Stage.FUNCTION, trail.monotonic())
        try:
            matches = await self._use(session, trail)
        except CheckError as error:
            if error.cause.stage is Stage.PERMISSION:  # told only by trying: what was agreed upon is refused
                trail.begin(Stage.PERMISSION, trail.monotonic())
            raise
        trail.end(trail.monotonic())
        details = {"called_aet": session.peer.called, "calling_aet": session.peer.calling}
        if session.implementation:
            details["implementation"] = session.implementation
        return Observation(details, {} if matches is None else {"matches": matches})

    async def _use(self, session: Association, trail: Trail) -> int | None:
        began = trail.monotonic()
        await self.ping(session)
        trail.measure(echo_seconds=trail.monotonic() - began)
        if self.find is None:
            return None
        began = trail.monotonic()
        status, matches = await session.find(_MODELS[self.find], self._wanted())
        trail.measure(find_seconds=trail.monotonic() - began)
        if not session.succeeded(status):
            raise failed(Service.FIND, status, session.peer)
        if matches < self.find_matches:
            raise CheckError(
                Reason.ASSERTION,
                Prose(
                    "the C-FIND has {seen} matches, expected {least}", seen=matches, least=self.find_matches
                ),
                code="TOO_FEW_MATCHES",
                hint=Prose("Look whether the peer still has what find_keys asks for."),
            )
        return matches

    def _wanted(self) -> Mapping[str, str]:
        keys = dict(self.find_keys or {"PatientID": NOBODY, **_UPPER_LEVELS[self.find or "STUDY"]})
        return keys if self.find == "WORKLIST" else {"QueryRetrieveLevel": str(self.find), **keys}

    async def ping(self, session: Association) -> None:
        status = await session.echo(VERIFICATION)
        if status != 0:
            raise failed(Service.ECHO, status, session.peer)

    async def close(self, session: Association) -> None:
        await session.release()

    def drop(self, session: Association) -> None:
        session.drop()

    def reason(self, error: Exception) -> Reason | None:
        """Explain what the driver raises where it packs or unpacks; ours are told already."""
        driver = type(error).__module__.partition(".")[0]
        return Reason.PROTOCOL if driver in ("pynetdicom", "pydicom") else None


async def _driver(trail: Trail) -> type[Association]:
    """Import the driver, off the event loop: the first time takes a third of a second."""
    if _DRIVER not in sys.modules:
        await trail.in_thread(partial(importlib.import_module, _DRIVER))
    from mooring.probes._pynetdicom import Association

    return Association
