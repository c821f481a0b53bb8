"""The program `mooring` as a process against real servers: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.servers.postgresql import PASSWORD, PostgreSQL
from tests.servers.process import free_port, poll_until
from tests.servers.redis import PASSWORD as REDIS_PASSWORD
from tests.servers.redis import StartRedis

pytestmark = pytest.mark.integration
PATIENCE = 60.0
PROGRAM = str(Path(sys.executable).with_name("mooring"))
WRONG = "wr0ng-passw0rd"


@dataclass
class Program:
    """Runs `mooring` in a folder of its own, without any of our own environment that concerns it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Start it."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.PIPE} | options
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # options are passed on
            [PROGRAM, *words], cwd=self.folder, env={**kept, **self.environ}, text=True, **streams
        )

    def run(
        self, *words: str, stdin: str = "", status: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, which has to come with this status where one is given."""
        with self.start(*words) as process:
            out, err = process.communicate(stdin, PATIENCE)
        assert status is None or process.returncode == status, (process.returncode, out, err)
        return subprocess.CompletedProcess([PROGRAM, *words], process.returncode, out, err)

    @contextmanager
    def serving(self, *words: str) -> Iterator[Served]:
        """Run `mooring serve` on a free port until the end of the block, which it has to leave cleanly."""
        log = self.folder / "serve.log"
        with log.open("w") as output:
            server = self.start("serve", "--port", "0", *words, stdout=output, stderr=output)
        try:
            poll_until(
                lambda: "listens on" in log.read_text() or server.poll() is not None, "listening", PATIENCE
            )
            assert server.poll() is None, log.read_text()
            yield Served(log, log.read_text().partition("listens on ")[2].split()[0].rstrip("/"))
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0, log.read_text()
        finally:
            server.kill()
            server.communicate()


@dataclass(frozen=True)
class Served:
    """A running server."""

    log: Path
    url: str


@pytest.fixture
def mooring(tmp_path: Path) -> Program:
    """The program in an empty folder."""
    return Program(tmp_path)


@contextmanager
def silent() -> Iterator[int]:
    """Listen on a port, accept, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_check_names_stage_and_reason(mooring: Program, postgresql: PostgreSQL) -> None:
    """A wrong password fails at auth with PostgreSQL's code, a right one is up; together the status is 1."""
    words = [f"good={postgresql.url()}", f"bad={postgresql.url(password=WRONG)}"]
    good, bad = json.loads(mooring.run("check", "--json", *words, status=1).stdout)["results"]
    assert (good["status"], good["failure"]) == ("up", None)
    assert (bad["failure"]["reason"], bad["failure"]["stage"], bad["failure"]["code"]) == (
        "auth",
        "auth",
        "28P01",
    )
    assert bad["failure"]["hint"]
    assert mooring.run("check", words[0], status=0).stdout.startswith("✓ good  postgresql  127.0.0.1:")


def test_secrets_are_nowhere(mooring: Program, postgresql: PostgreSQL, start_redis: StartRedis) -> None:
    """At MOORING_LOG=debug, with every kind of output, no password of a target is printed or written."""
    mooring.environ["MOORING_LOG"] = "debug"
    with start_redis() as redis:
        lines = [
            postgresql.url(),
            postgresql.url(password=WRONG),
            redis.url(),
            redis.url(password=WRONG),
            f"http://user:{WRONG}@127.0.0.1:{redis.port}/?token={WRONG}",
            f"postgresql://user:{WRONG}@127.0.0.1:1/x",
        ]
        done = [
            mooring.run("check", "-v", "--junit", "r.xml", "-", stdin="\n".join(lines), status=1),
            mooring.run("check", "--json", "-", stdin="\n".join(lines), status=1),
            mooring.run("wait", *lines, "--timeout", "2", status=1),
            mooring.run("check", f"redis:/{WRONG}@h", f"nope://u:{WRONG}@h", f"tcp://u:{WRONG}@h", status=2),
        ]
    told = "".join(each.stdout + each.stderr for each in done) + (mooring.folder / "r.xml").read_text()
    for secret in (PASSWORD, REDIS_PASSWORD, WRONG):
        assert secret not in told


def test_targets_come_from_standard_input_and_files(mooring: Program, postgresql: PostgreSQL) -> None:
    """`-`, --env-file and --from-env reach the same database, and the JUnit report parses."""
    assert mooring.run("check", "-", stdin=f"db = {postgresql.url()}\n", status=0).stdout.startswith("✓ db")
    (mooring.folder / ".env").write_text(
        f"PW='{PASSWORD}'\nORDERS_DATABASE_URL=postgresql://postgres:${{PW}}@127.0.0.1:{postgresql.port}/postgres\n"
    )
    assert mooring.run("check", "--env-file", ".env", status=0).stdout.startswith("✓ orders")
    mooring.environ |= {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgresql.port),
        "PGUSER": "postgres",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "postgres",
    }
    done = mooring.run("check", "--from-env", "--junit", "report.xml", status=0)
    assert done.stdout.startswith("✓ postgresql")
    assert ET.parse(mooring.folder / "report.xml").getroot().get("tests") == "1"


def test_many_targets_are_tested_together(mooring: Program, postgresql: PostgreSQL) -> None:
    """The rows come in the order of the targets, however long each takes."""
    with silent() as port:
        slow = f"slow=http://127.0.0.1:{port}/"
        out = mooring.run("check", slow, f"fast={postgresql.url()}", "--timeout", "2", status=1).stdout
    rows = [line for line in out.splitlines() if line[0] != " "]
    assert [row.split()[:2] for row in rows] == [["✗", "slow"], ["✓", "fast"]]


def test_interrupt_is_clean(mooring: Program) -> None:
    """Ctrl-C ends a check at once with status 130 and without a traceback."""
    with silent() as port, mooring.start("check", f"http://127.0.0.1:{port}/", "--timeout", "60") as process:
        poll_until(lambda: _connected(port), "the check's connection")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "mooring: interrupted\n")


def _connected(port: int) -> bool:
    established = f":{port:04X} 01 "
    return established in " ".join(Path("/proc/net/tcp").read_text().split())


def test_closed_pipe_is_clean(mooring: Program) -> None:
    """A reader that has seen enough gets no traceback."""
    read, write = os.pipe()
    with mooring.start("kinds", stdout=write) as process:
        os.close(read)
        os.close(write)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (1, "")


def test_wait_sees_a_server_come_up(mooring: Program, start_redis: StartRedis) -> None:
    """`wait` says what it waits for, and ends with 0 once the server is there."""
    with start_redis() as redis:
        redis.stop()
        with mooring.start("wait", redis.url(), "--interval", "0.1") as process:
            assert process.stderr is not None
            first = process.stderr.readline()
            redis.start()
            out, _ = process.communicate(timeout=PATIENCE)
    assert first.startswith(f"waiting for 127.0.0.1:{redis.port}: tcp: the connection was refused")
    assert process.returncode == 0
    assert out.startswith("✓")


def test_wait_gives_up_on_what_waiting_cannot_heal(mooring: Program, postgresql: PostgreSQL) -> None:
    """A rejected login ends it long before its time, with status 1; with --patient it is waited for."""
    url = postgresql.url(password=WRONG)
    assert "auth: " in mooring.run("wait", url, "--timeout", "3600", status=1).stdout
    assert "auth: " in mooring.run("wait", url, "--timeout", "1", "--patient", status=1).stdout


def test_wait_does_not_hammer_a_rejected_login(mooring: Program, start_redis: StartRedis) -> None:
    """With --patient a login is tried three times in a row, and then every 30 s, which it says."""
    with start_redis() as redis:
        words = ("wait", redis.url(password=WRONG), "--patient", "--interval", "0.01", "--timeout", "2")
        said = mooring.run(*words, status=1).stderr.splitlines()
        books = redis.ask("INFO", "commandstats")
    assert (
        sum(int(books.get(name, {}).get("failed_calls", 0)) for name in ("cmdstat_auth", "cmdstat_hello"))
        == 3
    )
    assert len(said) == 2
    assert said[1] == f"{said[0]} (rejected 3 times: now tried every 30 s)"


def test_usage_tells_every_mistake(mooring: Program) -> None:
    """Bad targets, a bad configuration and bad options end with 2 and nothing on standard output."""
    (mooring.folder / "mooring.toml").write_text("[server]\nport = 'x'\n[[channels]]\nname = 'ops'\n")
    for words in (
        ["check", "orders"],
        ["config", "check"],
        ["serve"],
        ["targets", "list"],
        ["check", "--nope"],
    ):
        done = mooring.run(*words, status=2)
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
    assert mooring.run("config", "check").stderr == (
        "mooring: mooring.toml: channels: is not supported by this version of Mooring; take it out\n"
        "mooring: mooring.toml: server.port: has to be a whole number\n"
    )


def test_stored_targets_live_in_the_database(mooring: Program, start_redis: StartRedis) -> None:
    """Added, paused, exported, applied, removed without a server; no password stands in the file."""
    with start_redis() as redis:
        mooring.run("targets", "add", "cache", "-", "--set", "interval=60", stdin=redis.url(), status=0)
        assert (
            "the name 'cache' is taken"
            in mooring.run("targets", "add", "cache", "tcp://h:1", status=1).stderr
        )
        mooring.run("targets", "pause", "cache", status=0)
        assert "paused" in mooring.run("targets", "list", status=0).stdout
        exported = mooring.run("targets", "export", status=0).stdout
        assert f"redis://:***@127.0.0.1:{redis.port}" in exported
        revealed = mooring.run("targets", "export", "--reveal", status=0).stdout
        (mooring.folder / "all.toml").write_text(revealed.replace("interval = 60.0", "interval = 30"))
        plan = mooring.run("targets", "apply", "all.toml", "--plan", status=0).stdout
        assert plan == "~ cache\nnothing was changed; this is what would be done\n"
        mooring.run("targets", "apply", "all.toml", status=0)
        assert mooring.run("targets", "apply", "all.toml", status=0).stdout == "= cache\n"
        mooring.run("targets", "remove", "cache", status=0)
        assert (
            mooring.run("targets", "list", "--json", status=0).stdout
            == '{\n  "items": [],\n  "next": null\n}\n'
        )
    for file in mooring.folder.glob("mooring.db*"):
        assert REDIS_PASSWORD.encode() not in file.read_bytes()


def test_database_is_backed_up_and_restored(mooring: Program) -> None:
    """`db` makes, checks, saves and brings back a store."""
    assert mooring.run("db", "check", status=1).stdout.endswith(
        "is not there yet; `mooring serve` makes it\n"
    )
    mooring.run("db", "upgrade", status=0)
    mooring.run("targets", "add", "a", "tcp://h:1", status=0)
    mooring.run("db", "backup", "it.backup", status=0)
    mooring.run("targets", "remove", "a", status=0)
    mooring.run("db", "restore", "it.backup", status=0)
    assert "a " in mooring.run("targets", "list", status=0).stdout
    assert mooring.run("db", "check", status=0).stdout == "sqlite:///mooring.db is up to date\n"


def test_postgresql_store_asks_for_its_upgrade(mooring: Program, postgresql: PostgreSQL) -> None:
    """On PostgreSQL nothing is changed before `db upgrade`, and the command that is missing is named."""
    with postgresql.database() as name:
        mooring.environ["MOORING_DATABASE_URL"] = postgresql.url(database=name)
        refused = mooring.run("serve", "--port", "0", status=2).stderr
        assert "mooring: store.url: is an empty database; run `mooring db upgrade`" in refused
        assert PASSWORD not in mooring.run("db", "upgrade", status=0).stdout
        token = mooring.run("token", "create", "--role", "viewer", "--name", "me", status=0).stdout
        assert token.startswith("mrg_")
        assert token.count("\n") == 1


def test_server_notices_what_commands_do(mooring: Program, start_redis: StartRedis) -> None:
    """Added in the database, it is watched; broken, it is down with its reason; repaired, it is back."""
    server = Program(mooring.folder, {"MOORING_LOG": "debug"})
    with start_redis() as redis, server.serving("--demo") as served:
        quick = ["--set", "interval=1", "--set", "retry=false"]
        mooring.run("targets", "add", "cache", redis.url(), *quick, status=0)

        def row(name: str) -> list[str]:
            out = mooring.run("targets", "list", "--server", served.url, status=0).stdout
            return next((line.split() for line in out.splitlines() if f" {name} " in line), [])

        poll_until(lambda: row("cache")[:1] == ["✓"], "the target is up", PATIENCE)
        redis.stop()
        poll_until(lambda: row("cache")[:1] == ["✗"], "the target is down", PATIENCE)
        cause = ["tcp", "refused", "the", "connection", "was", "refused:", "nothing", "listens", "there"]
        assert row("cache")[-9:] == cause
        redis.start()
        poll_until(lambda: row("cache")[:1] == ["✓"], "the target is up again", PATIENCE)
        mooring.run(
            "targets", "add", "door", f"tcp://127.0.0.1:{redis.port}", "--server", served.url, status=0
        )
        assert "door" in mooring.run("targets", "list", status=0).stdout
        shown = mooring.run("targets", "show", "cache", "--server", served.url, status=0).stdout
        assert "Mooring database" in mooring.run("targets", "list", status=0).stdout
    log = served.log.read_text()
    assert "cache is down, was up: tcp: the connection was refused" in log
    assert "/sign-in?code=" in log
    for secret in (REDIS_PASSWORD, (mooring.folder / "mooring.token").read_text().strip()):
        assert secret not in log + shown
    assert (mooring.folder / "mooring.token").stat().st_mode & 0o777 == 0o600


def test_apply_through_a_server(mooring: Program) -> None:
    """A file adds, changes and, where told to, removes; what holds a secret is always sent."""
    file = mooring.folder / "targets.toml"
    with mooring.serving() as served:
        to = ["--server", served.url]
        text = '[[targets]]\nname = "a"\nurl = "tcp://127.0.0.1:1"\n[[targets]]\nname = "b"\nurl = "http://u:pw@h/"\n'
        file.write_text(text)
        assert mooring.run("targets", "apply", str(file), *to, status=0).stdout == "+ a\n+ b\n"
        file.write_text(text.replace(":1", ":2"))
        assert mooring.run("targets", "apply", str(file), *to, status=0).stdout == (
            "~ a\n~ b (its secrets cannot be compared)\n"
        )
        assert mooring.run("targets", "apply", str(file), *to, status=0).stdout.startswith("= a\n")
        file.write_text(text.partition('[[targets]]\nname = "b"')[0].replace(":1", ":2"))
        planned = mooring.run("targets", "apply", str(file), "--prune", "--plan", *to, status=0).stdout
        assert planned.startswith("- b\n= a\n")
        mooring.run("targets", "apply", str(file), "--prune", *to, status=0)
        names = [t["name"] for t in json.loads(mooring.run("targets", "list", "--json", *to).stdout)["items"]]
        assert "a" in names
        assert "b" not in names
        refused = mooring.run("targets", "list", *to, "--token", "mrg_wrong", status=1).stderr
        assert "not known: it is mistyped, or was revoked" in refused
        assert "mrg_wrong" not in refused


def test_port_that_is_taken_is_told(mooring: Program) -> None:
    """`serve` says which port, and ends with 2."""
    with silent() as port:
        done = mooring.run("serve", "--port", str(port), status=2)
    assert (
        f"mooring: server.port: 127.0.0.1 port {port} cannot be listened on: Address already in use"
        in done.stderr
    )


def test_interrupted_server_ends_cleanly(mooring: Program) -> None:
    """SIGINT ends `serve` with status 0 as SIGTERM does."""
    port = free_port()
    with mooring.start("serve", "--port", str(port)) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == f"Mooring listens on http://127.0.0.1:{port}/\n"
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0
    assert "Traceback" not in err
