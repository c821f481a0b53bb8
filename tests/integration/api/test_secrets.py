"""Secrets appear nowhere: in no answer, no log at DEBUG, no file but the sealed ones."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from mooring.api.guard import Role
from tests.http_api import Api, running
from tests.sse import events

pytestmark = pytest.mark.integration
CANARY = "canary-7f3a9c"
BODIES: tuple[dict[str, Any], ...] = (
    {"name": "pg", "url": f"postgresql://mon:{CANARY}@127.0.0.1:1/orders?password={CANARY}"},
    {"name": "redis", "url": f"redis://:{CANARY}@127.0.0.1:1/0"},
    {"name": "web", "url": f"http://mon:{CANARY}@127.0.0.1:1/x?api_key={CANARY}", "token": CANARY},
    {"name": "headers", "url": "http://127.0.0.1:1/", "headers": {"X-Api-Key": CANARY}, "body": CANARY},
    {"name": "job", "kind": "push", "token": f"{CANARY}-{'x' * 20}"},
)
WRONG: tuple[dict[str, Any], ...] = (
    {"name": "x", "url": f"postgresql://mon:{CANARY}@h:notaport/db"},
    {"name": "x", "url": f"postgres+magic://mon:{CANARY}@h/db"},
    {"name": "x", "url": f"redis://mon:{CANARY}@h/0", "interval": 0},
    {"name": "x", "kind": "http", "url": 5, "token": [CANARY]},
    {"name": "x", "kind": "nothing", "token": CANARY, "password": CANARY},
)


async def everything(api: Api) -> list[str]:
    """Use the API with secrets in all their places, and return every answer."""
    answers = [
        (await api.admin.post(path, json=body)).text
        for body in (*BODIES, *WRONG)
        for path in ("/api/v1/targets", "/api/v1/check")
    ]
    answers.append((await api.admin.post("/api/v1/targets/check-all")).text)
    answers.append((await api.admin.get("/probe", params={"target": BODIES[1]["url"]})).text)
    text = f"A=postgresql://u:{CANARY}@h/db\nB_HOST=h\nB_PASSWORD={CANARY}\nredis://:{CANARY}@h"
    answers.append((await api.admin.post("/api/v1/discover", json={"text": text})).text)
    answers.append((await api.nobody.post("/api/v1/session", json={"token": CANARY})).text)
    answers.append((await api.nobody.get("/sign-in", params={"code": CANARY})).text)
    answers.append(
        (await api.nobody.get("/api/v1/targets", headers={"Authorization": f"Bearer {CANARY}"})).text
    )
    answers.append((await api.nobody.get(f"/api/v1/push/{CANARY}-{'x' * 20}")).text)
    answers.append((await api.nobody.get(f"/api/v1/push/{CANARY}-unknown")).text)
    answers.append((await api.admin.get("/api/v1/targets", params={"nonsense": CANARY})).text)
    for target in (await api.admin.get("/api/v1/targets")).json()["items"]:
        path = f"/api/v1/targets/{target['id']}"
        answers.append((await api.admin.patch(path, json={"url": f"ftp://u:{CANARY}@h/"})).text)
        parts = ("", "/results", "/history", "/transitions")
        answers += [(await api.admin.get(path + part)).text for part in parts]
    paths = ("/api/v1/overview", "/api/v1/transitions", "/metrics", "/api/v1/tokens", "/docs")
    answers += [(await api.admin.get(path)).text for path in paths]
    async with events(api.viewer, headers={"Last-Event-ID": "1"}) as stream:
        answers.append(str([await stream.next("snapshot")]))
    return answers


async def test_secrets_appear_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No answer, no line of the log at DEBUG (access log included) and no file holds a secret."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "mooring")  # whatever a command that ran in this process has set
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client, whose addresses hold some
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    async with running(tmp_path, watch=True) as api:
        answers = await everything(api)
        tokens = [api.tokens[role] for role in Role]
    assert "/api/v1/push/***" in caplog.text
    shown = [answer for answer in answers if CANARY in answer]
    assert len(shown) == 1, "the address to report to is shown once, to who makes it"
    assert f'"report_to":"/api/v1/push/{CANARY}-' in shown[0]
    assert shown[0].count(CANARY) == 1
    assert [line for line in caplog.text.splitlines() if CANARY in line] == []
    for secret in (CANARY, *tokens):
        assert secret not in caplog.text
        holders = [file.name for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()]
        assert holders == []
