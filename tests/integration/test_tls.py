"""The kind tls against real servers: what is wrong with a certificate is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import mooring
from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.net.tls import UNVERIFIED
from tests.servers.nginx import Nginx, StartNginx
from tests.servers.openssl import StartOpenSSL
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration


async def check(port: int, host: str = "localhost", **settings: Any) -> CheckResult:
    """Check the certificate of a port once."""
    return await mooring.check(f"tls://{host}:{port}", timeout=5, **settings)


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


async def test_good_certificate_is_described(nginx: Nginx, certificates: Certificates) -> None:
    """Names, issuer, version, cipher, fingerprint and days left are told."""
    result = await check(nginx.tls_port, tls={"ca": certificates.ca})
    assert (result.status, result.failure) == (Status.UP, None)
    details = result.observation.details
    assert details["certificate_names"] == ["localhost", "127.0.0.1", "::1"]
    assert details["certificate_subject"] == "localhost"
    assert details["certificate_sha256"] == certificates.good.pin
    assert details["tls_version"] == "TLSv1.3"
    assert details["tls_cipher"].startswith("TLS_")
    assert details["certificate_issuer"]
    assert 699 < result.observation.numbers["certificate_days_left"] < 700
    assert [stage.stage for stage in result.stages] == [Stage.DNS, Stage.TCP, Stage.TLS]


async def test_expired_certificate_says_since_when(
    start_nginx: StartNginx, certificates: Certificates
) -> None:
    """Expired yesterday: the day and the names it was for are said, not only that it is."""
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    message = f"the certificate expired on {day}, 1 day ago; it is for localhost, 127.0.0.1, ::1"
    with start_nginx(certificates.expired) as server:
        for tls in ({"ca": certificates.ca}, {"pin": certificates.expired.pin}, {"verify": False}):
            result = await check(server.tls_port, tls=tls)
            assert told(result) == (Reason.TLS, Stage.TLS, "CERT_EXPIRED", message)
            assert result.failure is not None
            assert result.failure.hint == "Renew the server's certificate."


async def test_certificate_that_expires_soon_warns(
    start_nginx: StartNginx, certificates: Certificates
) -> None:
    """Within warn_days it is degraded, outside it is up."""
    with start_nginx(certificates.expiring) as server:
        near = await check(server.tls_port, tls={"ca": certificates.ca})
        far = await check(server.tls_port, tls={"ca": certificates.ca}, warn_days=4)
    assert (near.status, far.status) == (Status.DEGRADED, Status.UP)
    assert near.observation.warnings[0].startswith("the certificate expires in 5 days, on 20")
    assert near.stages[-1].status is StageStatus.WARNING
    assert 5 < far.observation.numbers["certificate_days_left"] < 5.1


async def test_certificate_of_another_host_says_whose(
    start_nginx: StartNginx, certificates: Certificates
) -> None:
    """A certificate for another host fails and names the hosts that it is for."""
    with start_nginx(certificates.wrong_host) as server:
        result = await check(server.tls_port, tls={"ca": certificates.ca})
        named = await check(server.tls_port, tls={"ca": certificates.ca, "server_name": "other.example"})
    assert told(result) == (
        Reason.TLS,
        Stage.TLS,
        "CERT_HOST_MISMATCH",
        "host name mismatch, certificate is not valid for 'localhost'; it is for other.example",
    )
    assert named.status is Status.UP


async def test_unknown_issuer_is_named(nginx: Nginx, certificates: Certificates) -> None:
    """A certificate by an issuer that is not trusted says who that issuer is."""
    result = await check(nginx.tls_port, tls={"ca": certificates.unknown_ca})
    reason, stage, code, message = told(result)
    assert (reason, stage, code) == (Reason.TLS, Stage.TLS, "CERT_UNKNOWN_ISSUER")
    assert message.startswith(
        "the certificate is of another issuer than those of tls.ca; its issuer is trustme"
    )


async def test_pinned_certificate_is_trusted_for_itself(nginx: Nginx, certificates: Certificates) -> None:
    """The pin alone is enough, and another pin is refused."""
    assert (await check(nginx.tls_port, tls={"pin": certificates.good.pin})).status is Status.UP
    result = await check(nginx.tls_port, tls={"pin": certificates.client.pin})
    assert told(result)[:3] == (Reason.TLS, Stage.TLS, "PIN_MISMATCH")


async def test_verification_that_is_off_warns(nginx: Nginx) -> None:
    """With verify = false a target is degraded for as long as it stands."""
    result = await check(nginx.tls_port, tls={"verify": False})
    assert (result.status, result.observation.warnings) == (Status.DEGRADED, (UNVERIFIED,))


async def test_demanded_client_certificate_is_told(
    start_openssl: StartOpenSSL, certificates: Certificates
) -> None:
    """A server that wants to know us is down without our certificate and up with it, in TLS 1.3 too."""
    for version in ("-tls1_2", "-tls1_3"):
        with start_openssl(certificates.good, client_ca=certificates.ca, version=version) as port:
            without = await check(port, tls={"ca": certificates.ca})
            ours = certificates.client
            known = await check(port, tls={"ca": certificates.ca, "cert": ours.cert, "key": ours.key})
        assert told(without)[:3] == (Reason.TLS, Stage.TLS, "CLIENT_CERT_REQUIRED")
        assert known.status is Status.UP


def test_address_without_a_port_means_https() -> None:
    """Without a port it is 443, and without a host it is no address."""
    from mooring.probes.tls import TLS

    assert TLS(url="tls://shop.example").address == "shop.example:443"
    with pytest.raises(ValueError) as caught:
        TLS(url="tls://")
    assert "a tls address names a host: tls://host:port" in str(caught.value)


async def test_days_are_numbers() -> None:
    """warn_days has its limits."""
    with pytest.raises(InputError) as caught:
        await mooring.check("tls://h", warn_days=-1)
    assert [problem.field for problem in caught.value.problems] == ["warn_days"]
