"""`mooring serve` as a process: its first start, its end, and a crash in between."""

from __future__ import annotations

import shlex
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.mooring import StartMooring
from tests.servers.process import free_port, poll_until
from tests.sse import events

pytestmark = pytest.mark.integration
SECRET = "s3cret-of-the-cache"


def transitions(client: httpx.Client) -> list[str]:
    """Return the changes of the target `web`, the oldest first."""
    (target,) = [t for t in client.get("/api/v1/targets").json()["items"] if t["name"] == "web"]
    listed = client.get(f"/api/v1/targets/{target['id']}/transitions").json()["items"]
    return [change["new"] for change in reversed(listed)]


def statuses(client: httpx.Client, names: list[str]) -> set[str]:
    """Return where these targets stand."""
    listed = client.get("/api/v1/targets").json()["items"]
    return {target["health"]["status"] for target in listed if target["name"] in names}


def test_the_first_start_makes_an_admin_and_a_way_in(start_mooring: StartMooring) -> None:
    """The token is kept for its owner alone, the printed address signs in once, and no token is printed."""
    with start_mooring() as server:
        kept = server.folder / "mooring.token"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert server.token not in server.log
        address = httpx.URL(server.sign_in_address)
        with httpx.Client(base_url=server.url, follow_redirects=True) as browser:
            assert browser.get(address).status_code == 200
            session = browser.post("/api/v1/session", json={"token": address.params["code"]})
            assert session.json()["name"] == "first"
            assert browser.get("/api/v1/overview").json()["monitoring"]["active"] is True
        again = httpx.post(f"{server.url}/api/v1/session", json={"token": address.params["code"]})
        assert again.status_code == 401
        with server.client() as client:
            assert client.get("/api/v1/session").json()["role"] == "admin"


def test_a_first_token_that_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    """It says which file is in the way, and once that is gone the next start is a first one again."""
    (tmp_path / "mooring.token").mkdir()
    command = [sys.executable, "-m", "mooring.cli.main", "serve", "--port", str(free_port())]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert f"the first token cannot be kept in {tmp_path / 'mooring.token'}: Is a directory" in refused.stderr
    with closing(sqlite3.connect(tmp_path / "mooring.db")) as database:
        assert database.execute("SELECT count(*) FROM tokens").fetchone() == (0,)


def test_a_second_start_makes_nothing(start_mooring: StartMooring) -> None:
    """With a token there, the next start prints no way in, and the token still works."""
    with start_mooring() as server:
        assert server.sign_in_address
        before = server.token
        server.stop()
        server.start()
        assert server.log.count("/sign-in?code=") == 1
        assert server.token == before
        with server.client() as client:
            assert len(client.get("/api/v1/tokens").json()["items"]) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_token_others_cannot_reach_it(tmp_path: Path, host: str) -> None:
    """Listening where others can reach it is refused until there is a token; the command told makes it."""
    program = str(Path(sys.executable).with_name("mooring"))
    where = ["--database", f"sqlite:///{tmp_path}/my results.db"]
    serve = [program, "serve", "--host", host, "--port", str(free_port()), *where]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert f"server.host: is {host}, where others can reach it, but there is no token yet." in done.stderr
    assert not (tmp_path / "mooring.token").exists()
    advice = shlex.split(done.stderr.partition("Make one first: ")[2])
    assert advice == ["mooring", "token", "create", "--role", "admin", "--name", "me", *where]
    subprocess.run([program, *advice[1:]], capture_output=True, timeout=60, cwd=tmp_path, check=True)
    with closing(sqlite3.connect(tmp_path / "my results.db")) as database:
        assert database.execute("SELECT name, role FROM tokens").fetchall() == [("me", "admin")]


def test_a_port_that_is_taken_is_told(start_mooring: StartMooring, tmp_path: Path) -> None:
    """A second server on the same port ends with status 2 and names the port."""
    with start_mooring() as server:
        program = str(Path(sys.executable).with_name("mooring"))
        where = ["--database", f"sqlite:///{tmp_path}/other.db"]
        serve = [program, "serve", "--port", str(server.port), *where]
        done = subprocess.run(serve, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert f"server.port: 127.0.0.1 port {server.port} cannot be listened on" in done.stderr


def test_it_ends_by_itself_with_streams_open(start_mooring: StartMooring) -> None:
    """SIGTERM ends the streams, writes what is left and exits 0, viewers or not."""
    with (
        start_mooring() as server,
        server.client() as client,
        client.stream("GET", "/api/v1/events") as stream,
    ):
        lines = stream.iter_lines()
        while not next(lines).startswith("data: "):
            pass
        process: Any = server._process
        server.stop()
        assert process.returncode == 0
        assert "Traceback" not in server.log


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_a_viewer_resumes_after_a_restart(start_mooring: StartMooring, how: str) -> None:
    """Killed or stopped, it comes back with every change it told, and tells a viewer what it missed."""
    with start_mooring() as server, server.client() as client:
        body = {"name": "web", "url": f"tcp://127.0.0.1:{free_port()}"}
        target = client.post("/api/v1/targets", json=body).json()
        client.post(f"/api/v1/targets/{target['id']}/check")
        login = {"Authorization": f"Bearer {server.token}"}
        async with httpx.AsyncClient(base_url=server.url, headers=login) as viewer:
            async with events(viewer) as stream:
                snapshot = await stream.next("snapshot")
            (shown,) = [t for t in snapshot.data["targets"] if t["name"] == "web"]
            assert shown["health"]["status"] == "down"
            open_it = {"url": f"tcp://127.0.0.1:{server.port}"}
            client.patch(f"/api/v1/targets/{target['id']}", json=open_it)
            client.post(f"/api/v1/targets/{target['id']}/check")
            getattr(server, how)()
            server.start()
            async with events(viewer, headers={"Last-Event-ID": snapshot.id or ""}) as stream:
                missed: list[str] = []
                while (event := await stream.next()).name == "changes":
                    missed += [t["new"] for t in event.data["transitions"] if t["target_id"] == target["id"]]
                assert event.name == "snapshot"
                assert "up" in missed
                assert int(event.id or 0) > int(snapshot.id or 0)
        poll_until(lambda: transitions(client)[-1] == "up", "the target being up after the restart")
        assert transitions(client)[:2] == ["down", "up"]


def test_a_crash_loses_no_answer_that_was_given(start_mooring: StartMooring) -> None:
    """Whatever was answered before kill -9 is there afterwards: targets, results, tokens, health."""
    with start_mooring() as server, server.client() as client:
        names = [f"t{number}" for number in range(5)]
        for name in names:
            target = client.post(
                "/api/v1/targets", json={"name": name, "url": f"tcp://127.0.0.1:{free_port()}"}
            ).json()
            result = client.post(f"/api/v1/targets/{target['id']}/check").json()["results"][0]
        made = client.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"}).json()
        server.kill()
        server.start()
        listed = client.get("/api/v1/targets").json()["items"]
        assert [t["name"] for t in listed if t["name"] in names] == names
        assert {t["health"]["last"]["failure"]["reason"] for t in listed if t["name"] in names} == {"refused"}
        poll_until(lambda: statuses(client, names) == {"down"}, "health being right again")
        kept = client.get(f"/api/v1/targets/{target['id']}/results").json()["items"]
        assert result["started_at"] in [each["started_at"] for each in kept]
        login = {"Authorization": f"Bearer {made['token']}"}
        assert httpx.get(f"{server.url}/api/v1/targets", headers=login).status_code == 200


def test_the_log_at_debug_holds_no_secret(start_mooring: StartMooring) -> None:
    """Passwords, tokens, codes and the addresses of jobs stay out of everything the server prints."""
    with start_mooring() as server, server.client() as client:
        client.post("/api/v1/targets", json={"name": "c", "url": f"redis://u:{SECRET}@127.0.0.1:1/0"})
        client.post("/api/v1/check", json={"url": f"redis://u:{SECRET}@127.0.0.1:1/0"})
        client.post("/api/v1/targets", json={"name": "bad", "url": f"nonsense://u:{SECRET}@h"})
        job = client.post("/api/v1/targets", json={"name": "job", "kind": "push"}).json()
        httpx.get(server.url + job["report_to"], params={"message": "done"})
        httpx.get(f"{server.url}/sign-in", params={"code": SECRET})
        httpx.get(
            f"{server.url}/nothing", params={"token": SECRET}, headers={"Authorization": f"Bearer {SECRET}"}
        )
        server.stop()
        code = httpx.URL(server.sign_in_address).params["code"]
        printed = server.log.replace(f"/sign-in?code={code}", "")
        assert "GET /api/v1/push/*** 200" in printed
        for secret in (SECRET, server.token, job["report_to"].rpartition("/")[2], code):
            assert secret not in printed


def test_a_base_path_of_the_command_line_is_used(start_mooring: StartMooring) -> None:
    """With --base-path the printed address and the pages stand under it."""
    with start_mooring("--base-path", "/mooring") as server:
        assert f"{server.url}/mooring/sign-in?code=" in server.sign_in_address
        assert httpx.get(f"{server.url}/mooring/openapi.json").json()["servers"] == [{"url": "/mooring"}]
