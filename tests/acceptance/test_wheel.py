"""The program as people get it: built, installed, and run with the source tree out of reach."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import mooring
from tests.servers.process import free_port
from tests.sources import ROOT, SRC

pytestmark = pytest.mark.slow
PATIENCE = 60.0


@dataclass(frozen=True)
class Installed:
    """An environment that holds the built wheel, and a folder to run it in."""

    archive: Path
    wheel: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def program(self, *words: str) -> list[str]:
        return [str(self.folder / "venv" / "bin" / "mooring"), *words]

    def environ(self) -> dict[str, str]:
        """Return an environment without anything that leads back to the source tree."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MOORING"))}
        return {**kept, "HOME": str(self.folder), "VIRTUAL_ENV": str(self.folder / "venv"), "NO_COLOR": "1"}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.program(*words),
            cwd=self.folder,
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def build(target: str, source: Path, into: Path) -> Path:
    """Build with the build backend itself, which fetches nothing."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(into.iterdir())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the source archive, the wheel out of that alone, and install the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    archive = build("sdist", ROOT, folder / "sdist")
    (folder / "unpacked").mkdir()
    # By tar itself: the `filter` that tarfile asks for from Python 3.12 on is not known to 3.11.2.
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder / "unpacked")], check=True)
    wheel = build("wheel", next((folder / "unpacked").iterdir()), folder / "wheel")
    venv.create(folder / "venv", with_pip=False)
    place = folder / "venv"
    command = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install"]
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    borrow_dependencies(place)
    return Installed(archive, wheel, folder)


def borrow_dependencies(place: Path) -> None:
    """Let the new environment see this one's packages, so that nothing is fetched.

    Files that end in .pth are not read there, so the editable install of the source tree stays out of reach.
    """
    packages = place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")


@contextmanager
def listener() -> Iterator[int]:
    """Listen on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_wheel_holds_every_file_of_the_package(installed: Installed) -> None:
    """Modules, py.typed, migrations and whatever else lies in the package are in the wheel."""
    wanted = {
        str(path.relative_to(SRC.parent))
        for path in SRC.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(installed.wheel) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("mooring/")}
    assert packed == wanted
    assert "mooring/py.typed" in packed


def test_the_archive_holds_what_a_packager_needs(installed: Installed) -> None:
    """Licence, changelog, tests and docs travel with the source."""
    with tarfile.open(installed.archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert {"tests/acceptance/test_wheel.py", "docs/quickstart.md", "examples/orders.py"} <= names
    assert {"hatch_build.py", "dashboard/package-lock.json", "dashboard/src/app/main.tsx"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("dashboard/dist")]


def test_the_dashboard_is_in_the_wheel(installed: Installed) -> None:
    """The page and its files, packed and plain, are there: whoever installs the wheel builds nothing."""
    with zipfile.ZipFile(installed.wheel) as wheel:
        packed = set(wheel.namelist())
        page = wheel.read("mooring/api/static/index.html").decode()
    (script,) = re.findall(r'src="\./(assets/index-[\w-]+\.js)"', page)
    assert {f"mooring/api/static/{script}", f"mooring/api/static/{script}.gz"} <= packed


def test_the_installed_package_is_not_the_source_tree(installed: Installed) -> None:
    """Python finds the installed package, and nothing of the checkout on its path."""
    code = "import mooring, sys; print(mooring.__file__); print(*sys.path, sep='\\n')"
    command = [str(installed.python), "-c", code]
    done = subprocess.run(
        command, cwd=installed.folder, env=installed.environ(), capture_output=True, text=True, check=True
    )
    home, *path = done.stdout.splitlines()
    assert home.startswith(str(installed.folder / "venv"))
    assert str(ROOT / "src") not in path
    assert str(ROOT) not in path


def test_version_is_printed(installed: Installed) -> None:
    """The program names itself and the package's version."""
    done = installed.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mooring {mooring.__version__}\n", "")


def test_kinds_are_all_there(installed: Installed) -> None:
    """Every kind of the source tree is listed by the installed program."""
    kinds = {path.stem for path in (SRC / "probes").glob("[a-z]*.py")}
    done = installed.run("kinds")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert kinds <= listed


def test_a_listener_is_up(installed: Installed) -> None:
    """A port on which something listens is up: exit status 0 and the stages in JSON."""
    with listener() as port:
        done = installed.run("check", f"tcp://127.0.0.1:{port}", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert (result["status"], result["failure"]) == ("up", None)
    assert [stage["name"] for stage in result["stages"]][:2] == ["dns", "tcp"]


def test_a_closed_port_is_down(installed: Installed, refusing_port: int) -> None:
    """A port on which nothing listens is refused at the stage tcp: exit status 1."""
    done = installed.run("check", f"tcp://127.0.0.1:{refusing_port}", "--json")
    assert done.returncode == 1, done.stderr
    failure = json.loads(done.stdout)["results"][0]["failure"]
    assert (failure["reason"], failure["stage"], failure["code"]) == ("refused", "tcp", "ECONNREFUSED")


def test_a_wrong_address_is_wrong_usage(installed: Installed) -> None:
    """An address of no known kind ends with status 2 and says what would be right."""
    done = installed.run("check", "nonsense://host")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no kind of address 'nonsense://'" in done.stderr


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Missing())
from mooring.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def run_bare(installed: Installed, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as if no extra were installed."""
    extras = [
        "alembic",
        "asyncpg",
        "aiomysql",
        "cryptography",
        "dns",
        "fastapi",
        "psutil",
        "psycopg",
        "pymysql",
    ]
    extras += ["redis", "sqlalchemy", "starlette", "uvicorn", "uvloop", "websockets", "yaml"]
    return subprocess.run(
        [str(installed.python), "-c", WITHOUT.format(missing=extras), *words],
        cwd=installed.folder,
        env=installed.environ(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_checking_needs_no_extra(installed: Installed) -> None:
    """What `pip install mooring` alone brings is enough to list the kinds and to check a port."""
    assert run_bare(installed, "kinds").returncode == 0
    with listener() as port:
        done = run_bare(installed, "check", f"tcp://127.0.0.1:{port}")
    assert done.returncode == 0, done.stderr


def test_a_missing_driver_says_what_to_install(installed: Installed) -> None:
    """A kind whose driver is missing is unknown, and the fix is the command that installs it."""
    with listener() as port:
        done = run_bare(installed, "check", f"redis://127.0.0.1:{port}", "--json")
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert (result["status"], result["failure"]["reason"]) == ("unknown", "driver")
    assert result["failure"]["code"] == "DRIVER_MISSING"
    assert result["failure"]["fix"] == "pip install 'mooring[redis]'"


def ready(url: str) -> bool:
    """Ask a server once whether it is ready."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def test_the_server_becomes_ready_and_stops(installed: Installed) -> None:
    """`mooring serve` makes its database, answers /readyz, and leaves at SIGTERM with status 0."""
    port = free_port()
    words = ["serve", "--port", str(port), "--database", f"sqlite:///{installed.folder}/served.db"]
    log = installed.folder / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            installed.program(*words),
            cwd=installed.folder,
            env=installed.environ(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + PATIENCE
        while not ready(f"http://127.0.0.1:{port}/readyz"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        server.terminate()
        assert server.wait(PATIENCE) == 0, log.read_text()
        assert (installed.folder / "served.db").exists()
    finally:
        server.kill()
        server.wait()
