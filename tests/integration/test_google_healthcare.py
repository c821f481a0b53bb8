"""Google Cloud Healthcare: what its check tells, and the stand-in held against Google's own description."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from google.auth import crypt, exceptions, jwt
from pydantic import SecretStr

import mooring
from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import StageStatus
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._google_auth import SCOPE, token
from mooring.probes._google_refused import explain
from mooring.probes.google_healthcare import GoogleHealthcare
from mooring.testing import FakeClock
from tests.integration.entries import target_of
from tests.integration.kinds.google_healthcare import nowhere_to_look
from tests.servers.google_healthcare import (
    GET,
    NOBODY,
    READ,
    READER,
    SEARCHER,
    WRITE,
    WRITER,
    GoogleHealthcareServer,
)

pytestmark = pytest.mark.integration
Description = Mapping[str, Any]


async def checked(settings: Mapping[str, Any]) -> Any:
    """Check a target of these settings once."""
    async with Network() as net:
        return await Runner(net).run(target_of("google_healthcare", settings), Trigger.CLI)


async def test_store_that_may_be_read_is_up(google_healthcare: GoogleHealthcareServer) -> None:
    """Every stage but tls passes; whose token it was and whether there is a study are told."""
    result = await checked(google_healthcare.settings())
    assert result.failure is None
    assert [s.stage.value for s in result.stages if s.status is StageStatus.PASSED] == [
        "dns",
        "tcp",
        "protocol",
        "auth",
        "permission",
        "function",
    ]
    assert result.observation.details["account"] == READER
    assert result.observation.details["studies"] == "some"
    assert result.observation.warnings == ()


async def test_empty_store_is_up(google_healthcare: GoogleHealthcareServer) -> None:
    """A search that finds nothing is answered with 204, and is no failure."""
    result = await checked(google_healthcare.settings(url=google_healthcare.url("empty")))
    assert (result.failure, result.observation.details["studies"]) == (None, "none")


async def test_permissions_to_write_are_asked_for(google_healthcare: GoogleHealthcareServer) -> None:
    """What `permissions` names is looked at; nothing is written."""
    result = await checked(google_healthcare.settings(WRITER, permissions=[GET, READ, WRITE]))
    assert result.failure is None


async def test_default_credentials_of_this_machine_are_used(
    google_healthcare: GoogleHealthcareServer,
) -> None:
    """Without a key GOOGLE_APPLICATION_CREDENTIALS counts; a path can be given by `key_file` as well."""
    with nowhere_to_look() as folder:
        path = folder / "key.json"
        path.write_text(json.dumps(google_healthcare.key()))
        by_file = await checked(google_healthcare.settings(key=None, key_file=str(path)))
        with nowhere_to_look(GOOGLE_APPLICATION_CREDENTIALS=str(path)):
            by_default = await checked(google_healthcare.settings(key=None))
    assert (by_file.failure, by_default.failure) == (None, None)
    assert by_default.observation.details["account"] == READER


async def test_every_missing_permission_is_named(google_healthcare: GoogleHealthcareServer) -> None:
    """The message says who lacks what, all of it."""
    result = await checked(google_healthcare.settings(NOBODY))
    assert result.failure.message == f"{NOBODY} lacks {GET} and {READ}"


async def test_skewed_clock_is_told_by_how_much(google_healthcare: GoogleHealthcareServer) -> None:
    """A refusal over time says by how much this clock differs; one that still works warns."""
    clock = FakeClock()
    async with Network(clock=clock) as net:
        key = google_healthcare.key(behave="two-hours-ahead")
        refused = await Runner(net).run(
            target_of("google_healthcare", google_healthcare.settings(key=json.dumps(key))), Trigger.CLI
        )
        works = await Runner(net).run(
            target_of("google_healthcare", google_healthcare.settings()), Trigger.CLI
        )
    assert refused.failure is not None
    told = re.fullmatch(
        r"Google refuses the signed request as not of this time: this clock is (\d+) s (ahead of|behind)"
        r" the API's",
        refused.failure.message,
    )
    assert told is not None
    assert int(told[1]) > timedelta(days=1).total_seconds()
    assert [w for w in works.observation.warnings if "clock is" in w] == list(works.observation.warnings)
    assert len(works.observation.warnings) == 1


async def test_token_is_shown_nowhere(google_healthcare: GoogleHealthcareServer) -> None:
    """Neither token nor private key stands in a result."""
    result = await checked(google_healthcare.settings(SEARCHER))
    assert "ya29." not in repr(result)
    assert "PRIVATE KEY" not in repr(result)


# What is refused when it is read


@pytest.mark.parametrize(
    ("url", "settings", "field", "text"),
    [
        (
            "google-healthcare://p/l/d",
            {},
            "url",
            "the address has to be google-healthcare://project/location/dataset/store",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"key": "{}", "key_file": "/a"},
            "key",
            "stands beside key_file; one is enough",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"key": "geheim"},
            "key",
            "is no JSON; give what the downloaded file holds, or file:///path of it",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"key": '{"type": "authorized_user"}'},
            "key",
            'is no key of a service account: its "type" has to be "service_account"',
        ),
        (
            "google-healthcare://p/l/d/s",
            {"key": '{"type": "service_account", "client_email": "a@b"}'},
            "key",
            "lacks private_key and token_uri; download a new key",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"endpoint": "http://api.example"},
            "endpoint",
            "has to begin with https://, for a token is sent there",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"endpoint": "https://api.example/v1"},
            "endpoint",
            "is https://host alone, without a path",
        ),
        (
            "google-healthcare://p/l/d/s",
            {"permissions": ["healthcare.*"]},
            "permissions.0",
            r"has to match ^healthcare\.[A-Za-z]+\.[A-Za-z]+$",
        ),
    ],
)
async def test_mistake_is_told_before_anything_is_asked(
    url: str, settings: dict[str, Any], field: str, text: str
) -> None:
    """A setting that cannot be used says which it is and what would be right."""
    with pytest.raises(InputError) as caught:
        await mooring.check(url, **settings)
    assert [(p.field, p.message) for p in caught.value.problems] == [(field, text)]


@pytest.mark.parametrize(
    "url",
    [
        "google-healthcare://p/l/d/s",
        "google-healthcare://projects/p/locations/l/datasets/d/dicomStores/s",
        "google-healthcare://projects/p/locations/l/datasets/d/dicomStores/s/dicomWeb",
    ],
)
def test_resource_name_is_an_address_too(url: str) -> None:
    """The API's own name of a store can be pasted."""
    probe = GoogleHealthcare.from_url(url)
    assert (probe.store.path, probe.address) == (
        "projects/p/locations/l/datasets/d/dicomStores/s",
        "google-healthcare://p/l/d/s",
    )


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (exceptions.RefreshError("x", {"error": "invalid_grant"}), Reason.AUTH, "invalid_grant"),
        (exceptions.RefreshError("x", {"error": "access_denied"}), Reason.PERMISSION, "access_denied"),
        (exceptions.RefreshError("an HTML page"), Reason.AUTH, "TOKEN_REFUSED"),
        (exceptions.DefaultCredentialsError("no"), Reason.CONFIG, "DEFAULT_CREDENTIALS"),
        (exceptions.MutualTLSChannelError("no"), Reason.CONFIG, "CLIENT_CERTIFICATE"),
        (exceptions.TransportError("no"), Reason.NETWORK, "TRANSPORT"),
        (exceptions.ResponseError("no"), Reason.PROTOCOL, "TOKEN_ANSWER"),
        (exceptions.TimeoutError("no"), Reason.TIMEOUT, "TOKEN_TIMEOUT"),
        (exceptions.GoogleAuthError("no"), Reason.AUTH, "GOOGLE_AUTH"),
    ],
)
def test_error_of_google_auth_has_its_reason(error: Exception, reason: Reason, code: str) -> None:
    """Each class and each word of OAuth has a reason and a stable code."""
    cause = explain(error)
    assert cause is not None
    assert (cause.reason, cause.code) == (reason, code)


# The stand-in against Google's description of the API


@pytest.fixture(scope="module")
def description() -> Description:
    """Google's description of the API, as google-api-python-client ships it."""
    found = files("googleapiclient") / "discovery_cache/documents/healthcare.v1.json"
    return dict(json.loads(found.read_text()))


def methods_of(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every method below a resource."""
    yield from resource.get("methods", {}).values()
    for each in resource.get("resources", {}).values():
        yield from methods_of(each)


def method_of(description: Description, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one method that a request is."""
    found = [
        each
        for each in methods_of(description)
        if each["httpMethod"] == asked["method"]
        and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape("/" + each["flatPath"])), asked["path"])
    ]
    assert len(found) == 1, asked
    return found[0]


def demand_shape(description: Description, schema: str, value: Any) -> None:
    """Demand that an object has the keys and types of its schema only."""
    known = description["schemas"][schema]["properties"]
    types = {"string": str, "array": list, "object": dict, "boolean": bool}
    assert value.keys() <= known.keys(), schema
    for key, each in value.items():
        assert isinstance(each, types[known[key]["type"]]), key
        items = known[key].get("items", {}).get("$ref")
        for item in each if items else ():
            demand_shape(description, items, item)


async def test_what_we_ask_is_in_the_description(
    google_healthcare: GoogleHealthcareServer, description: Description
) -> None:
    """Every request of a check is a method of the API: verb, path, parameters, body, scope."""
    before = len(google_healthcare.asked())
    await checked(google_healthcare.settings())
    await checked(google_healthcare.settings(url=google_healthcare.url(project="gone")))
    asked = google_healthcare.asked()[before:]
    methods = [method_of(description, each) for each in asked]
    prefix = "healthcare.projects.locations"
    assert {each["id"] for each in methods} == {
        f"{prefix}.list",
        f"{prefix}.get",
        f"{prefix}.datasets.get",
        f"{prefix}.datasets.dicomStores.get",
        f"{prefix}.datasets.dicomStores.searchForStudies",
        f"{prefix}.datasets.dicomStores.testIamPermissions",
    }
    for request, method in zip(asked, methods, strict=True):
        assert SCOPE in method["scopes"]
        known = {name for name, each in method["parameters"].items() if each["location"] == "query"}
        if method["id"].endswith("searchForStudies"):  # hands the query on as DICOMweb's own
            known |= {"limit"}
        assert set(request["query"]) <= known
        assert (request["body"] is not None) == ("request" in method)
        if request["body"] is not None:
            demand_shape(description, method["request"]["$ref"], request["body"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("projects/hospital/locations", None),
        ("projects/hospital/locations/europe-west3", None),
        ("projects/hospital/locations/europe-west3/datasets/radiology", None),
        ("projects/hospital/locations/europe-west3/datasets/radiology/dicomStores/ct", None),
        (
            "projects/hospital/locations/europe-west3/datasets/radiology/dicomStores/ct:testIamPermissions",
            {"permissions": [GET, WRITE]},
        ),
    ],
)
async def test_what_the_stand_in_answers_is_in_the_description(
    google_healthcare: GoogleHealthcareServer,
    description: Description,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    """An answer has the keys and types of the method's own schema."""
    async with Network() as net:
        key = SecretStr(json.dumps(google_healthcare.key()))
        given = await token(Trail(net, timeout=5), key, None, TLSSettings(), 0)
    data = None if body is None else json.dumps(body).encode()
    value = sent(Request(f"{google_healthcare.endpoint}/v1/{path}", data, dict(given.headers)))[1]
    method = method_of(description, {"method": "POST" if body else "GET", "path": f"/v1/{path}"})
    demand_shape(description, method["response"]["$ref"], value)
    assert value


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, (200, None)),
        ({"aud": "https://elsewhere.example/"}, (400, "invalid_grant")),
        ({"exp": 1}, (400, "invalid_grant")),
        ({"exp": 99_999_999_999}, (400, "invalid_grant")),
        ({"iss": "somebody@else"}, (400, "invalid_grant")),
        ({"scope": "https://www.googleapis.com/auth/drive"}, (400, "invalid_scope")),
    ],
)
def test_stand_in_verifies_what_google_verifies(
    google_healthcare: GoogleHealthcareServer, change: dict[str, Any], told: tuple[int, str | None]
) -> None:
    """A token is given for a signed request whose claims are all right, and for no other."""
    key = google_healthcare.key()
    now = int(time.time())
    claims = {
        "iss": READER,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": now,
        "exp": now + 3600,
        "scope": SCOPE,
    }
    signed = jwt.encode(crypt.RSASigner.from_service_account_info(key), claims | change)
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    form = urlencode({"grant_type": grant, "assertion": signed.decode()}).encode()
    status, answer = sent(Request(key["token_uri"], form))
    assert (status, answer.get("error")) == told


def sent(request: Request) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)
