"""The command line inside this process: what it takes, what it says, how it ends."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooring.cli.logs import Masked
from mooring.cli.main import COMMANDS, main, parser
from tests.servers.process import free_port
from tests.sources import run_python


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder without Mooring's variables, and give the root logger back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOORING_CONFIG", raising=False)
    monkeypatch.delenv("MOORING_LOG", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def port() -> Iterator[int]:
    """Listen on a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


Output = pytest.CaptureFixture[str]


def test_check_says_up(port: int, capsys: Output) -> None:
    """A port that accepts is up, in one row, with exit status 0."""
    assert main(["check", f"tcp://127.0.0.1:{port}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"✓ 127.0.0.1:{port}  tcp  127.0.0.1:{port}  up    dns ")
    assert out.count("\n") == 1


def test_check_says_down_and_what_to_do(port: int, capsys: Output) -> None:
    """One that is refused makes exit status 1, is named with a hint, and hides no other."""
    closed = free_port()
    assert main(["check", f"good=tcp://127.0.0.1:{port}", f"bad=tcp://127.0.0.1:{closed}"]) == 1
    good, bad, hint = capsys.readouterr().out.splitlines()
    assert good.startswith("✓ good  tcp")
    assert bad.startswith("✗ bad   tcp")
    assert "down  tcp: the connection was refused: nothing listens there" in bad
    assert hint.strip().startswith("→ ")


def test_check_prints_json(port: int, capsys: Output) -> None:
    """--json prints one document of the promised shape and nothing else."""
    main(["check", "--json", f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{free_port()}"])
    report = json.loads(capsys.readouterr().out)
    assert report["summary"] == {"up": 1, "degraded": 0, "down": 1, "unknown": 0, "paused": 0}
    up, down = report["results"]
    assert (up["status"], up["failure"], up["trigger"]) == ("up", None, "cli")
    assert (down["failure"]["reason"], down["failure"]["stage"], down["failure"]["code"]) == (
        "refused",
        "tcp",
        "ECONNREFUSED",
    )


def test_check_writes_junit(tmp_path: Path, capsys: Output) -> None:
    """--junit writes a report that parses, beside what is printed."""
    report = tmp_path / "report.xml"
    assert main(["check", f"tcp://127.0.0.1:{free_port()}", "--junit", str(report)]) == 1
    assert ET.parse(report).getroot().get("failures") == "1"
    assert capsys.readouterr().out.startswith("✗")


def test_check_tells_before_testing_that_the_report_cannot_be_written(capsys: Output) -> None:
    """A report that cannot be written is a mistake of usage: nothing is tested."""
    assert main(["check", "tcp://127.0.0.1:1", "--junit", "no/such/folder/x.xml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--junit: no/such/folder/x.xml cannot be written: No such file or directory" in captured.err


def test_all_bad_targets_are_named_at_once(port: int, capsys: Output) -> None:
    """One bad target and nothing is tested; all bad ones are told, without their passwords."""
    words = [
        f"tcp://127.0.0.1:{port}",
        "tcq://u:hunter2@h:1",
        "tcp://u:hunter2@h",
        "orders",
        "u:hunter2@h/db",
    ]
    assert main(["check", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hunter2" not in captured.err
    lines = captured.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["tcq://u:***@h:1", "tcp://u:***@h", "orders", "***"]
    assert "did you mean tcp?" in lines[0]


def test_nothing_to_test_is_wrong_usage(capsys: Output) -> None:
    """Without targets and without a configuration there is nothing to do, which is told."""
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "mooring: nothing to test: give an address such as redis://localhost\n"


def test_configuration_names_targets(port: int, tmp_path: Path, capsys: Output) -> None:
    """A name is looked up in the configuration; without any name all that are enabled are tested."""
    (tmp_path / "mooring.toml").write_text(
        f'[[targets]]\nname = "a"\nurl = "tcp://127.0.0.1:{port}"\n'
        f'[[targets]]\nname = "b"\nurl = "tcp://127.0.0.1:{free_port()}"\nenabled = false\n'
    )
    assert main(["check", "a"]) == 0
    assert main(["check"]) == 0
    assert main(["check", "a", "b"]) == 1
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines() if line[0] in "✓✗"] == list(
        "aaab"
    )
    assert main(["check", "c"]) == 2
    assert "c: is no address (mooring.toml has no target of that name)" in capsys.readouterr().err


def test_targets_come_from_standard_input(port: int, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """`-` reads a list, so that passwords need not stand in the process list."""
    lines = f"# a comment\n\ntcp://127.0.0.1:{port}\nnamed = tcp://127.0.0.1:{port}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["check", "-"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [
        f"127.0.0.1:{port}",
        "named",
    ]


def test_targets_come_from_an_env_file(port: int, tmp_path: Path, capsys: Output) -> None:
    """--env-file tests what it can and says what it cannot."""
    (tmp_path / ".env").write_text(f"SHOP_URL=tcp://127.0.0.1:{port}\nBROKER_URL=kafka://u:hunter2@mq/\n")
    assert main(["check", "--env-file", ".env"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("✓ shop  tcp")
    assert captured.err == "mooring: broker (kafka://u:***@mq/): kafka is not supported yet; not tested\n"


def test_env_file_without_addresses_is_told(tmp_path: Path, capsys: Output) -> None:
    """A file in which nothing was found, and one that is not there, are mistakes."""
    (tmp_path / ".env").write_text("A=b\n")
    assert main(["check", "--env-file", ".env"]) == 2
    assert capsys.readouterr().err == "mooring: .env: no address found\n"
    assert main(["check", "--env-file", "none"]) == 2
    assert capsys.readouterr().err == "mooring: none: cannot be read: No such file or directory\n"


def test_targets_come_from_the_environment(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """--from-env tests the addresses of the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.environ", {"SHOP_URL": f"tcp://127.0.0.1:{port}"})
    assert main(["check", "--from-env"]) == 0
    assert capsys.readouterr().out.startswith("✓ shop  tcp")


def test_timeout_is_that_of_each_check(capsys: Output) -> None:
    """--timeout is what a check that is never answered is told to have waited."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert main(["check", url, "--timeout", "0.2"]) == 1
    assert "no answer at protocol within 0.2 s" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_timeout_that_is_no_time_is_refused(value: str, capsys: Output) -> None:
    """A timeout has to be a number of seconds above zero."""
    with pytest.raises(SystemExit) as ended:
        main(["check", "tcp://h:1", f"--timeout={value}"])
    assert ended.value.code == 2
    assert f"argument --timeout: invalid seconds value: '{value}'" in capsys.readouterr().err


def test_errors_of_usage_hide_passwords(capsys: Output) -> None:
    """What argparse repeats of a wrong command line has no password in it."""
    with pytest.raises(SystemExit):
        main(["check", "--nonsense=redis://u:hunter2@h"])
    captured = capsys.readouterr()
    assert "unrecognized arguments: --nonsense=redis://***@h" in captured.err
    assert "hunter2" not in captured.err


def test_wait_ends_when_all_work(port: int, capsys: Output) -> None:
    """`wait` shows the rows and ends with 0."""
    assert main(["wait", f"tcp://127.0.0.1:{port}", "--timeout", "5"]) == 0
    assert capsys.readouterr().out.startswith("✓")


def test_wait_ends_when_its_time_is_up(capsys: Output) -> None:
    """What can heal is waited for; the last thing seen is told, with exit status 1."""
    url = f"tcp://127.0.0.1:{free_port()}"
    assert main(["wait", url, "--timeout", "0.2", "--interval", "0.01"]) == 1
    captured = capsys.readouterr()
    assert "tcp: the connection was refused: nothing listens there" in captured.out
    assert captured.err.count("waiting for") == 1


def test_kinds_are_listed_and_described(capsys: Output) -> None:
    """`kinds` lists every kind, and describes one with its stages and settings."""
    assert main(["kinds"]) == 0
    assert "tcp" in capsys.readouterr().out
    assert main(["kinds", "tcp"]) == 0
    out = capsys.readouterr().out
    assert "tcp       something accepts connections on the port" in out
    assert "expect  text" in out
    assert main(["kinds", "tcp", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schemes"] == ["tcp"]
    assert main(["kinds", "tpc"]) == 2
    assert "did you mean tcp" in capsys.readouterr().err


def test_config_check_hides_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """The effective settings are printed as TOML that could be read again, but for the secrets."""
    monkeypatch.setenv("URL", "http://u:hunter2@127.0.0.1/")
    (tmp_path / "mooring.toml").write_text('[[targets]]\nname = "x \U0001f600"\nurl = "${URL}"\n')
    assert main(["config", "check"]) == 0
    out = capsys.readouterr().out
    assert 'url = "http://u:***@127.0.0.1/"' in out
    assert "hunter2" not in out
    again = tmp_path / "again.toml"
    again.write_text(out)
    assert main(["config", "check", "-c", str(again)]) == 0


def test_config_check_tells_every_mistake(tmp_path: Path, capsys: Output) -> None:
    """Two mistakes are two lines, with exit status 2."""
    (tmp_path / "x.toml").write_text("[server]\nport = 'x'\n[[channels]]\n")
    assert main(["config", "check", "-c", "x.toml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(": ")[2] for line in captured.err.splitlines()] == ["channels", "server.port"]


def test_every_command_has_a_description(capsys: Output) -> None:
    """`mooring --help` names every command, and each command helps itself."""
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert parser(*COMMANDS).format_help()


def test_log_level_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """MOORING_LOG takes four words."""
    monkeypatch.setenv("MOORING_LOG", "loud")
    assert main(["check", "tcp://127.0.0.1:1"]) == 2
    assert "MOORING_LOG: has to be one of debug, info, warning, error" in capsys.readouterr().err


def test_log_lines_hide_secrets() -> None:
    """Whoever logs a secret, also in a traceback, it is masked."""
    try:
        raise ValueError("wrong: hunter2")  # what a driver might say
    except ValueError as error:
        record = logging.LogRecord(
            "x", 10, "f", 1, "dsn redis://u:pw@h and %s", ("hunter2",), (type(error), error, None)
        )
    text = Masked(["hunter2"]).format(record)
    assert "hunter2" not in text
    assert "redis://***@h" in text


@given(st.text(max_size=60) | st.text("tcp://:@[]?#%a1/", max_size=20).map(lambda rest: f"tcp://{rest}"))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_address_is_parsed_or_refused(capsys: Output, text: str) -> None:
    """No text given as a target ends in a traceback; nothing is connected where one of two is bad."""
    if text.strip() == "-" or text.startswith("-") or "\x00" in text:
        return
    assert main(["check", text, "nonsense://x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_passive_targets_are_not_tested(port: int, tmp_path: Path, capsys: Output) -> None:
    """What reports by itself cannot be asked: it is left out and said, not called down."""
    (tmp_path / "mooring.toml").write_text(
        f'[[targets]]\nname = "a"\nurl = "tcp://127.0.0.1:{port}"\n[[targets]]\nname="cron"\nkind="push"\n'
    )
    assert main(["check"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("✓ a")
    assert captured.out.count("\n") == 1
    assert captured.err == "mooring: cron: waits to be reported to a server; not tested\n"
    assert main(["check", "cron"]) == 2


@pytest.mark.parametrize("prefix", ["jdbc:", "db+", "sqla+"])
def test_frameworks_spellings_are_addresses(prefix: str, capsys: Output) -> None:
    """What JDBC and Celery put before an address is passed over."""
    assert main(["check", f"{prefix}postgresql://u:hunter2@127.0.0.1:{free_port()}/x", "--json"]) == 1
    out = capsys.readouterr().out
    assert '"reason": "refused"' in out
    assert "hunter2" not in out


def test_standard_input_that_is_no_text_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """Bytes that are not UTF-8 are a mistake, not a traceback."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"tcp://\xff:1")))
    assert main(["check", "-"]) == 2
    assert capsys.readouterr().err == "mooring: standard input: is not UTF-8 text\n"


@pytest.mark.parametrize("command", ["check", "wait"])
def test_checking_loads_neither_store_nor_server(port: int, command: str) -> None:
    """A check from a cold start imports what it needs: no store, no server, no other kind's driver."""
    heavy = (
        "alembic asyncpg cryptography fastapi mooring.api mooring.app mooring.store sqlalchemy uvicorn yaml"
    )
    loaded = run_python(
        "import sys\nfrom mooring.cli.main import main\n"
        f"main([{command!r}, 'tcp://127.0.0.1:{port}'])\n"
        f"print(*sorted(set(sys.modules) & set({heavy!r}.split())))"
    )
    assert loaded.splitlines()[1:] in ([], [""])
