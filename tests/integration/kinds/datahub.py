"""DataHub, a stand-in for it; broken by a token that was revoked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_cut, asking_patient
from tests.servers.datahub import REVOKED_TOKEN, TOKEN, DataHub, token_of

DIALS = True
STAND_IN = (
    "No DataHub runs in the tests. A stand-in answers for it: it runs each query on a schema of ours, which "
    "a test shows to be a true part of DataHub's own, and signs and reads tokens as DataHub does."
)
_NEW_TOKEN = "Make a new one in DataHub under Settings > Access Tokens, and put it into the address."
_STARTING = "GMS is starting or stopping: look at its log."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """GMS, asked by somebody who may do everything."""
    server: DataHub = request.getfixturevalue("datahub")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url(token=REVOKED_TOKEN)},
        port=server.port,
        sessions=server.sessions,
        secret=TOKEN,
        server=server,
    )


def _at(path: str, token: Callable[[], str | None] = lambda: TOKEN, **settings: object) -> Arrangement:
    return asking("datahub", lambda server: {"url": server.url(path, token()), **settings})


def _of(user: str, path: str = "", **settings: object) -> Arrangement:
    return _at(path, lambda: token_of(user), **settings)


def _grant(user: str, titles: str) -> str:
    return (
        f"Grant urn:li:corpuser:{user} the platform privilege {titles}, under Settings > Permissions > "
        "Policies or by this line in /api/graphiql; or leave out of `permissions` what is not needed."
    )


def _policy(user: str, privileges: str) -> str:
    return (
        'mutation { createPolicy(input: {type: PLATFORM, name: "Mooring", state: ACTIVE, '
        f'description: "What Mooring checks", privileges: [{privileges}], '
        f'actors: {{users: ["urn:li:corpuser:{user}"], groups: [], '
        "resourceOwners: false, allUsers: false, allGroups: false}}) }"
    )


FAULTS = (
    Fault(
        "no token is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "NO_TOKEN"),
        _at("", lambda: None),
        hint="Make one in DataHub under Settings > Access Tokens, and put it into the address.",
    ),
    Fault(
        "the token was revoked, or is another DataHub's",
        (Stage.AUTH, Reason.AUTH, "TOKEN_REJECTED"),
        _at("", lambda: REVOKED_TOKEN),
        hint="It is revoked, cut short, or another DataHub's: make a new one under Settings > Access Tokens, "
        "and put it into the address.",
    ),
    Fault(
        "the token has expired",
        (Stage.AUTH, Reason.AUTH, "TOKEN_EXPIRED"),
        _at("", lambda: token_of("mooring", -1)),
        hint=_NEW_TOKEN,
    ),
    Fault(
        "the token is wrong, and DataHub lets guests in instead of refusing it",
        (Stage.AUTH, Reason.AUTH, "TOKEN_IGNORED"),
        _at("/guest", lambda: REVOKED_TOKEN),
        hint=_NEW_TOKEN,
    ),
    Fault(
        "the token is wrong, and the front end passes on what guests may do",
        (Stage.AUTH, Reason.AUTH, "TOKEN_IGNORED"),
        _at("/frontend-guest", lambda: REVOKED_TOKEN),
        hint=_NEW_TOKEN,
    ),
    Fault(
        "the token is another user's than expected",
        (Stage.AUTH, Reason.ASSERTION, "WRONG_ACTOR"),
        _at("", expect_actor="urn:li:corpuser:crawler"),
        hint="Put a token of that user into the address, or correct expect_actor.",
    ),
    Fault(
        'the token\'s user lacks "Manage Policies"',
        (Stage.PERMISSION, Reason.PERMISSION, "MANAGE_POLICIES"),
        _of("crawler"),
        hint=_grant("crawler", '"Manage Policies"'),
        fix=_policy("crawler", '"MANAGE_POLICIES"'),
    ),
    Fault(
        'the token\'s user lacks "Manage Metadata Ingestion"',
        (Stage.PERMISSION, Reason.PERMISSION, "MANAGE_INGESTION"),
        _of("steward"),
        hint=_grant("steward", '"Manage Metadata Ingestion"'),
        fix=_policy("steward", '"MANAGE_INGESTION"'),
    ),
    Fault(
        "the token's user lacks both privileges",
        (Stage.PERMISSION, Reason.PERMISSION, "PRIVILEGES_MISSING"),
        _of("reader"),
        hint=_grant("reader", '"Manage Policies" and "Manage Metadata Ingestion"'),
        fix=_policy("reader", '"MANAGE_POLICIES", "MANAGE_INGESTION"'),
    ),
    Fault(
        "lists are answered empty instead of refused",
        (Stage.PERMISSION, Reason.PERMISSION, "MANAGE_POLICIES"),
        _of("reader", "/empty-lists", permissions=["policies"]),
        hint=_grant("reader", '"Manage Policies"'),
        fix=_policy("reader", '"MANAGE_POLICIES"'),
    ),
    Fault(
        "DataHub is of a version that does not know what is asked",
        (Stage.PERMISSION, Reason.PROTOCOL, "GRAPHQL_ERROR"),
        _at("/older"),
        hint="This DataHub may be older than 0.12, or newer than this Mooring knows.",
    ),
    Fault(
        "GMS is still starting",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "HTTP_503"),
        _at("/bootstrapping"),
        hint=_STARTING,
    ),
    Fault(
        "GMS takes no more requests",
        (Stage.AUTH, Reason.UNAVAILABLE, "HTTP_503"),
        _at("/stopping"),
        hint=_STARTING,
    ),
    Fault(
        "the front end runs and GMS does not",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "HTTP_502"),
        _at("/gms-gone"),
        hint="The front end or a proxy answers, and GMS behind it does not: does it run, and do "
        "DATAHUB_GMS_HOST and DATAHUB_GMS_PORT of the front end lead to it?",
    ),
    Fault(
        "the front end runs and GMS does not answer it in time",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "HTTP_504"),
        _at("/gms-slow"),
        hint="The front end or a proxy answers, and GMS behind it is too slow.",
    ),
    Fault(
        "the front end fails at passing a request on",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "HTTP_500"),
        _at("/gms-broken"),
        hint="Look at the log of GMS, and at the front end's if it is asked.",
    ),
    Fault(
        "the search index is away",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "SERVER_ERROR"),
        _at("/index-gone"),
        hint="GMS answers and fails at this: look at its log, and whether its search index and store run.",
    ),
    Fault(
        "the search finds less than expected",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_FEW_FOUND"),
        _at("", search="orders", search_minimum=1),
        hint="The search index may be lost or behind: DataHub restores it from its store.",
    ),
    Fault(
        "the path is wrong, and the front end answers with its page",
        (Stage.PROTOCOL, Reason.PROTOCOL, "HTML_NOT_JSON"),
        _at("/frontend/gms"),
        hint="DataHub's front end answers so on any path that it does not know: leave the path out, or write "
        "the address of GMS.",
    ),
    Fault(
        "the path is wrong, and GMS answers that nothing is there",
        (Stage.PROTOCOL, Reason.NOT_FOUND, "HTTP_404"),
        _at("/nowhere"),
        hint="GMS stands at the root of its port, in DataHub Cloud under /gms: compare the path.",
    ),
    Fault(
        "another service listens on the port",
        (Stage.PROTOCOL, Reason.NOT_FOUND, "HTTP_404"),
        asking("nginx", lambda server: {"url": f"datahub+http://{TOKEN}@127.0.0.1:{server.port}"}),
        hint="GMS stands at the root of its port, in DataHub Cloud under /gms: compare the path.",
    ),
    Fault(
        "a proxy in between sends all to its login page",
        (Stage.PROTOCOL, Reason.ASSERTION, "HTTP_302"),
        _at("/sign-in"),
        hint="It points to https://login.example/start: write the address of DataHub itself.",
    ),
    tls_faults.cert_unknown_issuer(asking("datahub_over_tls", lambda server: {"url": server.url()})),
    Fault(
        "datahub+http is asked of a port that speaks TLS",
        (Stage.PROTOCOL, Reason.PROTOCOL, "TLS_EXPECTED"),
        asking("nginx", lambda server: {"url": f"datahub+http://{TOKEN}@127.0.0.1:{server.tls_port}"}),
        hint="Write the address with datahub+https://.",
    ),
    Fault(
        "datahub+http is asked of a port that speaks TLS and hangs up",
        (Stage.PROTOCOL, Reason.PROTOCOL, "TLS_EXPECTED"),
        asking_cut(lambda port: {"url": f"datahub+http://{TOKEN}@localhost:{port}"}),
        hint="Write the address with datahub+https://.",
    ),
    Fault(
        "datahub+https is asked of a port that speaks no TLS",
        (Stage.TLS, Reason.TLS, "PLAIN_TEXT"),
        asking("nginx", lambda server: {"url": f"datahub+https://{TOKEN}@127.0.0.1:{server.port}"}),
        hint="Write the address with datahub+http://, or ask the port that speaks TLS.",
    ),
    Fault(
        "datahub+https is asked of a port that speaks no TLS and waits (played)",
        (Stage.TLS, Reason.TLS, "PLAIN_TEXT"),
        asking_patient(
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            b"\r\n\r\n",
            lambda port: {"url": f"datahub+https://{TOKEN}@127.0.0.1:{port}"},
        ),
        hint="Write the address with datahub+http://, or ask the port that speaks TLS.",
        timeout=2,
    ),
)
