"""A real gunicorn with four workers, whose program has a pool of SQLAlchemy's on a PostgreSQL."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import httpx

from tests.servers.process import ServerProcess

WORKERS = 4
ROOT = Path(__file__).parents[2]


class Gunicorn(ServerProcess):
    """Serves `_pooled_program`. `environ` tells it of the database, and where to report."""

    def __init__(self, folder: Path, *options: str, environ: dict[str, str]) -> None:
        super().__init__(folder)
        self._options = options
        self._environ = environ

    def command(self) -> list[str]:
        variables = [f"{name}={value}" for name, value in self._environ.items()]
        program = str(Path(sys.executable).with_name("gunicorn"))
        options = ["--workers", str(WORKERS), "--bind", f"127.0.0.1:{self.port}", "--chdir", str(ROOT)]
        where = "tests.servers._pooled_program:application"
        return ["env", *variables, program, *options, *self._options, where]

    def ready(self) -> bool:
        return httpx.get(self._url("/"), timeout=5).status_code == httpx.codes.OK

    def take(self) -> Counter[int]:
        """Have every worker take a connection at least, and return how many each has, by its process."""
        taken: Counter[int] = Counter()
        for _ in range(500):
            answer = httpx.get(self._url("/take"), timeout=5).raise_for_status()
            process, had = map(int, answer.text.split())
            taken[process] = had
            if len(taken) == WORKERS:
                return taken
        raise AssertionError(f"only {len(taken)} workers answered")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"
