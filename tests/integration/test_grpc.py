"""gRPC: a real server of grpcio, its logins and its TLS."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mooring.cli.main import main
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.tls import UNVERIFIED
from mooring.probes._registry import Kinds
from mooring.probes.grpc import GRPC
from mooring.targets import TargetReader
from tests.servers.grpc_server import TOKEN, GRPCServer, StartGRPCServer
from tests.servers.tls import Certificate, Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.read({"kind": "grpc", "name": "grpc", "url": url, "timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


@pytest.mark.parametrize("service", ["", "shop.Orders"])
async def test_serving_service_is_up(grpc_server: GRPCServer, service: str) -> None:
    """The whole server and one service of it; without a login no login is proven."""
    result = await check(grpc_server.url(service))
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["health"] == "SERVING"
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.PROTOCOL,
        Stage.FUNCTION,
    ]


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("shop.Proxied", (Reason.UNAVAILABLE, Stage.FUNCTION, "UNAVAILABLE")),
        ("shop.Rejecting", (Reason.ASSERTION, Stage.FUNCTION, "UNKNOWN")),
    ],
)
async def test_answer_that_speaks_of_connections_is_no_lost_one(
    grpc_server: GRPCServer, service: str, told: tuple[Reason, Stage, str]
) -> None:
    """What the server or a proxy says of what stands behind it is an answer, not a fault of the network."""
    failure = (await check(grpc_server.url(service))).failure
    assert failure is not None
    assert (failure.reason, failure.stage, failure.code) == told


async def test_environment_of_the_program_is_left_alone(
    grpc_server: GRPCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check changes nothing of the program that it runs in; only `mooring` itself quiets grpcio."""
    monkeypatch.setenv("GRPC_VERBOSITY", "")  # so that what is set below is undone
    monkeypatch.delenv("GRPC_VERBOSITY")
    before = dict(os.environ)
    await check(grpc_server.url())
    assert dict(os.environ) == before
    main(["kinds"])
    assert os.environ["GRPC_VERBOSITY"] == "NONE"


@pytest.mark.parametrize("login", [{"token": TOKEN}, {"metadata": {"authorization": f"Bearer {TOKEN}"}}])
async def test_login_is_sent(grpc_server: GRPCServer, login: dict[str, Any]) -> None:
    """As a token or as metadata; that it is accepted is a stage of its own."""
    result = await check(grpc_server.url("private.Orders"), **login)
    assert result.status is Status.UP
    passed = [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED]
    assert passed[-3:] == [Stage.AUTH, Stage.PERMISSION, Stage.FUNCTION]
    assert TOKEN not in repr(result)


async def test_proxy_of_the_environment_is_not_used(
    grpc_server: GRPCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library reads http_proxy and grpc_proxy; what the target says is what is tested."""
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await check(grpc_server.url())).status is Status.UP


def trust(certificates: Certificates, how: str) -> dict[str, Any]:
    """Return one way in which TLS settings let the good certificate through."""
    return {
        "ca": {"ca": certificates.ca},
        "pin": {"pin": certificates.good.pin},
        "any host": {"ca": certificates.ca, "verify": "ca"},
        "named": {"ca": certificates.ca, "server_name": "127.0.0.1"},
        "none": {"verify": False},
    }[how]


@pytest.mark.parametrize("how", ["ca", "pin", "any host", "named", "none"])
async def test_tls_settings_mean_for_grpcio_what_they_mean_for_us(
    tls_grpc_server: GRPCServer, certificates: Certificates, how: str
) -> None:
    """The library verifies a second time, and takes what our own handshake found in order."""
    result = await check(tls_grpc_server.url(), tls=trust(certificates, how))
    assert (result.failure, result.observation.details["health"]) == (None, "SERVING")
    assert result.observation.warnings == ((UNVERIFIED,) if how == "none" else ())


@pytest.mark.parametrize("tls", [{"pin": ""}, {"verify": "ca"}, {"server_name": "other.example"}])
async def test_certificate_for_another_host_is_taken_where_that_is_asked(
    start_grpc_server: StartGRPCServer, certificates: Certificates, tls: dict[str, Any]
) -> None:
    """A pin, any host, and the name that it carries."""
    certificate: Certificate = certificates.wrong_host
    own = {"pin": certificate.pin} if "pin" in tls else {"ca": certificates.ca, **tls}
    with start_grpc_server(certificate) as server:
        result = await check(server.url(), tls=own)
    assert (result.status, result.failure) == (Status.UP, None)


async def test_client_certificate_is_shown(
    start_grpc_server: StartGRPCServer, certificates: Certificates
) -> None:
    """A server that demands a certificate is up with one."""
    own = {"cert": certificates.client.cert, "key": certificates.client.key}
    with start_grpc_server(certificates.good, client_ca=certificates.ca) as server:
        result = await check(server.url(), tls={"ca": certificates.ca, **own})
    assert (result.status, result.failure) == (Status.UP, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "grpc://h"}, "url: a grpc address names host and port: grpc://host:port/service.Name"),
        ({"url": "grpcs://"}, "url: a grpc address names host and port"),
        ({"url": "grpc://u:p@h:1"}, "url: gRPC knows no user and password; set token or metadata"),
        ({"url": "grpc://h:1", "tls": {"ca": "/ca.pem"}}, "write grpcs:// instead of grpc://"),
        ({"url": "grpc://h:1", "metadata": {"Big": "x"}}, "metadata: 'Big' has to be lower case"),
        ({"url": "grpc://h:1", "metadata": {"grpc-x": "x"}}, "metadata: 'grpc-x' has to be lower case"),
        (
            {"url": "grpc://h:1", "metadata": {"x": "ä"}},
            "the value of x holds what is not printable",
        ),
        ({"url": "grpc://h:1", "token": "a", "metadata": {"authorization": "b"}}, "one is enough"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    """What is wrong is said by its field, with what would be right."""
    with pytest.raises(ValueError) as caught:
        GRPC.model_validate(settings)
    assert message in str(caught.value)


def test_address_shows_host_and_service() -> None:
    """The port of TLS is 443 where none is written."""
    assert GRPC(url="grpcs://h/shop.Orders").address == "h:443/shop.Orders"
    assert GRPC(url="grpc://[::1]:50051").address == "[::1]:50051"
