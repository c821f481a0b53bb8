"""Faults of HTTP checks that take steps, and of GraphQL: a real API that people log in to, and nginx."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Fault, asking
from tests.servers.process import free_port
from tests.servers.token_server import APP, READER

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SAVED = {"token": "access_token"}
_REJECTED = "The server answers and rejects the login: compare it with the service's own."
_LOOK = "Look at what it answers there: some services tell a rejected login with a success."
_NOBODY = "The service answers and knows nobody by this login: compare token or headers with it."
_LIMITED = "The login is known and may not ask for this: give it the right on what is named."


def login(user: tuple[str, str] = APP, **more: Any) -> dict[str, Any]:
    """Return a step that logs in."""
    body = json.dumps({"user": user[0], "password": user[1]})
    return {"url": "/login", "body": body, "save": SAVED, **more}


def walk(path: str, *steps: dict[str, Any], **more: Any) -> Arrangement:
    """Take these steps, then ask for a path with the token."""
    return asking("token_server", lambda server: {"url": server.url(path), "steps": list(steps), **more})


def by_way_of(fixture: str, first: Callable[[Any], str]) -> Arrangement:
    """Log in at another server than the one that is asked in the end."""
    return asking(
        fixture,
        lambda server: {
            "url": "http://127.0.0.1:1/",
            "token": "{{token}}",
            "steps": [{"url": first(server), "method": "POST", "save": SAVED}],
        },
    )


def question(query: str, *steps: dict[str, Any], path: str = "/graphql", **more: Any) -> Arrangement:
    """Ask a GraphQL question."""
    return walk(path, *steps, graphql={"query": query}, **more)


STEPS = (
    Fault(
        "a step's password is wrong",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        walk("/orders", login((APP[0], "wrong")), token="{{token}}"),
        hint=_REJECTED,
    ),
    Fault(
        "an OAuth token endpoint rejects the login with 400",
        (Stage.AUTH, Reason.AUTH, "invalid_grant"),
        walk(
            "/orders",
            {"url": "/token", "body": "username=app&password=wrong", "headers": FORM, "save": SAVED},
            token="{{token}}",
        ),
        hint="The server answers and rejects the login: compare user, password or key, and this clock.",
    ),
    Fault(
        "a rejected login is told with 200, and there is no token to save",
        (Stage.FUNCTION, Reason.ASSERTION, "NOT_SAVED"),
        walk("/orders", login() | {"url": "/polite-login"}, token="{{token}}"),
        hint=_LOOK,
    ),
    Fault(
        "a step sends no cookie where one is to be saved",
        (Stage.FUNCTION, Reason.ASSERTION, "NOT_SAVED"),
        walk("/orders", login(save={"sid": "cookie:session"}), headers={"X-Session": "{{sid}}"}),
        hint=_LOOK,
    ),
    Fault(
        "a saved value cannot be sent in a header",
        (Stage.FUNCTION, Reason.ASSERTION, "NOT_SENDABLE"),
        walk("/orders", {"url": "/odd", "save": {"sign": "kanji"}}, headers={"X-Sign": "{{sign}}"}),
        hint="Look at what the step before saves: is it what is meant, and in letters that can stand there?",
    ),
    Fault(
        "a step's path does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "HTTP_404"),
        walk("/orders", login() | {"url": "/v2/login"}, token="{{token}}"),
        hint="Compare the path with the service's own; a reverse proxy may route it elsewhere.",
    ),
    Fault(
        "a step never answers",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        walk("/orders", login() | {"url": "/slow"}, token="{{token}}"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "a step's answer is another than expected",
        (Stage.FUNCTION, Reason.ASSERTION, "JSON_MISMATCH"),
        walk("/orders", login(expect_json={"roles.0": "admin"}), token="{{token}}"),
        hint="Ask the service by hand: correct it, or what this target expects of its answer.",
    ),
    Fault(
        "the login worked, and its token is sent in a way that the service does not take",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        walk("/orders", login(), headers={"Authorization": "Token {{token}}"}),
        hint="The login before worked, and what it gave is not accepted here:"
        " compare how the service wants it sent.",
    ),
    Fault(
        "the login worked, and may not see what is asked for",
        (Stage.PERMISSION, Reason.PERMISSION, "HTTP_403"),
        walk("/orders", login(READER), token="{{token}}"),
        hint="The server does not allow this to whoever asks: look at the rights on this path.",
    ),
    Fault(
        "what a step saved is the number of something that is gone",
        (Stage.FUNCTION, Reason.NOT_FOUND, "HTTP_404"),
        walk("/orders/{{n}}0", login(save=SAVED | {"n": "order"}), token="{{token}}"),
        hint="Compare the path with the service's own; a reverse proxy may route it elsewhere.",
    ),
    Fault(
        "the host where a step logs in refuses connections",
        (Stage.TCP, Reason.REFUSED, "ECONNREFUSED"),
        by_way_of("token_server", lambda _: f"http://127.0.0.1:{free_port()}/login"),
        hint="The machine is there: is the service running, and is the port right?",
    ),
    Fault(
        "the host where a step logs in shows a certificate of an unknown issuer",
        (Stage.TLS, Reason.TLS, "CERT_UNKNOWN_ISSUER"),
        by_way_of("nginx", lambda nginx: nginx.url("/json", scheme="https")),
        hint="Set tls.ca to the issuer's certificate, or have the server send its whole chain.",
    ),
    Fault(
        "the host where a step logs in is in maintenance",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "HTTP_503"),
        by_way_of("nginx", lambda nginx: nginx.url("/status/503")),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
    Fault(
        "a page answers where a step logs in",
        (Stage.FUNCTION, Reason.ASSERTION, "HTML_NOT_JSON"),
        by_way_of("nginx", lambda nginx: nginx.url("/page")),
        hint="This is a page for people: a login page, a front end or an error page. Compare the path.",
    ),
    Fault(
        "a step's redirects run in circles",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_MANY_REDIRECTS"),
        by_way_of("nginx", lambda nginx: nginx.url("/to/itself")),
        hint="The redirects run in circles.",
    ),
)
GRAPHQL = (
    Fault(
        "GraphQL answers 200 and asks for a login",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        question("{ me { name } }"),
        hint=_NOBODY,
    ),
    Fault(
        "a step's GraphQL login is rejected with 200",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        question(
            "{ me { name } }",
            {
                "url": "/graphql",
                "graphql": {
                    "query": 'mutation ($p: String!) { login(user: "app", password: $p) }',
                    "variables": {"p": "wrong"},
                },
                "save": {"token": "data.login"},
            },
            token="{{token}}",
        ),
        hint=_NOBODY,
    ),
    Fault(
        "GraphQL answers 200 and does not allow a field",
        (Stage.PERMISSION, Reason.PERMISSION, "FORBIDDEN"),
        question("{ orders { id } }", login(READER), token="{{token}}"),
        hint=_LIMITED,
    ),
    Fault(
        "GraphQL answers 200 and broke at a field",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "INTERNAL_SERVER_ERROR"),
        question("{ broken }"),
        hint="The service broke while it answered: look at its log.",
    ),
    Fault(
        "the GraphQL schema has no such field",
        (Stage.FUNCTION, Reason.ASSERTION, "GRAPHQL_VALIDATION_FAILED"),
        question("{ nonsense }"),
        hint="The query does not fit the service's schema: a field was renamed or taken away, or misspelt.",
    ),
    Fault(
        "what answers is JSON and not GraphQL",
        (Stage.FUNCTION, Reason.ASSERTION, "NOT_GRAPHQL"),
        question("{ me { name } }", path="/echo"),
        hint="Compare the path with the service's own; /graphql is usual.",
    ),
    Fault(
        "an answer calls itself GraphQL and holds errors without a code",
        (Stage.FUNCTION, Reason.ASSERTION, "GRAPHQL_ERROR"),
        walk("/strict"),
        hint="Errors count, whatever the status code: send the query by hand and compare.",
    ),
)
SEQUENCES = (*STEPS, *GRAPHQL)
