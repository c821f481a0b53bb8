"""What people write in the documentation works: commands, configurations, programs, links."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from docs.generator.commands import options, walk
from docs.generator.configuration import SECTIONS
from mooring.cli.main import COMMANDS, parser
from mooring.config import load
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.runner import Runner
from mooring.net.network import Network
from tests.pages import DOCS, WRITTEN, blocks, commands_in, headings, name_of
from tests.servers.played import playing


def complaint(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the program's parser has against these words, empty where it takes them."""
    try:
        parser(words[0]).parse_args(words)
    except SystemExit as error:
        return capsys.readouterr().err if error.code else ""
    return ""


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_commands_in_the_pages_are_right(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call of `mooring` in a shell block is one that the program's own parser takes."""
    for words in commands_in(path):
        assert not complaint(words, capsys), f"{name_of(path)}: mooring {' '.join(words)}"


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_commands_in_prose_exist(path: Path) -> None:
    """Each `mooring word` in the prose names a command, and each option behind it is one of its own."""
    known = {command.prog: command for command in walk()}
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for text in re.findall(r"`mooring ([a-z][^`]*)`", prose):
        words = [word for word in text.split() if word != "COMMAND"]
        if not words:
            continue
        assert words[0] in COMMANDS, f"{name_of(path)}: `mooring {text}` is no command"
        prog = next((p for p in known if f"mooring {text} ".startswith(f"{p} ")), None)
        given = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        if prog and given:
            assert given <= {o for a in options(known[prog]) for o in a.option_strings} | {"--help"}


def secret_files(text: str, folder: Path) -> str:
    """Let `file:///run/secrets/x` stand for files that exist: addresses, and keys of a service account."""
    key = {"type": "service_account", "client_email": "a@b", "private_key": "-", "token_uri": "https://c"}
    (folder / "key").write_text(json.dumps(key))
    (folder / "secret").write_text("postgresql://app:secret@db.example/orders\n")
    text = re.sub(r"file:///[\w./-]+\.json", f"file://{folder}/key", text)
    return re.sub(rf"file://(?!{folder})/[\w./-]+", f"file://{folder}/secret", text)


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_configurations_in_the_pages_are_right(path: Path, tmp_path: Path) -> None:
    """Each TOML block that is a configuration is one that Mooring takes."""
    for language, text in blocks(path):
        if language != "toml" or not set(tomllib.loads(text)) <= {*SECTIONS, "defaults", "targets"}:
            continue
        file = tmp_path / "mooring.toml"
        file.write_text(secret_files(text, tmp_path))
        variables = re.findall(r"\$\{(\w+)\}", text)
        assert load(file, dict.fromkeys(variables, "postgresql://app:secret@db.example/orders")).path == file


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """Each link to a file of the project finds it, and the heading it names."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{name_of(path)}: {target} leads nowhere"
        if anchor:
            assert anchor in headings(there), f"{name_of(path)}: {there.name} has no heading #{anchor}"


def test_every_page_can_be_reached() -> None:
    """From docs/README.md one comes to every page."""
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    pages = {p for p in WRITTEN if p.is_relative_to(DOCS) and p.parent.name != "decisions"}
    assert not pages - reached, f"no link leads to {[name_of(p) for p in sorted(pages - reached)]}"


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_python_in_the_pages_compiles(path: Path) -> None:
    """Each Python block is a program."""
    for language, text in blocks(path):
        if language == "python":
            compile(text, name_of(path), "exec")


def own_kind() -> ModuleType:
    """Make a module of the kind that the how-to shows."""
    text = next(text for lang, text in blocks(DOCS / "how-to" / "add-a-kind.md") if lang == "python")
    module = ModuleType("acme_gopher")
    module.__spec__ = ModuleSpec("acme_gopher", None)
    sys.modules[module.__name__] = module  # Pydantic resolves annotations there
    exec(text, module.__dict__)
    return module


async def check_gopher(answer: bytes) -> CheckResult:
    """Check a listener that gives one answer with the kind of the how-to."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)

    async with playing(serve) as port, Network() as net:
        probe = own_kind().Gopher(url=f"gopher://127.0.0.1:{port}")
        return await Runner(net).run(Target("menu", probe), Trigger.CLI)


async def test_the_kind_of_the_how_to_passes() -> None:
    """The kind that the how-to shows takes a menu for a menu."""
    result = await check_gopher(b"iWelcome\tfake\t(NULL)\t0\r\n")
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["first"] == "iWelcome"


async def test_the_kind_of_the_how_to_fails() -> None:
    """The kind that the how-to shows says at which stage and why another answer is none."""
    failure = (await check_gopher(b"HTTP/1.1 400 Bad Request\r\n")).failure
    assert failure is not None
    assert (failure.stage, failure.reason, failure.code) == (Stage.FUNCTION, Reason.PROTOCOL, "NO_MENU")
    assert failure.message == "the answer is no Gopher menu"
