"""DataHub: what is told of it, and that what we send is what the real one understands.

The real schema is not ours to ship. Where it does not lie beside the project, the tests of it skip by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_required_argument,
    is_required_input_field,
    is_specified_scalar_type,
    parse,
    validate,
)

import mooring
from mooring.core.failure import CheckError, InputError
from mooring.core.reason import Reason
from mooring.core.redact import MASK
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.net.http_request import Place
from mooring.net.network import Network
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._datahub import DOCUMENTS, Door, fetch_aside
from mooring.probes._datahub_answer import Answer, Claims
from mooring.probes._datahub_rights import PRIVILEGES, Actor, lacking
from mooring.probes.datahub import DataHub as Kind
from mooring.targets import keys_of
from tests.integration.entries import target_of
from tests.servers.datahub import REVOKED_TOKEN, SCHEMA, TOKEN, DataHub, StartDataHub, token_of
from tests.servers.process import free_port
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
REAL_SCHEMA = Path(__file__).parents[2].parent / "shared/data/datahub-graphql"
NOT_ENFORCED = "authentication is not enforced: without a valid token one is let in as urn:li:corpuser:{}"
GRANT = lacking("urn:li:corpuser:mooring", list(PRIVILEGES.values()), proved=True).cause.fix or ""


def details(result: CheckResult) -> dict[str, Any]:
    """Return the details of a check that works, but for the address."""
    assert result.failure is None, result.failure
    return {key: value for key, value in result.observation.details.items() if key != "address"}


def message(result: CheckResult) -> str:
    """Return what a failed check says."""
    assert result.failure is not None
    return result.failure.message


def warned(result: CheckResult) -> list[Stage]:
    """Return the stages with a warning."""
    return [stage.stage for stage in result.stages if stage.status is StageStatus.WARNING]


# What is sent


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    """The stand-in's schema."""
    return build_schema(SCHEMA.read_text())


@pytest.fixture(scope="module")
def real() -> GraphQLSchema:
    """DataHub's own schema, all files of it."""
    files = sorted(REAL_SCHEMA.glob("*.graphql"))
    if not files:
        pytest.skip("the real schema of DataHub is not beside the project, in ../shared/data/datahub-graphql")
    return build_schema("\n".join(file.read_text() for file in files))


def beyond(ours: GraphQLSchema, real: GraphQLSchema) -> list[str]:
    """Return what our schema has and the real one has not, or the real one demands and ours does not."""
    return [
        difference
        for name, mine in ours.type_map.items()
        if not (is_introspection_type(mine) or is_specified_scalar_type(mine))
        for difference in _beyond(name, mine, real.type_map.get(name))
    ]


def _beyond(name: str, mine: GraphQLNamedType, other: GraphQLNamedType | None) -> Iterator[str]:
    if type(mine) is not type(other):
        yield f"{name} is {type(other).__name__}"
    elif isinstance(mine, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
        yield from (f"{name}.{value}" for value in mine.values.keys() - other.values.keys())
    elif isinstance(mine, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
        yield from _differing(name, mine.fields, other.fields)
        needed = {key for key, field in other.fields.items() if is_required_input_field(field)}
        yield from (f"{name}.{key} is missing" for key in needed - mine.fields.keys())
    elif isinstance(mine, GraphQLObjectType) and isinstance(other, GraphQLObjectType):
        yield from _differing(name, mine.fields, other.fields)
        for key in mine.fields.keys() & other.fields.keys():
            asked, known = mine.fields[key].args, other.fields[key].args
            yield from _differing(f"{name}.{key}", asked, known)
            needed = {arg for arg, each in known.items() if is_required_argument(each)}
            yield from (f"{name}.{key}({arg}) is missing" for arg in needed - asked.keys())


def _differing(name: str, mine: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for key, field in mine.items():
        known = str(other[key].type) if key in other else "unknown"
        if known != str(field.type):
            yield f"{name}.{key} is {known}"


def test_our_schema_is_a_true_part_of_the_real_one(ours: GraphQLSchema, real: GraphQLSchema) -> None:
    """Every type, field, argument and value of the stand-in is DataHub's, of the same type."""
    assert beyond(ours, real) == []


@pytest.mark.parametrize(
    ("mine", "wrong", "told"),
    [
        ("  appVersion: String", "  appVersion: Int", ["AppConfig.appVersion is String"]),
        ("  urn: String!", "  urn: String!\n  shoeSize: Int", ["CorpUser.shoeSize is unknown"]),
        ("  PLATFORM", "  PLATFORM\n  PIRATES", ["PolicyType.PIRATES"]),
        ("  name: String!", "", ["PolicyUpdateInput.name is missing"]),
        ("me: AuthenticatedUser", "me(loud: Boolean): AuthenticatedUser", ["Query.me.loud is unknown"]),
    ],
)
def test_a_false_part_is_found(ours: GraphQLSchema, mine: str, wrong: str, told: list[str]) -> None:
    """The comparison finds another type, field, value and argument, and a missing one."""
    assert beyond(build_schema(SCHEMA.read_text().replace(mine, wrong, 1)), ours) == told


@pytest.mark.parametrize("document", [*DOCUMENTS, GRANT])
def test_real_schema_understands_what_is_sent(real: GraphQLSchema, document: str) -> None:
    """Every query, and the line that we tell people to paste, is valid in the real schema."""
    assert validate(real, parse(document)) == []


@pytest.mark.parametrize("document", [*DOCUMENTS, GRANT])
def test_our_schema_understands_what_is_sent(ours: GraphQLSchema, document: str) -> None:
    """Every query, and the line that we tell people to paste, is valid in the stand-in's schema."""
    assert validate(ours, parse(document)) == []


def test_nothing_that_is_sent_changes_anything() -> None:
    """Mooring sends queries only; what it proposes to paste is a mutation."""
    operations = [parse(document).definitions[0].operation.value for document in DOCUMENTS]  # type: ignore[attr-defined]
    assert set(operations) == {"query"}


# What is told


async def test_gms_tells_who_it_is_and_whose_the_token_is(datahub: DataHub) -> None:
    """A check that passes names what answers, its version, the actor, and what it found."""
    result = await mooring.check(datahub.url())
    assert result.status is Status.UP
    assert details(result) == {
        "endpoint": "GMS",
        "server_version": "v1.6.0-stand-in",
        "actor": "urn:li:corpuser:mooring",
        "token_expires": "never",
        "auth_enforced": True,
    }
    numbers = dict(result.observation.numbers)
    assert numbers.pop("search_seconds") > 0
    assert numbers == {"policies": 12, "ingestion_sources": 3, "search_results": 42}
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        stage for stage in Kind.proves if stage is not Stage.TLS
    ]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/frontend", "front end"), ("/frontend/api/gms", "GMS behind the front end")],
)
async def test_front_end_is_told_apart(datahub: DataHub, path: str, endpoint: str) -> None:
    """The front end and GMS behind it are known by their answers, and asked where each has its GraphQL."""
    result = await mooring.check(datahub.url(path))
    assert result.status is Status.UP
    assert details(result)["endpoint"] == endpoint
    assert details(result)["auth_enforced"] is True


@pytest.mark.parametrize("path", ["/frontend", "/frontend/api/gms"])
async def test_front_end_asks_for_a_token(datahub: DataHub, path: str) -> None:
    """Without a token the front end passes nothing on, and that is told as a login that is missing."""
    result = await mooring.check(datahub.url(path, None))
    assert result.failure is not None
    assert (result.failure.stage, result.failure.code) == (Stage.AUTH, "NO_TOKEN")


@pytest.mark.parametrize(
    "path", ["", "/", "//", "/config", "/api/graphql", "/api/v2/graphql", "/api/graphiql/"]
)
def test_what_people_paste_means_the_same(path: str) -> None:
    """A `/` at the end never matters, nor the path of one of DataHub's pages."""
    kind = Kind.from_url(f"datahub+https://{TOKEN}@datahub.example{path}")
    assert kind.address == "https://datahub.example"
    assert kind.door.request("/config", None).shown == "https://datahub.example/config"


def test_path_is_kept() -> None:
    """DataHub Cloud has GMS below /gms."""
    kind = Kind.from_url(f"datahub+https://{TOKEN}@tenant.example:8443/gms/")
    assert kind.door.request("/config", None).shown == "https://tenant.example:8443/gms/config"


@pytest.mark.parametrize(
    ("login", "token"),
    [(f"{TOKEN}@", None), (f":{TOKEN}@", None), ("", TOKEN)],
    ids=["before the host", "as a password", "as a setting"],
)
async def test_token_stands_where_people_put_it(datahub: DataHub, login: str, token: str | None) -> None:
    """The token is taken from the address or the setting, is sent as Bearer, and is a secret in both."""
    url = f"datahub+http://{login}127.0.0.1:{datahub.port}"
    result = await mooring.check(url, **({} if token is None else {"token": token}))
    assert details(result)["actor"] == "urn:li:corpuser:mooring"
    target = target_of("datahub", {"url": url} | ({} if token is None else {"token": token}))
    assert TOKEN in set(target.probe.secrets())
    assert MASK in json.dumps(keys_of(target))
    assert TOKEN not in json.dumps(keys_of(target))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("datahub+https://a:b@host", "DataHub takes a token, no user and password"),
        ("datahub+https://@host", "nothing stands before the @"),
        ("datahub+https://token@host?x=1", "has no ?query"),
        ("datahub+https://t%C3%B6ken@host", "holds a letter that is not ASCII"),
        ("datahub+https://token@host:0", "the port has to be a number"),
        ("datahub+https://token@", "names no host"),
    ],
)
def test_address_that_cannot_be_used_says_why(url: str, told: str) -> None:
    """A mistake in the address is told in its own words, without the token."""
    with pytest.raises(InputError) as error:
        target_of("datahub", {"url": url})
    assert told in str(error.value)
    assert "token@" not in str(error.value)


def test_one_token_is_enough() -> None:
    """A token in the address and another as a setting contradict each other."""
    with pytest.raises(InputError, match="a login stands in the address and in token"):
        target_of("datahub", {"url": "datahub+https://one@host", "token": "two"})


def test_tls_is_of_no_use_without_tls() -> None:
    """Settings of TLS beside an address without it would let people believe in it."""
    with pytest.raises(InputError, match=r"tls: is of no use without TLS; write datahub\+https:// instead"):
        target_of("datahub", {"url": "datahub+http://token@host", "tls": {"verify": False}})


# Whether the token counts


@pytest.mark.parametrize("path", ["/noop", "/frontend-noop"])
async def test_datahub_that_looks_at_no_token_is_degraded(datahub: DataHub, path: str) -> None:
    """Where any token is the system's, that is a standing warning at auth; all else is tested still."""
    result = await mooring.check(datahub.url(path, "any-token"))
    assert (result.status, warned(result)) == (Status.DEGRADED, [Stage.AUTH])
    assert result.observation.warnings == (NOT_ENFORCED.format("__datahub_system"),)
    assert details(result)["actor"] == "urn:li:corpuser:__datahub_system"
    assert details(result)["auth_enforced"] is False


async def test_datahub_without_tokens_needs_none(datahub: DataHub) -> None:
    """Without a token the check itself is the negative control."""
    result = await mooring.check(datahub.url("/noop", None))
    assert result.observation.warnings == (NOT_ENFORCED.format("__datahub_system"),)


@pytest.mark.parametrize("path", ["/guest", "/frontend-guest"])
async def test_guests_are_a_warning_while_the_token_counts(datahub: DataHub, path: str) -> None:
    """A DataHub that lets guests in is told so, beside a token that is accepted."""
    result = await mooring.check(datahub.url(path))
    assert result.observation.warnings == (NOT_ENFORCED.format("guest"),)
    assert details(result)["actor"] == "urn:li:corpuser:mooring"


async def test_a_guest_s_own_token_counts(datahub: DataHub) -> None:
    """A token that says itself that it is the guest's is not told as ignored."""
    result = await mooring.check(datahub.url("/guest", token_of("guest")), permissions=[])
    assert result.observation.warnings == (NOT_ENFORCED.format("guest"),)


async def test_ignored_token_says_whom_it_became(datahub: DataHub) -> None:
    """No right is proposed for the guest that a wrong token has become."""
    result = await mooring.check(datahub.url("/guest", REVOKED_TOKEN))
    assert message(result) == (
        "DataHub does not accept the token: it takes us for urn:li:corpuser:guest, its guest"
    )
    assert result.failure is not None
    assert result.failure.fix is None


@pytest.mark.parametrize(("expected", "is_proposed"), [(None, False), ("guest", True)])
async def test_right_is_proposed_only_for_whom_more_than_the_server_names(
    datahub: DataHub, expected: str | None, is_proposed: bool
) -> None:
    """A server that calls us whom it likes gets nobody a right: the token or the settings have to agree."""
    settings = {} if expected is None else {"expect_actor": expected}
    result = await mooring.check(datahub.url("/guest", None), **settings)
    assert result.failure is not None
    assert (result.failure.code, result.failure.fix is not None) == ("PRIVILEGES_MISSING", is_proposed)
    hint = result.failure.hint or ""
    assert hint.startswith("Make sure that urn:li:corpuser:guest is whose token") is not is_proposed


def test_name_that_the_server_gives_proves_nothing() -> None:
    """A server that calls another user by our name is not believed."""
    actor = Actor("urn:li:corpuser:mallory", "mooring", {}, None, tokens_count=True)
    assert (actor.called("mooring"), actor.proved_by("mooring"), actor.proved_by(None)) == (
        True,
        False,
        False,
    )
    assert actor.proved_by("mallory")
    assert actor.proved_by("urn:li:corpuser:mallory")


async def test_expired_token_is_no_guest(datahub: DataHub) -> None:
    """An expired token is refused even where guests are let in; its day is told."""
    expired = token_of("mooring", -2)
    result = await mooring.check(datahub.url("/guest", expired))
    day = Claims.of(expired).expires
    assert day is not None
    assert message(result) == f"the token expired on {day:%Y-%m-%d}"
    assert -2.1 < result.observation.numbers["token_days_left"] < -1.9


async def test_expired_token_that_is_let_in_is_told(datahub: DataHub) -> None:
    """Where no token is looked at, an expired one still is a warning."""
    result = await mooring.check(datahub.url("/noop", token_of("mooring", -2)))
    assert len(result.observation.warnings) == 2
    assert result.observation.warnings[0].endswith("and is still let in")


async def test_control_can_be_left_out(datahub: DataHub) -> None:
    """Where nobody wants requests without a token in the log, none is sent, and nothing is said of it."""
    result = await mooring.check(datahub.url("/noop", "any"), check_enforcement=False)
    assert (result.status, result.observation.warnings) == (Status.UP, ())
    assert "auth_enforced" not in details(result)


@pytest.mark.parametrize("wanted", ["mooring", "urn:li:corpuser:mooring"])
async def test_expected_actor_is_a_name_or_a_urn(datahub: DataHub, wanted: str) -> None:
    """Both spellings of a user are taken."""
    assert (await mooring.check(datahub.url(), expect_actor=wanted)).status is Status.UP


async def test_wrong_actor_is_named(datahub: DataHub) -> None:
    """Both users are named."""
    result = await mooring.check(datahub.url(), expect_actor="somebody")
    assert message(result) == "the token is urn:li:corpuser:mooring's, expected somebody"


# How long it lasts


@pytest.mark.parametrize(
    ("days", "settings", "left"),
    [(10.5, {}, "10 days"), (1.5, {}, "1 day"), (20.5, {"token_warn_days": 30}, "20 days")],
)
async def test_token_that_will_expire_warns_ahead(
    datahub: DataHub, days: float, settings: dict[str, Any], left: str
) -> None:
    """Days before it expires the target is degraded, with the day in the warning and the days as a number."""
    token = token_of("mooring", days)
    result = await mooring.check(datahub.url(token=token), **settings)
    day = Claims.of(token).expires
    assert day is not None
    assert (result.status, warned(result)) == (Status.DEGRADED, [Stage.AUTH])
    assert result.observation.warnings == (f"the token expires in {left}, on {day:%Y-%m-%d}",)
    assert details(result)["token_expires"] == day.isoformat()
    assert days - 0.01 < result.observation.numbers["token_days_left"] <= days


async def test_token_that_lasts_is_no_warning(datahub: DataHub) -> None:
    """With more days left than that, only the number is told."""
    result = await mooring.check(datahub.url(token=token_of("mooring", 20)))
    assert (result.status, result.observation.warnings) == (Status.UP, ())
    assert result.observation.numbers["token_days_left"] > 19.9


@pytest.mark.parametrize(
    "token", ["", "opaque", "a.b.c", "..", "a.bnVsbA.c", "a.W10.c", "a.eyJleHAiOiAieCJ9.c"]
)
def test_token_that_says_nothing_is_not_read(token: str) -> None:
    """What is no JWT, or holds no claims, says nothing of itself and harms nothing."""
    assert Claims.of(token) == Claims()


def test_far_expiry_is_read() -> None:
    """The time is that of Unix; one beyond all calendars says nothing."""
    assert Claims.of(token_of("x")).expires is None
    until = datetime(2030, 1, 2, tzinfo=UTC)
    days = (until - datetime.now(UTC)).total_seconds() / 86400
    read = Claims.of(token_of("x", days)).expires
    assert read is not None
    assert abs((read - until).total_seconds()) < 2
    assert Claims.of(token_of("x", 1e15)) == Claims()


# What it may do


async def test_missing_privileges_are_named(datahub: DataHub) -> None:
    """The message says who lacks which of DataHub's privileges, and for what."""
    result = await mooring.check(datahub.url(token=token_of("reader")))
    assert message(result) == (
        "urn:li:corpuser:reader may not list policies nor list ingestion sources: "
        'it lacks "Manage Policies" and "Manage Metadata Ingestion"'
    )


@pytest.mark.parametrize(
    ("user", "permissions", "numbers"),
    [
        ("steward", ["policies"], {"policies"}),
        ("crawler", ["ingestion_sources"], {"ingestion_sources"}),
        ("reader", [], set()),
    ],
)
async def test_only_what_is_named_is_demanded(
    datahub: DataHub, user: str, permissions: list[str], numbers: set[str]
) -> None:
    """`permissions` chooses what the token has to be able to list; a reader needs neither."""
    result = await mooring.check(datahub.url(token=token_of(user)), permissions=permissions)
    assert result.status is Status.UP
    assert result.observation.numbers.keys() - {"search_results", "search_seconds"} == numbers


def _paste(server: DataHub, document: str | None) -> Any:
    """Send GraphQL as somebody who may do everything."""
    body = json.dumps({"query": document}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = Request(f"http://127.0.0.1:{server.port}/api/graphql", body, headers)
    with urlopen(request, timeout=5) as answer:
        return json.load(answer)


async def test_the_line_to_paste_grants_what_is_missing(start_datahub: StartDataHub) -> None:
    """Sent by an administrator as it stands, the fix makes the same check pass."""
    with start_datahub() as server:
        url = server.url(token=token_of('new"comer'))
        failed = await mooring.check(url)
        assert failed.failure is not None
        assert _paste(server, failed.failure.fix) == {
            "data": {"createPolicy": "urn:li:dataHubPolicy:of-the-test"}
        }
        assert (await mooring.check(url)).status is Status.UP


# What else can happen


async def test_tls_is_verified(datahub_over_tls: DataHub, certificates: Certificates) -> None:
    """With its issuer known a DataHub over TLS is up, and its certificate is told."""
    result = await mooring.check(datahub_over_tls.url(), tls={"ca": certificates.ca})
    assert result.status is Status.UP
    assert details(result)["tls_version"] == "TLSv1.3"
    assert result.observation.numbers["certificate_days_left"] > 600


async def test_proxy_s_words_are_quoted(datahub: DataHub) -> None:
    """What the front end says of a GMS that it does not reach stands in the message."""
    result = await mooring.check(datahub.url("/gms-gone"))
    assert message(result) == "DataHub answers 502 Bad Gateway: Proxy connection failed: Connection refused"


async def test_server_that_goes_away_during_a_check_is_told_at_tcp() -> None:
    """A later request that finds nobody fails at tcp, not as a login that is refused."""
    place = Place.parse(f"http://127.0.0.1:{free_port()}")
    async with Network() as net:
        trail = Trail(net, timeout=5)
        trail.begin(Stage.AUTH, trail.monotonic())
        with pytest.raises(ConnectionRefusedError):
            await fetch_aside(trail, Door(place, None, TLSSettings()).request("/health", None))
    assert trail.running is Stage.TCP


@pytest.mark.parametrize(
    ("extensions", "reason", "code"),
    [
        ({"code": 400, "type": "BAD_REQUEST"}, Reason.PROTOCOL, "BAD_REQUEST"),
        ({"code": 403, "type": "UNAUTHORIZED"}, Reason.PERMISSION, "UNAUTHORIZED"),
        ({"code": 404, "type": "NOT_FOUND"}, Reason.NOT_FOUND, "NOT_FOUND"),
        ({"code": 409, "type": "CONFLICT"}, Reason.ASSERTION, "CONFLICT"),
        ({"code": 500, "type": "SERVER_ERROR"}, Reason.UNAVAILABLE, "SERVER_ERROR"),
        ({"code": 999}, Reason.PROTOCOL, "GRAPHQL_ERROR"),
        ({"code": [403]}, Reason.PROTOCOL, "GRAPHQL_ERROR"),
        (None, Reason.PROTOCOL, "GRAPHQL_ERROR"),
    ],
)
def test_error_of_a_field_is_told_by_its_code(extensions: object, reason: Reason, code: str) -> None:
    """Each of DataHub's codes has its reason; that of another field says nothing of this one."""
    error = {"message": "no", "path": ["listPolicies"], "extensions": extensions}
    answer = Answer({"listPolicies": None, "me": {}}, [error])
    with pytest.raises(CheckError) as raised:
        answer.part("listPolicies")
    assert (raised.value.cause.reason, raised.value.cause.code) == (reason, code)
    assert answer.part("me") == {}
    assert answer.refuses("listPolicies") is (code == "UNAUTHORIZED")
    assert answer.refuses("me") is False


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "HTML_NOT_JSON"),
        (b"hello", "NOT_DATAHUB"),
        (b"[]", "NOT_DATAHUB"),
        (b"[" * 100_000, "NOT_DATAHUB"),
        (b"{}", "NOT_GRAPHQL"),
        (b'{"data": [1]}', "NOT_GRAPHQL"),
        (b'{"errors": 1}', "NOT_GRAPHQL"),
    ],
)
def test_what_is_no_graphql_is_told(body: bytes, code: str) -> None:
    """A page, other JSON and no JSON are told apart, and never taken for an empty answer."""
    with pytest.raises(CheckError) as raised:
        Answer.of(SimpleNamespace(plain_body=lambda: body))  # type: ignore[arg-type]
    assert (raised.value.cause.reason, raised.value.cause.code) == (Reason.PROTOCOL, code)


@pytest.mark.parametrize("held", [None, {}, {"total": "3"}, [1]])
def test_list_without_a_total_is_told(held: object) -> None:
    """Nothing, and no error, is no list that is empty."""
    with pytest.raises(CheckError) as raised:
        Answer({"listPolicies": held}, []).count("listPolicies")
    assert raised.value.cause.code == "NO_DATA"


@pytest.mark.parametrize("path", [None, [], 7, ["me"], ["me", "corpUser", "urn"]])
def test_error_anywhere_below_a_field_is_its_own(path: object) -> None:
    """So is one that belongs to no field in particular, whatever its path is."""
    with pytest.raises(CheckError, match=r"^GraphQL answers at me: broken$"):
        Answer({"me": None}, [{"message": "broken", "path": path}]).part("me")
