"""DICOMweb: what passes, what is warned about, and what a check leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mooring.core.failure import InputError
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.export.json import result_json
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.probes.dicomweb import OPEN
from mooring.targets import TargetReader
from tests.servers.orthanc import ADMIN, READER, SEARCHER, STUDY, Orthanc, StartOrthanc
from tests.servers.pacs_gateway import KEY, TOKEN, PacsGateway
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
TARGETS = TargetReader(Kinds())


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


def stages(result: CheckResult) -> dict[Stage, StageStatus]:
    """Return how each stage ended."""
    return {each.stage: each.status for each in result.stages}


async def test_good_server_is_searched_retrieved_from_and_may_be_stored_to(orthanc: Orthanc) -> None:
    """All three rights are looked at, and the login is found to be demanded."""
    result = await check(orthanc.web(), retrieve=True, store=True)
    assert (result.status, result.failure, list(result.observation.warnings)) == (Status.UP, None, [])
    details = result.observation.details
    assert (details["holds_studies"], details["auth_enforced"]) == (True, True)
    assert result.observation.numbers.keys() == {"first_byte_seconds", "transfer_seconds"}
    ran = stages(result)
    assert (ran[Stage.AUTH], ran[Stage.PERMISSION]) == (StageStatus.PASSED, StageStatus.PASSED)


async def test_checks_of_storing_store_nothing(orthanc: Orthanc) -> None:
    """After checks with `store`, the archive holds what it held."""
    before = orthanc.ask("GET", "/statistics").json()
    for _ in range(3):
        assert (await check(orthanc.web(), store=True)).failure is None
    assert orthanc.ask("GET", "/statistics").json() == before
    assert before["CountInstances"] == 1


async def test_nothing_of_a_patient_is_shown(orthanc: Orthanc) -> None:
    """A result holds neither the name of a patient nor a UID of a study."""
    result = await check(orthanc.web(), retrieve=True)
    text = json.dumps(result_json(result)) + repr(result)
    assert [word for word in (STUDY, "Test^Mooring", "P1") if word in text] == []


@pytest.mark.parametrize("login", [SEARCHER, READER])
async def test_low_privilege_is_enough_for_what_it_is_for(orthanc: Orthanc, login: tuple[str, str]) -> None:
    """Who may only search passes a check that only searches."""
    assert (await check(orthanc.web(login), retrieve=login == READER)).failure is None


async def test_empty_archive_is_up_and_its_right_to_retrieve_is_known(start_orthanc: StartOrthanc) -> None:
    """Where there is no study, one that nobody has is asked for: "not found" means "allowed"."""
    with start_orthanc() as server:
        good = await check(server.web(), retrieve=True)
        bad = await check(server.web(SEARCHER), retrieve=True)
    assert (good.failure, good.observation.details["holds_studies"]) == (None, False)
    assert bad.failure is not None
    assert (bad.failure.code, bad.failure.message) == ("WADO_403", "WADO-RS is answered with 403 Forbidden")


async def test_standard_answer_for_no_study_is_up(pacs_gateway: PacsGateway) -> None:
    """204 is what the standard has servers say where they found nothing."""
    result = await check(pacs_gateway.web("/empty"))
    assert (result.status, result.observation.details["status_code"]) == (Status.UP, 204)


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("/bearer", {"token": TOKEN}),
        ("/key", {"api_key": KEY, "api_key_header": "X-Pacs-Key"}),
        ("/key", {"headers": {"X-Pacs-Key": KEY}}),
    ],
)
async def test_other_logins_are_accepted(
    pacs_gateway: PacsGateway, path: str, settings: dict[str, Any]
) -> None:
    """A bearer token and an API key in a header of any name are logins as well, and secret."""
    result = await check(pacs_gateway.web(path), retrieve=True, **settings)
    assert (result.status, result.failure) == (Status.UP, None)
    assert KEY not in repr(result)
    assert TOKEN not in repr(result)


async def test_client_certificate_is_a_login(pacs_gateway: PacsGateway, certificates: Certificates) -> None:
    """With a certificate of ours the check passes, and without one the server lets nobody in."""
    tls = {"ca": certificates.ca, "cert": certificates.client.cert, "key": certificates.client.key}
    result = await check(pacs_gateway.web("/open", port=pacs_gateway.mtls_port), tls=tls)
    assert (result.status, result.failure) == (Status.UP, None)
    assert stages(result)[Stage.AUTH] is StageStatus.PASSED


async def test_login_that_is_not_demanded_is_warned_about(pacs_gateway: PacsGateway) -> None:
    """A server that shows its studies without the login works, and should not."""
    result = await check(pacs_gateway.web("/open", login=ADMIN))
    assert (result.status, list(result.observation.warnings)) == (Status.DEGRADED, [OPEN])
    assert stages(result)[Stage.AUTH] is StageStatus.WARNING
    assert result.observation.details["auth_enforced"] is False
    unasked = await check(pacs_gateway.web("/open", login=ADMIN), check_enforcement=False)
    assert unasked.status is Status.UP


@pytest.mark.parametrize(
    ("code", "enforced"), [(401, True), (403, True), (302, None), (404, None), (503, None)]
)
async def test_only_a_refusal_proves_that_a_login_is_demanded(
    pacs_gateway: PacsGateway, code: int, enforced: bool | None
) -> None:
    """A request without the login that is answered in another way says neither yes nor no."""
    result = await check(pacs_gateway.web(f"/shy/{code}", login=ADMIN))
    assert (result.status, result.observation.details.get("auth_enforced")) == (Status.UP, enforced)


async def test_limit_that_is_ignored_is_warned_about(pacs_gateway: PacsGateway) -> None:
    """A server that sends more than the one study asked for will one day send them all."""
    result = await check(pacs_gateway.web("/two"))
    assert list(result.observation.warnings) == ["the server ignores limit=1 and sends 2 studies"]


@pytest.mark.parametrize("end", ["", "/", "/studies", "/studies/"])
async def test_address_is_taken_as_people_paste_it(orthanc: Orthanc, end: str) -> None:
    """A slash or /studies at its end means the same."""
    result = await check(orthanc.web() + end)
    assert result.failure is None
    assert result.target.address == f"dicomweb+http://127.0.0.1:{orthanc.http_port}/dicom-web"


async def test_services_may_have_paths_of_their_own(orthanc: Orthanc) -> None:
    """Older servers serve each service below a prefix."""
    settings = {"qido_prefix": "/dicom-web", "wado_prefix": "/dicom-web", "stow_prefix": "/dicom-web"}
    assert (await check(orthanc.web(path=""), retrieve=True, store=True, **settings)).failure is None
    wrong = await check(orthanc.web(path=""), retrieve=True, **{**settings, "wado_prefix": "/wado-rs"})
    assert wrong.failure is not None
    assert (wrong.failure.stage, wrong.failure.code) == (Stage.FUNCTION, "WADO_404")


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"url": "dicomweb+http://h/x?limit=1"}, "url: holds a query; the address ends with the path"),
        ({"url": "dicomweb+http://u:p@h/x", "token": "t"}, "a login stands in the address and in token"),
        ({"url": "dicomweb+http://h/x", "tls": {"verify": False}}, "tls: is of no use without TLS"),
        ({"url": "dicomweb+http://h/x", "api_key": "a\nb"}, "the value of X-API-Key holds a line break"),
        ({"url": "dicomweb+http://h/x", "api_key": "a", "api_key_header": "a b"}, "'a b' is no header name"),
        (
            {"url": "dicomweb+http://h/x", "api_key": "a", "headers": {"x-api-key": "b"}},
            "api_key: headers hold X-API-Key as well; once is enough",
        ),
        ({"url": "dicomweb+http://h/x", "qido_prefix": "qido"}, "qido_prefix"),
        ({"url": "dicomweb+ftp://h/x"}, "a dicomweb address begins with dicomweb+http:// or"),
    ],
)
def test_mistake_is_named(settings: dict[str, Any], mistake: str) -> None:
    """What cannot be used is told with its field and with what would be right."""
    with pytest.raises(InputError) as caught:
        TARGETS.read({"name": "pacs", "kind": "dicomweb", **settings})
    assert mistake in str(caught.value)
