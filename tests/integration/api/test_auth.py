"""Who may do what: roles, tokens, sessions, and requests that others made a browser send."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mooring.api.guard import Role
from mooring.api.keyring import SPENT, WRONG
from mooring.api.server import openapi
from mooring.core.clock import SystemClock
from mooring.testing import FakeClock
from tests.http_api import Api, running

pytestmark = pytest.mark.integration

PUBLIC = None
MATRIX: dict[tuple[str, str], Role | None] = {
    ("GET", "/livez"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("POST", "/api/v1/session"): PUBLIC,
    ("GET", "/api/v1/session"): PUBLIC,
    ("DELETE", "/api/v1/session"): PUBLIC,
    ("GET", "/api/v1/push/{token}"): PUBLIC,
    ("POST", "/api/v1/push/{token}"): PUBLIC,
    ("POST", "/api/v1/pools/report"): Role.REPORTER,
    ("GET", "/api/v1/pools"): Role.VIEWER,
    ("GET", "/api/v1/pools/history"): Role.VIEWER,
    ("GET", "/api/v1/pools/{target_id}"): Role.VIEWER,
    ("GET", "/api/v1/pools/{target_id}/history"): Role.VIEWER,
    ("GET", "/api/v1/pools/{target_id}/aggregated"): Role.VIEWER,
    ("GET", "/api/v1/pools/{target_id}/diagnostics"): Role.VIEWER,
    ("POST", "/api/v1/pools/{target_id}/{do}"): Role.OPERATOR,
    ("GET", "/api/v1/overview"): Role.VIEWER,
    ("GET", "/api/v1/targets"): Role.VIEWER,
    ("GET", "/api/v1/targets/{target_id}"): Role.VIEWER,
    ("GET", "/api/v1/targets/{target_id}/results"): Role.VIEWER,
    ("GET", "/api/v1/targets/{target_id}/failures"): Role.VIEWER,
    ("GET", "/api/v1/targets/{target_id}/history"): Role.VIEWER,
    ("GET", "/api/v1/targets/{target_id}/transitions"): Role.VIEWER,
    ("GET", "/api/v1/transitions"): Role.VIEWER,
    ("GET", "/api/v1/kinds"): Role.VIEWER,
    ("GET", "/api/v1/events"): Role.VIEWER,
    ("GET", "/metrics"): Role.VIEWER,
    ("GET", "/probe"): Role.OPERATOR,
    ("POST", "/api/v1/targets"): Role.OPERATOR,
    ("PATCH", "/api/v1/targets/{target_id}"): Role.OPERATOR,
    ("DELETE", "/api/v1/targets/{target_id}"): Role.OPERATOR,
    ("POST", "/api/v1/targets/{target_id}/check"): Role.OPERATOR,
    ("POST", "/api/v1/targets/check-all"): Role.OPERATOR,
    ("POST", "/api/v1/check"): Role.OPERATOR,
    ("POST", "/api/v1/discover"): Role.OPERATOR,
    ("GET", "/api/v1/tokens"): Role.ADMIN,
    ("POST", "/api/v1/tokens"): Role.ADMIN,
    ("DELETE", "/api/v1/tokens/{token_id}"): Role.ADMIN,
}
"""Every endpoint, and the least role that may call it."""


def test_the_matrix_names_every_endpoint() -> None:
    """The table above is that of the OpenAPI document, roles included."""
    declared = {
        (method.upper(), path): operation["x-mooring-role"]
        for path, item in openapi()["paths"].items()
        for method, operation in item.items()
    }
    assert declared == {key: role.value if role else "public" for key, role in MATRIX.items()}


@pytest.mark.parametrize("endpoint", MATRIX, ids=" ".join)
async def test_an_endpoint_takes_its_role_and_those_above(api: Api, endpoint: tuple[str, str]) -> None:
    """Nobody gets 401, too low a role 403, enough of one neither: before a body is looked at."""
    method, template = endpoint
    needed = MATRIX[endpoint]
    path = (
        template.replace("{target_id}", "999")
        .replace("{token_id}", "999")
        .replace("{token}", "x" * 20)
        .replace("{do}", "stop")
    )
    for role in (None, Role.REPORTER, Role.VIEWER, Role.OPERATOR, Role.ADMIN):
        request = api.client(role).build_request(
            method, path, content=b"{", headers={"Content-Type": "application/json"}
        )
        answer = await api.client(role).send(request, stream=True)
        await answer.aclose()
        if needed is PUBLIC:
            assert answer.status_code != 403
        elif role is None:
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="mooring"'
        elif not role.covers(needed):
            assert answer.status_code == 403
        else:
            assert answer.status_code not in (401, 403)


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic YTpi", "bearer mrg_x", "Bearer \xff"])
async def test_a_wrong_token_is_refused(api: Api, header: str) -> None:
    """An unknown token and another scheme answer 401."""
    answer = await api.nobody.get("/api/v1/targets", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


async def test_loopback_is_no_login(api: Api) -> None:
    """A request from this machine without a token is refused like any other."""
    assert "127.0.0.1" in api.url
    assert (await api.nobody.get("/api/v1/overview")).status_code == 401


async def test_a_revoked_token_opens_nothing(api: Api) -> None:
    """Revoking takes effect with the next request, also for the sessions that the token opened."""
    made = (await api.admin.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"})).json()
    async with httpx.AsyncClient(base_url=api.url) as browser:
        assert (await browser.post("/api/v1/session", json={"token": made["token"]})).status_code == 201
        assert (await browser.get("/api/v1/targets")).status_code == 200
        bearer = {"Authorization": f"Bearer {made['token']}"}
        assert (await api.nobody.get("/api/v1/targets", headers=bearer)).status_code == 200
        assert (await api.admin.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
        assert (await api.nobody.get("/api/v1/targets", headers=bearer)).status_code == 401
        assert (await browser.get("/api/v1/targets")).status_code == 401


async def test_a_token_is_shown_once_and_its_use_is_noted(api: Api) -> None:
    """The list of tokens holds no secret and says when each was last used."""
    made = (await api.admin.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"})).json()
    assert made["last_used_at"] is None
    await api.nobody.get("/api/v1/targets", headers={"Authorization": f"Bearer {made['token']}"})
    await api.context.keyring.close()
    listed = await api.admin.get("/api/v1/tokens")
    assert made["token"] not in listed.text
    (shown,) = [each for each in listed.json()["items"] if each["name"] == "ci"]
    assert shown["last_used_at"] is not None


async def test_the_last_admin_cannot_be_revoked(api: Api) -> None:
    """Revoking the only admin's token answers 409: nobody could make another one."""
    (admin,) = [t for t in (await api.admin.get("/api/v1/tokens")).json()["items"] if t["role"] == "admin"]
    answer = await api.admin.delete(f"/api/v1/tokens/{admin['id']}")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "this is the last admin's token: make another one first"
    assert (await api.admin.delete("/api/v1/tokens/999")).status_code == 404


@asynccontextmanager
async def signed_in(api: Api) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
    """Give a browser with an operator's session, and what signing in answered."""
    async with httpx.AsyncClient(base_url=api.url) as browser:
        answer = await browser.post("/api/v1/session", json={"token": api.tokens[Role.OPERATOR]})
        assert answer.status_code == 201, answer.text
        assert answer.json()["token_id"] == (await browser.get("/api/v1/session")).json()["token_id"]
        yield browser, {**answer.json(), "cookie": answer.headers["set-cookie"]}


async def test_a_session_needs_its_csrf_token_for_changes(api: Api) -> None:
    """The cookie alone may read; a change without or with another's X-CSRF-Token answers 403."""
    async with signed_in(api) as (browser, session), signed_in(api) as (_, foreign):
        body = {"name": "web", "kind": "scripted"}
        assert (await browser.get("/api/v1/targets")).status_code == 200
        assert (await browser.post("/api/v1/targets", json=body)).status_code == 403
        wrong = {"X-CSRF-Token": foreign["csrf"]}
        assert (await browser.post("/api/v1/targets", json=body, headers=wrong)).status_code == 403
        right = {"X-CSRF-Token": session["csrf"]}
        assert (await browser.post("/api/v1/targets", json=body, headers=right)).status_code == 201
        assert (await browser.get("/api/v1/session")).json()["csrf"] == session["csrf"]


async def test_a_cookie_is_guarded(api: Api) -> None:
    """It is HttpOnly and SameSite=Strict, bound to the path; Secure is for https alone."""
    async with signed_in(api) as (_, session):
        attributes = {part.strip().lower() for part in session["cookie"].split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/"} <= attributes
        assert "secure" not in attributes


async def test_signing_out_ends_the_session_for_every_holder_of_its_cookie(api: Api) -> None:
    """After DELETE the cookie opens nothing, wherever it was copied to."""
    async with signed_in(api) as (browser, session):
        stolen = dict(browser.cookies)
        assert (await browser.delete("/api/v1/session")).status_code == 403
        answer = await browser.delete("/api/v1/session", headers={"X-CSRF-Token": session["csrf"]})
        assert answer.status_code == 204
        async with httpx.AsyncClient(base_url=api.url, cookies=stolen) as thief:
            assert (await thief.get("/api/v1/targets")).status_code == 401


async def test_a_session_ends_after_a_week(tmp_path: Path) -> None:
    """A cookie that is a week old answers 401; a minute before it was good."""
    clock = FakeClock(SystemClock().now())
    async with running(tmp_path, clock=clock) as api, signed_in(api) as (browser, _):
        await clock.advance(timedelta(days=7).total_seconds() - 60)
        assert (await browser.get("/api/v1/targets")).status_code == 200
        await clock.advance(61)
        answer = await browser.get("/api/v1/targets")
        assert (answer.status_code, answer.json()["detail"]) == (
            401,
            "The session has ended; sign in again.",
        )


async def test_failing_logins_are_slowed(tmp_path: Path) -> None:
    """The eleventh failure within a minute answers 429 with the time to wait; a right token still works."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        wrong = {"token": "mrg_wrong"}
        codes = [(await api.nobody.post("/api/v1/session", json=wrong)).status_code for _ in range(11)]
        assert codes == [401] * 10 + [429]
        answer = await api.nobody.get("/api/v1/targets", headers={"Authorization": "Bearer wrong"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
        assert (await api.viewer.get("/api/v1/targets")).status_code == 200
        await clock.advance(60)
        assert (await api.nobody.post("/api/v1/session", json=wrong)).status_code == 401


async def test_an_ended_session_is_no_failing_login(tmp_path: Path) -> None:
    """A page that is left open with an ended session does not use up what its reader may mistype."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api, signed_in(api) as (browser, _):
        await clock.advance(timedelta(days=8).total_seconds())
        codes = {(await browser.get("/api/v1/targets")).status_code for _ in range(20)}
        mistyped = await browser.post("/api/v1/session", json={"token": "mrg_wrong"})
        assert (codes, mistyped.status_code) == ({401}, 401)


async def test_a_code_signs_in_once(api: Api) -> None:
    """Its address alone spends no one-time code; signing in with it sets the cookie, and then it is gone."""
    (admin,) = [t for t in (await api.admin.get("/api/v1/tokens")).json()["items"] if t["role"] == "admin"]
    code = await api.context.keyring.code(admin["id"])
    async with httpx.AsyncClient(base_url=api.url) as browser:
        shown = await browser.get("/sign-in", params={"code": code})
        assert shown.status_code == 200
        assert "set-cookie" not in shown.headers
        answer = await browser.post("/api/v1/session", json={"token": code})
        assert (answer.status_code, answer.json()["role"]) == (201, "admin")
        assert (await browser.get("/api/v1/session")).json()["role"] == "admin"
    again = await api.nobody.post("/api/v1/session", json={"token": code})
    assert (again.status_code, again.json()["detail"]) == (401, SPENT)
    assert "set-cookie" not in again.headers
    mistyped = await api.nobody.post("/api/v1/session", json={"token": "mrg_" + "x" * 43})
    assert (mistyped.status_code, mistyped.json()["detail"]) == (401, WRONG)


async def test_a_code_runs_out(tmp_path: Path) -> None:
    """A one-time code is good for a quarter of an hour."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        code = await api.context.keyring.code(1)
        await clock.advance(15 * 60 + 1)
        assert (await api.nobody.post("/api/v1/session", json={"token": code})).status_code == 401


async def test_another_sites_form_cannot_sign_in(api: Api) -> None:
    """What a form can send without a preflight is refused: it would sign a person in as somebody else."""
    token = api.tokens[Role.VIEWER]
    for media_type, body in (
        ("application/x-www-form-urlencoded", f"token={token}"),
        ("text/plain", json.dumps({"token": token})),
        (
            "multipart/form-data; boundary=x",
            f'--x\r\ncontent-disposition: form-data; name="token"\r\n\r\n{token}\r\n--x--',
        ),
    ):
        headers = {"Content-Type": media_type}
        answer = await api.nobody.post("/api/v1/session", content=body, headers=headers)
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:8321", 200),
        ("app.localhost", 200),
        ("127.0.0.1", 200),
        ("10.1.2.3:80", 200),
        ("[::1]:8321", 200),
        ("mooring.example", 200),
        ("MOORING.example.:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
async def test_only_known_names_are_answered(tmp_path: Path, host: str, code: int) -> None:
    """A Host that is not this server's answers 421: so a name that was rebound to it reads nothing."""
    async with running(tmp_path, host_names=("mooring.example",)) as api:
        answer = await api.viewer.get("/api/v1/targets", headers={"Host": host})
        assert answer.status_code == code


async def test_a_public_path_is_open_for_reading_alone(tmp_path: Path) -> None:
    """server.public_paths opens that one path to everybody, for GET; its neighbours stay closed."""
    async with running(tmp_path, public_paths=("/metrics", "/api/v1/targets")) as api:
        assert (await api.nobody.get("/metrics")).status_code == 200
        assert (await api.nobody.get("/api/v1/targets")).status_code == 200
        assert (await api.nobody.post("/api/v1/targets", json={})).status_code == 401
        assert (await api.nobody.get("/api/v1/targets/1")).status_code == 401
        assert (await api.nobody.get("/api/v1/tokens")).status_code == 401


async def test_no_other_site_may_read(api: Api) -> None:
    """No answer invites other origins, whatever origin asks."""
    answer = await api.viewer.get("/api/v1/targets", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
