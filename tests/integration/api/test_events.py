"""The event stream: snapshot, changes, resuming, slow readers, and its end."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mooring.api.guard import Role
from mooring.app import App
from mooring.core.result import Trigger
from mooring.store import tokens
from tests.http_api import Api, running, until
from tests.sse import Stream, events

pytestmark = pytest.mark.integration
HOUR = 3600.0


async def check(api: Api, target_id: int) -> None:
    """Have a target tested now."""
    assert (await api.operator.post(f"/api/v1/targets/{target_id}/check")).status_code == 200


async def test_first_comes_how_everything_stands(api: Api) -> None:
    """The first event is a snapshot with every target and its health, whose id is a revision."""
    target = await api.add(name="web")
    await check(api, target["id"])
    async with events(api.viewer) as stream:
        snapshot = await stream.next()
    assert snapshot.name == "snapshot"
    assert snapshot.id == str(snapshot.data["revision"]) != "0"
    (shown,) = snapshot.data["targets"]
    assert shown == (await api.viewer.get(f"/api/v1/targets/{target['id']}")).json()
    assert snapshot.data["monitoring"]["store_error"] is None


async def test_then_come_changes_as_they_are_committed(api: Api) -> None:
    """Each commit is one event: what a check found and changed; a target added, changed, removed."""
    async with events(api.viewer) as stream:
        last = int((await stream.next("snapshot")).id or 0)
        target = await api.add(name="web", script=["refused"])
        added = await stream.next()
        assert [each["name"] for each in added.data["targets"]] == ["web"]
        await check(api, target["id"])
        checked = await stream.next()
        assert [r["failure"]["reason"] for r in checked.data["results"]] == ["refused"]
        assert [(t["old"], t["new"]) for t in checked.data["transitions"]] == [("unknown", "down")]
        assert checked.data["health"][str(target["id"])]["status"] == "down"
        await api.operator.patch(f"/api/v1/targets/{target['id']}", json={"interval": 99})
        changed = await stream.next()
        assert [each["interval"] for each in changed.data["targets"]] == [99]
        await api.operator.delete(f"/api/v1/targets/{target['id']}")
        removed = await stream.next()
        assert (removed.data["removed"], removed.data["targets"]) == ([target["id"]], [])
    ids = [int(event.id or 0) for event in (added, checked, changed, removed)]
    assert ids == sorted({last, *ids})[1:]


async def test_a_change_by_another_process_is_told_however_late_it_is_noticed(api: Api) -> None:
    """A target added beside the server is told to who came between that and its being noticed."""
    target = await api.add(name="web")
    async with App(api.app.settings, kinds=api.app.kinds, watch=False) as beside:
        await beside.catalogue.add({"name": "beside", "kind": "scripted"})
    await check(api, target["id"])  # a newer revision than that
    async with events(api.viewer) as stream:
        snapshot = await stream.next("snapshot")
        assert [each["name"] for each in snapshot.data["targets"]] == ["web"]
        await api.app.catalogue.refresh()
        changed = await stream.next("changes")
    assert [each["name"] for each in changed.data["targets"]] == ["beside"]
    assert changed.id == snapshot.id


async def test_a_server_without_a_commit_of_its_own_tells_the_stores_revision(tmp_path: Path) -> None:
    """Right after a restart the overview names the newest revision there is, not zero."""
    async with running(tmp_path) as api:
        await api.add(name="web")
        before = (await api.viewer.get("/api/v1/overview")).json()["revision"]
    async with running(tmp_path) as api:
        assert (await api.viewer.get("/api/v1/overview")).json()["revision"] == before > 0


async def test_a_viewer_that_was_away_is_told_what_it_missed(api: Api) -> None:
    """With Last-Event-ID the missed changes of health come first, in order, then the snapshot."""
    target = await api.add(name="web", script=["refused", "up", "timeout"])
    async with events(api.viewer) as stream:
        seen = (await stream.next("snapshot")).id
    for _ in range(3):
        await check(api, target["id"])
    async with events(api.viewer, headers={"Last-Event-ID": seen}) as stream:
        missed = [await stream.next() for _ in range(3)]
        assert [event.name for event in missed] == ["changes"] * 3
        assert [t["new"] for event in missed for t in event.data["transitions"]] == ["down", "up", "down"]
        snapshot = await stream.next()
    assert snapshot.name == "snapshot"
    assert [int(event.id or 0) for event in (*missed, snapshot)] == sorted(
        int(event.id or 0) for event in (*missed, snapshot)
    )
    async with events(api.viewer, headers={"Last-Event-ID": snapshot.id or ""}) as stream:
        assert (await stream.next()).name == "snapshot"


@pytest.mark.parametrize(
    ("word", "code"), [("abc", 422), ("-1", 422), ("9" * 30, 422), ("999999", 200), ("", 200)]
)
async def test_a_last_event_that_cannot_be_is_refused_or_begins_anew(api: Api, word: str, code: int) -> None:
    """What is no revision answers 422; one from the future (another database) begins with a snapshot."""
    async with api.viewer.stream("GET", "/api/v1/events", headers={"Last-Event-ID": word}) as answer:
        assert answer.status_code == code


async def test_a_reader_that_is_too_slow_is_brought_up_to_date(tmp_path: Path) -> None:
    """Commits that a reader did not take are not piled up: it gets what changed, and a new snapshot."""
    flips = 400
    async with running(tmp_path, send_buffer=4096) as api:
        target = await api.add(name="web", script=["refused", "up"] * (flips // 2))
        api.app.bus.most_waiting = 3
        others = set(api.app.bus.readers)
        async with _Stalled(api) as reader:
            await until(lambda: bool(api.app.bus.readers - others), "the reader's subscription")
            for _ in range(flips):
                await api.app.monitor.check(api.app.catalogue.get(target["id"]), Trigger.API)
                assert all(len(each._waiting) <= 3 for each in api.app.bus.readers)
            text = b""
            async with asyncio.timeout(30):
                while text.count(b"event: snapshot") < 2:
                    text += await reader.read(65536)
    changes = re.findall(r'"old":"\w+","new":"(\w+)"', text.decode())
    assert changes == ["down", "up"] * (flips // 2)


class _Stalled:
    """A client that asks for the stream and reads nothing, with the smallest buffers there are."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __aenter__(self) -> asyncio.StreamReader:
        url = httpx.URL(self._api.url)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        plain.connect((url.host, url.port))
        plain.setblocking(False)
        reader, self._writer = await asyncio.open_connection(sock=plain, limit=1024)
        token = self._api.tokens[Role.VIEWER]
        self._writer.write(
            b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
            + f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        return reader

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()


async def test_silence_is_filled_with_comments(tmp_path: Path) -> None:
    """While nothing happens a comment keeps the connection alive for proxies in between."""
    async with running(tmp_path, keep_alive=0.02) as api, events(api.viewer) as stream:
        await stream.next("snapshot")
        assert await stream.comment() == "still here"
        assert await stream.comment() == "still here"


@asynccontextmanager
async def watching(api: Api) -> AsyncIterator[tuple[Stream, int]]:
    """Open a stream with a token of its own, whose id comes along."""
    made = (await api.admin.post("/api/v1/tokens", json={"name": "tv", "role": "viewer"})).json()
    async with events(api.nobody, headers={"Authorization": f"Bearer {made['token']}"}) as stream:
        await stream.next("snapshot")
        yield stream, made["id"]


async def test_a_stream_ends_with_the_token_that_opened_it(tmp_path: Path) -> None:
    """A revoked token's open streams end at once, not at a keep-alive; those of others go on."""
    async with running(tmp_path, keep_alive=HOUR) as api, events(api.viewer) as other:
        await other.next("snapshot")
        async with watching(api) as (stream, token_id):
            await api.admin.delete(f"/api/v1/tokens/{token_id}")
            assert await stream.rest() == []
        await api.add(name="web")
        assert [each["name"] for each in (await other.next("changes")).data["targets"]] == ["web"]


async def test_a_stream_ends_with_the_session_that_opened_it(tmp_path: Path) -> None:
    """Whoever signs out hears nothing more on what is still open."""
    async with running(tmp_path, keep_alive=HOUR) as api:
        token = {"token": api.tokens[Role.VIEWER]}
        csrf = (await api.nobody.post("/api/v1/session", json=token)).json()["csrf"]
        async with events(api.nobody) as stream:
            await stream.next("snapshot")
            await api.nobody.delete("/api/v1/session", headers={"X-CSRF-Token": csrf})
            assert await stream.rest() == []


async def test_what_others_take_away_ends_a_stream_too(tmp_path: Path) -> None:
    """A token that another process revoked ends its streams at the next look, a keep-alive later."""
    async with running(tmp_path, keep_alive=0.02) as api, watching(api) as (stream, token_id):
        await stream.comment()
        await api.app.store.write(lambda conn: tokens.revoke(conn, token_id, api.app.clock.now()))
        assert await stream.rest() == []


async def test_a_busy_stream_too_ends_with_its_login(tmp_path: Path) -> None:
    """So does one that is never silent for as long as a keep-alive."""
    async with running(tmp_path, keep_alive=2) as api:
        target = await api.add(name="web")

        async def never_silent() -> None:
            while True:
                await check(api, target["id"])

        async with watching(api) as (stream, token_id):
            busy = asyncio.create_task(never_silent())
            await stream.next("changes")
            await api.app.store.write(lambda conn: tokens.revoke(conn, token_id, api.app.clock.now()))
            assert {event.name for event in await stream.rest()} == {"changes"}
            busy.cancel()


async def test_a_viewer_that_leaves_is_forgotten(api: Api) -> None:
    """A closed stream leaves nothing on the bus."""
    before = set(api.app.bus.readers)
    async with events(api.viewer) as stream:
        await stream.next("snapshot")
        assert (len(api.app.bus.readers - before), api.context.streams) == (1, 1)
    await until(lambda: (api.app.bus.readers, api.context.streams) == (before, 0), "the reader's end")


async def test_too_many_streams_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit a stream answers 503 and says to try again later."""
    monkeypatch.setattr("mooring.api.events.MOST_STREAMS", 1)
    async with events(api.viewer) as stream:
        await stream.next("snapshot")
        answer = await api.viewer.get("/api/v1/events")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


async def test_the_server_ends_open_streams_when_it_stops(tmp_path: Path) -> None:
    """A server that is told to stop ends its streams instead of waiting for the viewers."""
    async with running(tmp_path) as api, events(api.viewer) as stream:
        await stream.next("snapshot")
        api.context.ending.set()
        assert await stream.rest() == []
