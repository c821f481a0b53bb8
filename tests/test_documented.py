"""What the documentation says is true, and nothing is left out of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from typing import Literal

import pytest

from docs.generator.api import endpoints
from docs.generator.commands import arguments, options, walk
from docs.generator.configuration import SECTIONS
from docs.generator.kinds import kinds, of_mooring
from docs.generator.reference import pages
from mooring.api.server import openapi
from mooring.config import ENVIRONMENT
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import Probe
from mooring.probes._registry import Kinds
from mooring.targets import TargetKeys
from tests.pages import REFERENCE
from tests.sources import ROOT


def test_the_reference_is_fresh() -> None:
    """Each generated page is what the code gives now."""
    stale = [path.name for path, text in pages() if not path.exists() or path.read_text() != text]
    assert not stale, f"docs/reference is stale: {stale}; run `make docs` and commit what it writes"


def test_every_kind_and_setting_is_documented() -> None:
    """Each kind has its section with its addresses, stages and settings, and each setting its meaning."""
    text = (REFERENCE / "kinds.md").read_text()
    for kind in of_mooring(Kinds()):
        name = kind.kind_name()
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert kind.headline() in section, f"{name}: its class needs a docstring"
        assert kind.proves, f"{name}: say in `proves` what each stage proves"
        for word in (*kind.proves, *kind.schemes, *(set(kind.model_fields) - {"kind"})):
            assert f"`{word}" in section, f"{name}: {word} is not documented"
        for field, info in kind.model_fields.items():
            assert field in {"kind", "tls"} or info.description, f"{name}.{field} needs a description"


def test_kind_of_another_package_is_not_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens to be installed where the pages are made is no part of them."""
    before = kinds()
    names = Kinds.names
    monkeypatch.setattr(Kinds, "names", lambda self: [*names(self), Foreign.kind_name()])
    monkeypatch.setattr(Kinds, "get", partialmethod(_get, get=Kinds.get))
    assert kinds() == before


def _get(self: Kinds, name: str, get: Callable[[Kinds, str], type[Probe]]) -> type[Probe]:
    return Foreign if name == Foreign.kind_name() else get(self, name)


class Foreign(Probe):
    """A kind of a user's own package."""

    kind: Literal["foreign"] = "foreign"

    @property
    def address(self) -> str:
        return ""

    async def check(self, trail: Trail) -> Observation:
        return Observation()


def test_every_key_of_a_target_is_documented() -> None:
    """Each key that all targets have stands on its page with its meaning, and so does each part of `tls`."""
    text = (REFERENCE / "targets.md").read_text()
    for name, info in TargetKeys.model_fields.items():
        assert f"| `{name}` |" in text
        assert info.description, f"{name} needs a description"
    for name in TLSSettings.__match_args__:
        assert f"| `{name}` |" in text


def test_every_key_of_the_configuration_is_documented() -> None:
    """Each section, key and variable stands on the configuration's page."""
    text = (REFERENCE / "configuration.md").read_text()
    for section, model in SECTIONS.items():
        assert f"## [{section}]" in text
        for name, info in model.model_fields.items():
            assert f"| `{name}` |" in text
            assert info.description, f"{section}.{name} needs a description"
    for variable in ENVIRONMENT:
        assert f"`{variable}`" in text


@pytest.mark.parametrize("member", [*Status, *Reason, *Stage, *StageStatus], ids=repr)
def test_every_word_of_the_closed_sets_is_documented(member: str) -> None:
    """Each status, reason, stage and verdict has its row."""
    assert f"\n| `{member}` |" in (REFERENCE / "reasons.md").read_text()


def test_every_endpoint_is_documented() -> None:
    """Each endpoint has its section, its parameters, and a summary."""
    text = (REFERENCE / "api.md").read_text()
    for path, method, operation in endpoints(openapi()):
        section = text.partition(f"\n## {method.upper()} {path}\n")[2].partition("\n## ")[0]
        meaning = operation.get("description", "").strip()
        assert meaning, f"{method} {path}: its function needs a docstring"
        assert meaning.splitlines()[0] in section
        for each in operation.get("parameters", ()):
            assert f"| `{each['name']}` |" in section


def test_every_command_and_option_is_documented() -> None:
    """Each command has its section, and each of its options and arguments its meaning."""
    text = (REFERENCE / "commands.md").read_text()
    for command in walk():
        section = text.partition(f"\n## {command.prog}\n")[2].partition("\n## ")[0]
        assert command.description, f"{command.prog} needs a description"
        for action in (*options(command), *arguments(command)):
            assert action.help, f"{command.prog}: {action.dest} needs a help text"
        for option in options(command):
            assert all(f"`{name}" in section for name in option.option_strings)


def test_every_benchmark_is_documented() -> None:
    """Each benchmark stands in the table with its goal."""
    text = (ROOT / "benchmarks" / "README.md").read_text()
    for path in (ROOT / "benchmarks").glob("[a-z]*.py"):
        assert f"| `{path.stem}` |" in text, f"{path.name}: say in benchmarks/README.md what its goal is"
