"""HTTP checks that take steps: a real API used as its users use it, and nothing goes where it should not."""

from __future__ import annotations

import json
from typing import Any

import pytest

import mooring
from mooring.core.failure import InputError
from mooring.core.result import CheckResult
from mooring.core.stage import StageStatus
from tests.integration.kinds._http_sequences import FORM, login
from tests.servers.nginx import Nginx
from tests.servers.tls import Certificates
from tests.servers.token_server import APP, TokenServer

pytestmark = pytest.mark.integration


def message(result: CheckResult) -> str:
    """Return what a failed check says."""
    assert result.failure is not None, result
    return result.failure.message


# What works


async def test_token_of_a_login_opens_what_is_behind_it(token_server: TokenServer) -> None:
    """Log in, use the token and a number of the answer: every stage passes, and each step has its time."""
    result = await mooring.check(
        token_server.url("/orders/{{order}}"),
        token="{{token}}",
        steps=[login(save={"token": "access_token", "order": "order"})],
        expect_json={"id": 7},
    )
    assert result.failure is None
    assert [s.stage.value for s in result.stages if s.status is StageStatus.PASSED] == [
        "dns",
        "tcp",
        "protocol",
        "auth",
        "permission",
        "function",
    ]
    assert result.observation.numbers.keys() == {
        "step_1_seconds",
        "first_byte_seconds",
        "transfer_seconds",
        "body_bytes",
    }


async def test_form_for_people_is_filled_in(token_server: TokenServer) -> None:
    """A hidden field goes back with its cookie; the redirect of the login keeps the session's cookie."""
    user, password = APP
    page = {"url": "/form", "save": {"csrf": 'regex:name="csrf" value="([^"]+)"', "mark": "cookie:form"}}
    form = {"url": "/form", "headers": FORM, "body": f"user={user}&password={password}&csrf={{{{csrf}}}}"}
    result = await mooring.check(token_server.url("/me"), steps=[page, form], expect_json={"name": "app"})
    assert result.failure is None
    orders = await mooring.check(token_server.url("/orders"), steps=[page, form])
    assert orders.failure is None


async def test_header_of_an_answer_is_saved(token_server: TokenServer) -> None:
    """What a login answers in a header is used as well."""
    steps = [login(save={"token": "header:X-Token"})]
    assert (await mooring.check(token_server.url("/me"), token="{{token}}", steps=steps)).failure is None


async def test_graphql_login_is_a_step(token_server: TokenServer) -> None:
    """A mutation logs in, its variables as a table, and a query uses the token."""
    question = "mutation ($user: String!, $password: String!) { login(user: $user, password: $password) }"
    variables = dict(zip(("user", "password"), APP, strict=True))
    step = {
        "url": "/graphql",
        "graphql": {"query": question, "variables": variables},
        "save": {"token": "data.login"},
    }
    result = await mooring.check(
        token_server.url("/graphql"),
        token="{{token}}",
        steps=[step],
        graphql={"query": "query A { me { name } } query B { broken }", "operation": "A"},
        expect_json={"data.me.name": "app"},
    )
    assert result.failure is None


async def test_value_cannot_end_the_text_it_stands_in(token_server: TokenServer, nginx: Nginx) -> None:
    """What a server answers is spelled for where it goes: it makes no path, no key and no pair of its own."""
    first = {
        "url": "/echo?x=1",
        "body": '{"a": "\\"} /../&b=1"}',
        "save": {"odd": "body"},
    }
    result = await mooring.check(
        token_server.url("/echo?q={{odd}}"),
        method="POST",
        body='{"sent": "{{odd}}"}',
        steps=[first],
        expect_regex=r'"path": "/echo\?q=%7B%22a%22%3A%20%22%5C%22%7D%20%2F\.\.%2F%26b%3D1%22%7D"',
    )
    assert result.failure is None
    result = await mooring.check(
        token_server.url("/echo"),
        method="POST",
        headers=FORM,
        body="sent={{odd}}&c=2",
        steps=[first],
        expect_json={"body": "sent=%7B%22a%22%3A+%22%5C%22%7D+%2F..%2F%26b%3D1%22%7D&c=2"},
    )
    assert result.failure is None


# What is told


@pytest.mark.parametrize(
    ("path", "step", "text"),
    [
        (
            "/orders",
            login((APP[0], "wrong")),
            "step 1 of 2, POST /login: the server answers 401 Unauthorized, expected 200-399",
        ),
        (
            "/orders",
            login() | {"url": "/polite-login"},
            "step 1 of 2, POST /polite-login: the JSON has nothing at 'access_token'",
        ),
        (
            "/nowhere?key={{token}}",
            login(),
            "step 2 of 2, GET /nowhere: the server answers 404 Not Found, expected 200-399",
        ),
        (
            "/orders",
            login() | {"url": "http://127.0.0.1:1/login"},
            "step 1 of 2, POST /login: the connection was refused: nothing listens there",
        ),
    ],
)
async def test_failure_says_which_step(
    token_server: TokenServer, path: str, step: dict[str, Any], text: str
) -> None:
    """Every failure begins with the step, its method and its path, whatever it is about."""
    result = await mooring.check(token_server.url(path), token="{{token}}", steps=[step])
    assert message(result) == text


async def test_step_that_is_late_is_named(token_server: TokenServer) -> None:
    """A deadline that passes in a step says so, too."""
    result = await mooring.check(token_server.url("/me"), steps=[{"url": "/slow"}], timeout=0.3)
    assert message(result) == "step 1 of 2, GET /slow: no answer at protocol within 0.3 s"


async def test_saved_value_is_a_secret_of_its_check(token_server: TokenServer) -> None:
    """A token that the service says back is masked, in address, header and body alike; so is a cookie."""
    result = await mooring.check(
        token_server.url("/echo/{{token}}"),
        token="{{token}}",
        headers={"X-Again": "{{token}}"},
        steps=[login()],
        expect_status=[200],
    )
    assert "tok-" not in repr(result)
    assert result.observation.details["final_url"] == token_server.url("/echo/***")
    told = await mooring.check(token_server.url("/echo?{{token}}"), steps=[login()], expect_json={"path": ""})
    assert message(told) == """step 2 of 2, GET /echo: the JSON has "/echo?***" at 'path', expected \"\""""


# Where nothing may go


async def test_login_is_sent_to_no_other_host(token_server: TokenServer, nginx: Nginx) -> None:
    """A step that leads to another host with its body ends there, and cookies stay with who set them."""
    step = login() | {"url": nginx.url(f"/to/elsewhere?port={token_server.port}")}
    result = await mooring.check(token_server.url("/me"), token="{{token}}", steps=[step])
    assert message(result) == (
        f"step 1 of 2, POST /to/elsewhere: the redirect 307 to 'http://localhost:{token_server.port}/private'"
        " cannot be followed: the body would have to be sent to another host"
    )


async def test_cookie_goes_back_to_its_own_host_only(token_server: TokenServer) -> None:
    """The same server by another name is another host: it gets no cookie."""
    elsewhere = f"http://localhost:{token_server.port}/echo"
    steps = [login(save={}) | {"url": token_server.url("/cookie")}]
    own = await mooring.check(token_server.url("/echo"), steps=steps, expect_body="Cookie: session=")
    assert own.failure is None
    other = await mooring.check(elsewhere, steps=steps, expect_body="Cookie")
    assert other.failure is not None
    assert other.failure.code == "BODY_WITHOUT_TEXT"


async def test_pin_is_of_the_main_host_alone(
    nginx: Nginx, token_server: TokenServer, certificates: Certificates
) -> None:
    """Pin and client certificate are for the main host; a step elsewhere goes by the CA alone."""
    tls = {"ca": certificates.ca, "pin": certificates.good.pin}
    step = {"url": f"https://localhost:{nginx.tls_port}/json", "save": {"state": "status"}}
    url = nginx.url("/", scheme="https")
    result = await mooring.check(url, tls=tls, headers={"X-State": "{{state}}"}, steps=[step])
    assert result.failure is None


# What is refused when it is read


@pytest.mark.parametrize(
    ("settings", "field", "text"),
    [
        (
            {"token": "{{token}}"},
            "token",
            "{{token}} is saved by no step before it; nothing is saved so far",
        ),
        (
            {"token": "{{tokne}}", "steps": [login()]},
            "token",
            "{{tokne}} is saved by no step before it; saved so far: token",
        ),
        (
            {"steps": [login(headers={"X-A": "{{token}}"})]},
            "steps.0.headers",
            "{{token}} is saved by no step before it; nothing is saved so far",
        ),
        (
            {"headers": {"X-A": "${{token}}"}, "steps": [login()]},
            "headers",
            "${{token}} is neither: a saved value is {{name}}, a variable ${NAME}",
        ),
        (
            {"body": "{{to ken}}", "steps": [login()]},
            "body",
            "{{to ken}} is no name: a saved value is written {{name}}",
        ),
        (
            {"url": "http://{{host}}/", "steps": [login(save={"host": "a"})]},
            "url",
            "a saved value may stand in path and query, not in the host or the login",
        ),
        (
            {"steps": [{"url": "login"}]},
            "steps.0.url",
            "has to be a path that begins with /, or a whole address",
        ),
        (
            {"steps": [{"url": "http://a:b@c/"}]},
            "steps.0.url",
            "holds a login, and is shown: put it into headers, token or body",
        ),
        (
            {"steps": [{"url": "/x?api_key=1"}]},
            "steps.0.url",
            "holds a secret in its query, and is shown: put it into headers or body",
        ),
        (
            {"steps": [{"url": "/x", "save": {"a": "regex:("}}]},
            "steps.0.save.a",
            "is no regular expression: missing ) at position 1",
        ),
        (
            {"steps": [{"url": "/x", "save": {"a": "header:"}}]},
            "steps.0.save.a",
            "names no header: header:NAME",
        ),
        (
            {"steps": [{"url": "/x", "body": "a", "graphql": {"query": "{ a }"}}]},
            "steps.0.graphql",
            "is a body of its own; leave out body",
        ),
        (
            {"graphql": {"query": "{ a }", "variables": "[1"}},
            "graphql",
            "variables is no JSON object",
        ),
        (
            {"graphql": {"query": "{ a }"}, "method": "PUT"},
            "method",
            "a GraphQL question is sent by POST; leave it out",
        ),
    ],
)
async def test_mistake_is_told_before_anything_is_asked(
    settings: dict[str, Any], field: str, text: str
) -> None:
    """What cannot work says which setting of which step it is, and what would be right."""
    with pytest.raises(InputError) as caught:
        await mooring.check(str(settings.pop("url", "http://127.0.0.1:1/")), **settings)
    assert [(p.field, p.message) for p in caught.value.problems] == [(field, text)]


def test_secrets_of_a_step_are_known() -> None:
    """A password within a step's body is masked wherever it is said back."""
    from mooring.probes.http import HTTP

    probe = HTTP.model_validate({"url": "http://a/", "steps": [login(("app", "hunter22"))]})
    assert "hunter22" in set(probe.secrets())
    assert "hunter22" not in json.dumps(probe.model_dump(mode="json"))
