"""The dashboard's sources fit the API, and fetch from nowhere but where the packager says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mooring.api.server import openapi
from tests.sources import ROOT, tracked

DASHBOARD = ROOT / "dashboard"
TYPES = DASHBOARD / "src" / "api" / "schema.ts"
GENERATOR = DASHBOARD / "node_modules" / "openapi-typescript" / "bin" / "cli.js"


def test_the_types_are_those_of_the_api(tmp_path: Path) -> None:
    """The generated types are what the code gives now."""
    if not GENERATOR.exists():
        pytest.skip("the dashboard's packages are not installed: make setup")
    document, made = tmp_path / "openapi.json", tmp_path / "schema.ts"
    document.write_text(json.dumps(openapi()))
    script = json.loads((DASHBOARD / "package.json").read_text())["scripts"]["types"]
    _, _, _, _, *options = shlex.split(script)
    node = Path(sys.executable).with_name("node")
    command = [node, GENERATOR, document, "-o", made, *options]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    fresh = made.read_text() == TYPES.read_text()
    assert fresh, "dashboard/src/api/schema.ts is stale: run `make docs` and commit what it writes"


def test_the_lock_file_names_no_registry() -> None:
    """Packages come from whatever registry the packager uses, held to the same content."""
    text = (DASHBOARD / "package-lock.json").read_text()
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    loose = [name for name, entry in packages.items() if name and "integrity" not in entry]
    assert not loose


def test_no_source_names_another_host() -> None:
    """What is shipped refers to no address but examples and standards."""
    allowed = re.compile(
        r"https?://(?:[\w.-]+\.)?(?:example(?:\.\w+)?|w3\.org|127\.0\.0\.1|localhost|host)\b"
    )
    found = [
        f"{path.relative_to(ROOT)}: {address}"
        for path in tracked(".ts", ".tsx", ".css", ".html", ".svg")
        if path.is_relative_to(DASHBOARD / "src") or path == DASHBOARD / "index.html"
        for address in re.findall(r"https?://[\w.-]+", path.read_text())
        if not allowed.match(address)
    ]
    assert not found, "\n".join(found)


def test_every_package_has_its_reason() -> None:
    """Each package that the dashboard depends on has its row in the decision."""
    text = (ROOT / "docs" / "decisions" / "0006-dashboard.md").read_text()
    declared = json.loads((DASHBOARD / "package.json").read_text())
    names = {*declared["dependencies"], *declared["devDependencies"]}
    named = set(re.findall(r"(?<=[| ])(@?[a-z][\w./-]*)(?=[, |])", text.partition("## Packages")[2]))
    assert not names - named, f"{sorted(names - named)}: say why in docs/decisions/0006-dashboard.md"
