"""The process of tests/servers/smtp.py: `python _smtp_server.py PORT TLS_PORT OPTIONS`, the last in JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import sys
import warnings
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

log = logging.getLogger("mooring-test")

USER, PASSWORD = "app", "s3cret-of-mail"
REFUSED = {
    "nobody": "550 5.1.1 No such user here",
    "full": "552 5.2.2 Mailbox full",
    "grey": "450 4.7.1 Greylisted, come back later",
    "elsewhere": "554 5.7.1 Relay access denied",
    "forged": "553 5.7.1 Sender address rejected: not owned by user app",
    "crowded": "452 4.3.1 Insufficient system storage",
    "odd": "550 Requested action not taken",
}


class Handler:
    """Refuses the addresses whose local part stands in REFUSED."""

    async def handle_MAIL(  # noqa: N802 - the server's name for it
        self, server: Server, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return REFUSED.get(address.partition("@")[0], "250 OK")

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: Server, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return REFUSED.get(address.partition("@")[0], "250 OK")

    async def auth_XOAUTH2(self, server: Server, arguments: list[str]) -> AuthResult:  # noqa: N802 - as above
        """Offer a way to log in that Mooring does not know."""
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - the server's name for it
        log.warning("DATA")  # no check may ever come here
        return "250 OK"


class Server(SMTP):
    """One connection, which knows how many there are, and may begin with another greeting."""

    open: set[Server]
    greeting: str | None

    def connection_made(self, transport: Any) -> None:
        self.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.open.discard(self)
        super().connection_lost(error)

    async def smtp_BOOKS(self, arg: str) -> None:  # noqa: N802 - the server's name for it
        """Say how many connections there are: a command of the tests' own."""
        await self.push(f"250 {len(self.open)}")

    async def _handle_client(self) -> None:
        if self.greeting is None:
            await super()._handle_client()
            return
        await self.push(self.greeting)
        assert self.transport is not None
        self.transport.close()


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Accept the one login; `locked` needs another way, `busy` cannot be asked now."""
    assert isinstance(data, LoginPassword)
    log.warning("LOGIN TRIED")
    answers = {
        b"locked": "534 5.7.9 Application-specific password required",
        b"busy": "454 4.7.0 Temporary authentication failure",
    }
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, message=answers.get(data.login))


async def main(port: int, tls_port: int, options: dict[str, Any]) -> None:
    """Serve until killed."""
    certificate = options.pop("certificate", None)
    Server.open, Server.greeting = set(), options.pop("greeting", None)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    options = {"hostname": "mail.example", "authenticator": authenticate, **options}
    loop = asyncio.get_running_loop()
    starts_tls = context if options.pop("starttls", True) else None
    servers = [
        await loop.create_server(
            lambda: Server(Handler(), loop=loop, tls_context=starts_tls, **options), "127.0.0.1", port
        )
    ]
    if context is not None:
        plain = {**options, "auth_require_tls": False}
        servers.append(
            await loop.create_server(
                lambda: Server(Handler(), loop=loop, **plain), "127.0.0.1", tls_port, ssl=context
            )
        )
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])))
