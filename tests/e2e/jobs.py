"""Jobs that report how they are: targets whose health a test decides at once."""

from __future__ import annotations

import httpx

from tests.servers.mooring import Mooring


def add_jobs(server: Mooring, count: int) -> None:
    """Add `job 0` and so on, which have all reported that they work."""
    keys = {"kind": "push", "interval": 86400, "failures_before_down": 1}
    with server.client() as client:
        for number in range(count):
            body = {**keys, "name": f"job {number}", "token": _token(number)}
            answer = client.post("/api/v1/targets", json=body)
            assert answer.status_code == httpx.codes.CREATED, answer.text
    report(server, "up", *range(count))


def report(server: Mooring, status: str, *numbers: int, message: str = "") -> None:
    """Let jobs report how they are."""
    with server.client() as client:
        for number in numbers:
            body = {"status": status, "message": message}
            answer = client.post(f"/api/v1/push/{_token(number)}", json=body)
            assert answer.status_code == httpx.codes.OK, answer.text


def _token(number: int) -> str:
    """Return the secret part of a job's address."""
    return f"token-of-the-job-{number:04}"
