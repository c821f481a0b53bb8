"""A real mail server (aiosmtpd), in a process of its own: STARTTLS on one port, TLS on another.

`mail_server` is one server for the whole session: only ask it. `start_mail_server(...)` starts one that a
test may pause or kill; its options are aiosmtpd's, and

    certificate=certificates.expired       starttls=False: TLS on its own port only
    greeting="421 4.3.2 Shutting down"     says that, and hangs up

Addresses are refused by their local part: see REFUSED.
"""

from __future__ import annotations

import json
import smtplib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.servers.process import ServerProcess, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

LOGIN = ("app", "s3cret-of-mail")
OK = 250
_PROGRAM = Path(__file__).with_name("_smtp_server.py")


class MailServer(ServerProcess):
    """One server."""

    def __init__(self, folder: Path, *, certificate: Certificate | None = None, **options: Any) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        if certificate is not None:
            options["certificate"] = [certificate.cert, certificate.key]
        self._options = options

    def command(self) -> list[str]:
        options = json.dumps(self._options)
        return [sys.executable, str(_PROGRAM), str(self.port), str(self.tls_port), options]

    def ready(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, "localhost", timeout=5) as client:
                return client.noop()[0] == OK
        except smtplib.SMTPConnectError:  # it turns clients away, as it was told to
            return "greeting" in self._options

    def sessions(self) -> int:
        """Return how many connections the server has on its books, our own not counted."""
        with smtplib.SMTP("127.0.0.1", self.port, "localhost", timeout=5) as client:
            return int(client.docmd("BOOKS")[1]) - 1

    def url(self, login: tuple[str, str] | None = LOGIN, *, scheme: str = "smtp") -> str:
        """Return an address of this server."""
        port = self.port if scheme == "smtp" else self.tls_port
        before = "" if login is None else f"{login[0]}:{login[1]}@"
        return f"{scheme}://{before}127.0.0.1:{port}"


StartMailServer: TypeAlias = Callable[..., AbstractContextManager[MailServer]]
"""`with start_mail_server(certificate=certificates.good, auth_required=True) as server:`"""


@pytest.fixture(scope="session")
def start_mail_server() -> StartMailServer:
    """Starts a server that a test may mistreat."""

    @contextmanager
    def start(**options: Any) -> Iterator[MailServer]:
        with private_folder() as folder, MailServer(folder, **options) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def mail_server(start_mail_server: StartMailServer, certificates: Certificates) -> Iterator[MailServer]:
    """One server for the session, which wants TLS before a login; only ask it."""
    with start_mail_server(certificate=certificates.good, data_size_limit=1_000_000) as server:
        yield server
