"""LDAP: a real OpenLDAP, and what Active Directory says."""

from __future__ import annotations

from typing import Any

import pytest

from mooring.core.failure import Cause, InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.tls import UNVERIFIED
from mooring.net.trail import Trail
from mooring.probes._ldap3 import errors
from mooring.probes._ldap_errors import Login, access_rule, cause
from mooring.probes._registry import Kinds
from mooring.probes.ldap import LDAP
from mooring.targets import TargetReader
from tests.integration.entries import target_of
from tests.servers.played import saying
from tests.servers.process import eventually
from tests.servers.slapd import BASE, ODD, READER, Slapd, StartSlapd
from tests.servers.tls import Certificates

REJECTED = (
    "The password is wrong or there is no such entry: the server does not tell which. "
    "Try the login by hand with ldapwhoami."
)
LOGIN = Login(READER[0], BASE)


async def check(settings: dict[str, Any]) -> CheckResult:
    """Check a directory once."""
    async with Network() as net:
        return await Runner(net).run(target_of("ldap", settings, 5), Trigger.CLI)


def mistake(**settings: Any) -> str:
    """Return what is wrong with the settings."""
    with pytest.raises(InputError) as caught:
        TargetReader(Kinds()).read({"name": "directory", "kind": "ldap", **settings})
    return str(caught.value)


@pytest.mark.integration
async def test_good_directory_tells_who_we_are(slapd: Slapd) -> None:
    """A check that passes says by which name the server knows us, and what it holds."""
    result = await check(slapd.settings())
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details == {
        "address": f"127.0.0.1:{slapd.port}",
        "identity": f"dn:{READER[0]}",
        "naming_contexts": BASE,
    }
    assert result.observation.numbers == {"entries": 1}
    assert result.target.address == f"127.0.0.1:{slapd.port}/{BASE}"


@pytest.mark.integration
async def test_login_search_and_base_may_stand_in_the_address(slapd: Slapd) -> None:
    """The address of RFC 4516, with a login before it as in other addresses, is all that is needed."""
    login = f"{READER[0]}:{READER[1]}"
    url = slapd.url().replace("://", f"://{login}@", 1)
    result = await check({"url": f"{url}?sn?sub?(cn=reader)", "expect": "Reader"})
    assert (result.status, result.observation.numbers) == (Status.UP, {"entries": 1})


@pytest.mark.integration
@pytest.mark.parametrize("settings", [{"scheme": "ldaps"}, {"start_tls": True}], ids=["ldaps", "start_tls"])
async def test_tls_is_used_and_verified(
    slapd: Slapd, certificates: Certificates, settings: dict[str, Any]
) -> None:
    """Both ways to TLS verify the certificate, and warn where that is switched off."""
    good = await check(slapd.settings(**settings, tls={"ca": certificates.ca}))
    assert (good.status, good.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    unverified = await check(slapd.settings(**settings, tls={"verify": False}))
    assert (unverified.status, unverified.observation.warnings) == (Status.DEGRADED, (UNVERIFIED,))


@pytest.mark.integration
async def test_anonymous_login_reads_the_root(slapd: Slapd) -> None:
    """Without a login and a base DN the server is asked for what it tells everybody."""
    result = await check({"url": slapd.url("")})
    assert (result.status, result.observation.details["identity"]) == (Status.UP, "anonymous")


@pytest.mark.integration
async def test_password_is_sent_as_it_is(slapd: Slapd) -> None:
    """A password logs in here if it does by ldapwhoami, which sends the very bytes of it."""
    assert (await check(slapd.settings(login=ODD))).observation.details["identity"] == f"dn:{ODD[0]}"


@pytest.mark.integration
async def test_answer_that_makes_no_sense_is_the_servers_fault() -> None:
    """What cannot be read is told as such, not as a fault of ours."""
    twice_read = b"".join(b"\x30\x02\x30" + bytes([4 * after]) for after in range(29, 0, -1))
    for nonsense in (b"", b"\x02\x01\x01\x61\x01\xff", b"\x02\x01\x01\x64\x74" + twice_read):
        with saying(b"\x30" + bytes([len(nonsense)]) + nonsense) as port:
            result = await check({"url": f"ldap://127.0.0.1:{port}"})
        assert result.failure is not None
        assert (result.failure.reason, result.failure.code) == (Reason.PROTOCOL, "UNREADABLE")


@pytest.mark.integration
async def test_value_that_is_cut_within_the_password_hides_its_beginning(slapd: Slapd) -> None:
    """What is left of the password at the end of a value that is too long to be shown is masked."""
    expect = "x" * 70 + READER[1]
    result = await check(slapd.settings(READER[0], attribute="sn", expect=expect))
    assert result.failure is not None
    assert result.failure.message == f"sn is 'Reader', expected '{'x' * 70}***...'"


@pytest.mark.integration
async def test_search_that_is_cut_off_warns(start_slapd: StartSlapd) -> None:
    """A server that shows fewer entries than there are is no failure, and is told."""
    with start_slapd(database_options="sizelimit 2") as server:
        result = await check(server.settings(scope="sub"))
        enough = await check(server.settings(scope="sub", size_limit=2))
    assert (result.status, result.observation.numbers) == (Status.DEGRADED, {"entries": 2})
    assert result.observation.warnings == ("the server cuts the search off after 2 entries",)
    assert (enough.status, enough.observation.warnings) == (Status.UP, ())


@pytest.mark.integration
async def test_session_can_be_held(slapd: Slapd) -> None:
    """A session answers again and again, and is off the server's books once it is left."""
    await eventually(lambda: slapd.sessions() == 0, "the server's forgetting others")
    probe = LDAP.model_validate(slapd.settings())
    async with Network() as net, probe.session(Trail(net, timeout=5)) as session:
        for _ in range(3):
            await probe.ping(session)
        await eventually(lambda: slapd.sessions() == 1, "one session on its books")
    await eventually(lambda: slapd.sessions() == 0, "the server's forgetting us")


@pytest.mark.integration
async def test_tls_on_a_port_without_it_is_no_login_fault(slapd: Slapd) -> None:
    """ldaps:// to the port of ldap:// fails in the handshake, as a fault of TLS."""
    result = await check({**slapd.settings(), "url": f"ldaps://127.0.0.1:{slapd.port}/{BASE}"})
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == (Stage.TLS, Reason.TLS)
    skipped = {stage.stage for stage in result.stages if stage.status is StageStatus.SKIPPED}
    assert Stage.AUTH in skipped


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"url": "ldap://host", "bind_dn": "cn=app"},
            "password: is missing or empty, which would be an anonym",
        ),
        ({"url": "ldap://host", "bind_dn": "cn=app", "password": ""}, "password: is missing or empty"),
        ({"url": "ldap://cn=app:@host"}, "password: is missing or empty, which would be an anonymous login"),
        (
            {"url": "ldap://host", "password": "secret"},
            "bind_dn: is missing, a password alone logs nobody in",
        ),
        ({"url": "ldap:///dc=example"}, "url: an LDAP address names a host: ldap://host/dc=example,dc=org"),
        ({"url": "ldaps://host", "start_tls": True}, "start_tls: is of no use with ldaps://"),
        ({"url": "ldap://host", "tls": {"ca": "/ca.pem"}}, "tls: is of no use without TLS; write ldaps://"),
        ({"url": "ldap://host/dc=a?cn?all"}, "url: behind the base DN stands ?attribute?scope?filter"),
        (
            {"url": "ldap://host/dc=a?cn?sub?(a=b)?x"},
            "url: behind the base DN stands ?attribute?scope?filter",
        ),
        ({"url": "ldap://host", "filter": "uid=app"}, "filter: stands in brackets: (uid=app)"),
        ({"url": "ldap://host", "expect": "Example"}, "expect: is of no use without attribute"),
    ],
)
def test_mistake_says_what_would_be_right(settings: dict[str, Any], told: str) -> None:
    """What cannot work is refused by field, an empty password above all: it would log in as nobody."""
    assert told in mistake(**settings)


def refused(number: int, text: str = "", kind: str = "bindResponse") -> Cause:
    """Return what is made of a result."""
    result = errors.LDAPOperationResult(result=number, description="word", message=text, response_type=kind)
    return cause(result, LOGIN)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1, Reason.PROTOCOL),
        (2, Reason.PROTOCOL),
        (3, Reason.TIMEOUT),
        (4, Reason.OVERLOADED),
        (7, Reason.AUTH),
        (8, Reason.TLS),
        (10, Reason.NOT_FOUND),
        (11, Reason.OVERLOADED),
        (13, Reason.TLS),
        (19, Reason.AUTH),
        (32, Reason.NOT_FOUND),
        (34, Reason.CONFIG),
        (48, Reason.AUTH),
        (49, Reason.AUTH),
        (50, Reason.AUTH),
        (51, Reason.OVERLOADED),
        (52, Reason.UNAVAILABLE),
        (65, Reason.ASSERTION),
    ],
)
def test_result_means_one_reason(number: int, reason: Reason) -> None:
    """The results of RFC 4511, of which a test server gives only some."""
    known = refused(number)
    assert (known.reason, known.code) == (reason, str(number))


@pytest.mark.parametrize(
    ("kind", "reason"), [("bindResponse", Reason.AUTH), ("searchResDone", Reason.PERMISSION)]
)
def test_unwilling_server_is_told_by_what_it_refuses(kind: str, reason: Reason) -> None:
    """A server that is unwilling to log us in refuses the login; else it is a right that is missing."""
    assert refused(53, kind=kind).reason is reason


def test_login_without_the_right_to_it_is_no_search() -> None:
    """The same result means another thing of a login, and no right to search mends that."""
    known = refused(50)
    assert (known.reason, known.fix) == (Reason.AUTH, None)
    assert known.hint == "The server does not let this account log in: its access rules and its log say why."


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ("52e", "Active Directory knows the user, and the password is wrong."),
        ("525", "Active Directory knows no such user: correct bind_dn."),
        ("533", "The account is disabled: enable it."),
        ("775", "The account is locked after too many failures: unlock it, and find who tries it."),
        ("999", REJECTED),
    ],
)
def test_active_directory_says_why(data: str, hint: str) -> None:
    """Active Directory has one result for every refused login, and tells more in its message."""
    text = f"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v3839"
    assert refused(49, text).hint == hint


def test_access_rule_is_only_given_where_it_can_be_quoted() -> None:
    """A name with a quote in it would end the rule's own."""
    assert access_rule(Login('cn="app"', BASE)) is None
    assert access_rule(Login("", BASE, below=True)) == (
        f'access to dn.subtree="{BASE}" by anonymous read by * break'
    )
    assert access_rule(Login("", BASE)) == f'access to dn.base="{BASE}" by anonymous read by * break'
