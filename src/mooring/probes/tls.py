"""A TLS certificate."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import CheckError
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import dial
from mooring.net.handshake import expired
from mooring.net.tls import DAYS_WARNING, TLSInfo, TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._url import Url

HTTPS_PORT = 443


class TLS(Probe):
    """TLS: the handshake, and the certificate's chain, names and days left."""

    kind: Literal["tls"] = "tls"
    defaults = KindDefaults(interval=300, timeout=10)
    schemes: ClassVar[tuple[str, ...]] = ("tls",)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the handshake succeeds, and the certificate is trusted, for this host, and not expired",
    }

    url: SecretStr = Field(
        description="tls://host:port; without a port it is 443.", examples=["tls://shop.example:443"]
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="Whom to trust, and who we are.")
    warn_days: float = Field(
        DAYS_WARNING, ge=0, le=3650, description="Days left on the certificate at which it warns."
    )

    @model_validator(mode="after")
    def _has_host(self) -> TLS:
        if not self._parts.host:
            raise ValueError("url: a tls address names a host: tls://host:port")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _port(self) -> int:
        return self._parts.port or HTTPS_PORT

    @property
    def address(self) -> str:
        return self._parts.authority(HTTPS_PORT)

    async def check(self, trail: Trail) -> Observation:
        host = self._parts.host
        async with await dial(trail, host, self._port) as stream, trail.stage(Stage.TLS):
            began = trail.monotonic()
            seen = await stream.start_tls(trail, self.tls, host, warn_days=self.warn_days)
            # As long as the handshake took, and that again: what it says to it is on its way until then.
            await stream.hear_refusal(min(2 * (trail.monotonic() - began), trail.remaining / 2))
            now = trail.net.clock.now()
            if seen.certificate is not None and seen.certificate.not_after < now:  # not seen to by a pin
                cause = expired(seen.certificate, now)
                raise CheckError(cause.reason, cause.message or "", code=cause.code, hint=cause.hint)
        return _observation(seen, now)


def _observation(seen: TLSInfo, now: datetime) -> Observation:
    details: dict[str, object] = {"tls_cipher": seen.cipher, "certificate_sha256": seen.fingerprint}
    if seen.certificate is None:
        return Observation(details)
    certificate = seen.certificate
    details["certificate_subject"] = certificate.subject
    details["certificate_issuer"] = certificate.issuer
    details["certificate_names"] = list(certificate.names)
    return Observation(details, {"certificate_days_left": seen.days_left(now) or 0.0})
