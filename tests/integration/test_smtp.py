"""SMTP: a real mail server, to which no mail is ever sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiosmtplib import errors

from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes._registry import Kinds
from mooring.probes._smtp import cause
from mooring.probes.smtp import SMTP
from mooring.targets import TargetReader
from tests.integration.entries import target_of
from tests.integration.kinds.smtp import SENDER
from tests.servers.played import playing
from tests.servers.process import eventually
from tests.servers.smtp import LOGIN, MailServer, StartMailServer
from tests.servers.tls import Certificates

UNENCRYPTED = "the login is sent unencrypted: the server offers no STARTTLS"


async def check(url: str, **settings: Any) -> CheckResult:
    """Check a mail server once."""
    async with Network() as net:
        return await Runner(net).run(target_of("smtp", {"url": url, **settings}, 5), Trigger.CLI)


def passed(result: CheckResult) -> list[Stage]:
    """Return the stages that ran, in their order."""
    return [stage.stage for stage in result.stages if stage.seconds is not None]


@pytest.mark.integration
async def test_good_server_tells_what_it_takes(mail_server: MailServer, certificates: Certificates) -> None:
    """A check that passes says who greeted us, how we logged in, and how large a mail may be."""
    result = await check(mail_server.url(), tls={"ca": certificates.ca}, message_size=1000, mail_from=SENDER)
    assert (result.status, result.failure) == (Status.UP, None)
    details = result.observation.details
    assert (details["server"], details["login"], details["tls_version"]) == (
        "mail.example",
        "plain",
        "TLSv1.3",
    )
    assert result.observation.numbers["message_max_bytes"] == 1_000_000
    assert passed(result) == [
        Stage.DNS,
        Stage.TCP,
        Stage.PROTOCOL,
        Stage.TLS,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]


@pytest.mark.integration
async def test_tls_from_the_start_comes_before_the_greeting(
    mail_server: MailServer, certificates: Certificates
) -> None:
    """smtps:// shakes hands before anybody greets, and without a sender nothing is asked of it."""
    result = await check(mail_server.url(scheme="smtps"), tls={"ca": certificates.ca})
    assert (result.status, passed(result)) == (
        Status.UP,
        [Stage.DNS, Stage.TCP, Stage.TLS, Stage.PROTOCOL, Stage.AUTH, Stage.FUNCTION],
    )


@pytest.mark.integration
async def test_no_mail_is_ever_sent(start_mail_server: StartMailServer) -> None:
    """Sender and recipients are told to the server and taken back before any DATA."""
    with start_mail_server() as server:
        result = await check(server.url(None), mail_from=SENDER, rcpt_to=["ops@example.org"])
        assert (result.status, "DATA" in server.log) == (Status.UP, False)


@pytest.mark.integration
async def test_login_in_the_clear_warns(start_mail_server: StartMailServer) -> None:
    """A login that the server has sent in the clear is warned of; one that the settings want so is not."""
    with start_mail_server(auth_require_tls=False) as server:
        result = await check(server.url())
        meant = await check(server.url(), starttls="off")
        anonymous = await check(server.url(None))
    assert (result.status, result.observation.warnings) == (Status.DEGRADED, (UNENCRYPTED,))
    assert (meant.status, meant.observation.warnings) == (Status.UP, ())
    assert (anonymous.status, anonymous.observation.warnings) == (Status.UP, ())


@pytest.mark.integration
async def test_wrong_password_is_tried_once(start_mail_server: StartMailServer) -> None:
    """A rejected login is not tried again by the next mechanism, which would lock the account sooner."""
    with start_mail_server(auth_require_tls=False) as server:
        result = await check(server.url((LOGIN[0], "wrong-password")))
        assert result.failure is not None
        assert result.failure.code == "535"
        assert server.log.count("LOGIN TRIED") == 1


@pytest.mark.integration
async def test_session_can_be_held(mail_server: MailServer, certificates: Certificates) -> None:
    """A session answers again and again, and is off the server's books once it is left."""
    await eventually(lambda: mail_server.sessions() == 0, "the server's forgetting others")
    probe = SMTP.model_validate({"url": mail_server.url(), "tls": {"ca": certificates.ca}})
    async with Network() as net, probe.session(Trail(net, timeout=5)) as session:
        for _ in range(3):
            await probe.ping(session)
        await eventually(lambda: mail_server.sessions() == 1, "one session on its books")
    await eventually(lambda: mail_server.sessions() == 0, "the server's forgetting us")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "smtp://"}, "url: an SMTP address names a host: smtp://user:password@host:port"),
        ({"url": "smtp://app@host"}, "url: a user without a password; write smtp://user:password@host"),
        ({"url": "smtp://host", "password": "secret"}, "url: a password without a user"),
        ({"url": "smtps://host", "starttls": "required"}, "starttls: is of no use with smtps://"),
        (
            {"url": "smtp://host", "starttls": "off", "tls": {"ca": "/ca.pem"}},
            "tls: is of no use without TLS",
        ),
        ({"url": "smtp://host", "rcpt_to": ["a@b.c"]}, "mail_from: is missing"),
        ({"url": "smtp://host", "message_size": 5}, "mail_from: is missing"),
        ({"url": "smtp://host", "mail_from": "a@b.c> SIZE=1"}, "mail_from"),
        ({"url": "smtp://host", "mail_from": "a@b.c", "rcpt_to": ["a@b.c>\nDATA"]}, "rcpt_to"),
        ({"url": "smtp://host", "hello": "me you"}, "hello"),
    ],
)
def test_mistake_says_what_would_be_right(settings: dict[str, Any], told: str) -> None:
    """What cannot work is refused by field, and no setting can hold a second command."""
    with pytest.raises(InputError) as caught:
        TargetReader(Kinds()).read({"name": "mail", "kind": "smtp", **settings})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (errors.SMTPAuthenticationError(535, "5.7.8 no"), Reason.AUTH, "535"),
        (errors.SMTPAuthenticationError(538, "5.7.11 Encryption required"), Reason.TLS, "538"),
        (errors.SMTPAuthenticationError(504, "5.5.4 unknown"), Reason.AUTH, "504"),
        (errors.SMTPAuthenticationError(501, "5.5.2 cannot decode"), Reason.AUTH, "501"),
        (errors.SMTPAuthenticationError(454, "4.7.0 later"), Reason.UNAVAILABLE, "454"),
        (errors.SMTPAuthenticationError(421, "4.7.0 Too many failed logins"), Reason.AUTH, "421"),
        (errors.SMTPAuthenticationError(421, "4.7.0 Too many connections"), Reason.OVERLOADED, "421"),
        (
            errors.SMTPSenderRefused(550, "5.7.57 SMTP; Client was not authenticated to send", "a"),
            Reason.AUTH,
            "550",
        ),
        (errors.SMTPHeloError(501, "5.5.2 bad name"), Reason.PROTOCOL, "501"),
        (errors.SMTPSenderRefused(530, "5.7.0 Authentication required", "a"), Reason.AUTH, "530"),
        (errors.SMTPSenderRefused(530, "5.7.0 Must issue STARTTLS", "a"), Reason.TLS, "530"),
        (errors.SMTPSenderRefused(552, "5.3.4 Message too big", "a"), Reason.ASSERTION, "552"),
        (errors.SMTPSenderRefused(555, "5.5.4 Unsupported option", "a"), Reason.PROTOCOL, "555"),
        (errors.SMTPRecipientRefused(550, "No such user", "a"), Reason.NOT_FOUND, "550"),
        (errors.SMTPRecipientRefused(550, "5.7.1 Relaying denied", "a"), Reason.PERMISSION, "550"),
        (errors.SMTPRecipientRefused(551, "5.7.1 elsewhere", "a"), Reason.PERMISSION, "551"),
        (errors.SMTPRecipientRefused(551, "User not local", "a"), Reason.NOT_FOUND, "551"),
        (errors.SMTPRecipientRefused(451, "4.7.1 Try again", "a"), Reason.UNAVAILABLE, "451"),
        (errors.SMTPResponseException(502, "not implemented"), Reason.PROTOCOL, "502"),
        (errors.SMTPResponseException(-1, "Response too long"), Reason.PROTOCOL, "NOT_SMTP"),
        (errors.SMTPNotSupported("no such extension"), Reason.PROTOCOL, "SMTP"),
    ],
    ids=str,
)
def test_answer_means_one_reason(error: errors.SMTPException, reason: Reason, code: str) -> None:
    """The codes of RFC 5321 and 4954, and those behind them of RFC 3463."""
    known = cause(error)
    assert known is not None
    assert (known.reason, known.code) == (reason, code)


def test_grey_list_is_no_fault_of_the_server() -> None:
    """A server that wants a mail sent again later says so with the code of its own faults."""
    known = cause(errors.SMTPRecipientRefused(451, "4.7.1 Greylisted", "a"))
    assert known is not None
    assert known.hint == (
        "The server does not know us yet and wants the mail sent again later (greylisting): see whether the "
        "next checks pass, or let this machine in by the server's rules."
    )
    own = cause(errors.SMTPRecipientRefused(451, "4.3.0 Lookup failure", "a"))
    assert own is not None
    assert own.hint == "The server has a fault of its own: its log says which."


@pytest.mark.parametrize(
    ("told", "numbers"), [("9" * 5000, {}), ("0", {}), ("12", {"message_max_bytes": 12})]
)
@pytest.mark.integration
async def test_size_that_is_none_is_left_out(told: str, numbers: dict[str, float]) -> None:
    """A server's largest size is a number of 20 digits at most, or it says none."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            size = f"250-mail.example\r\n250 SIZE {told}\r\n".encode()
            writer.write(size if line.startswith(b"EHLO") else b"250 well\r\n")

    async with playing(play) as port:
        result = await check(f"smtp://127.0.0.1:{port}")
    assert (result.failure, result.observation.numbers) == (None, numbers)


@pytest.mark.parametrize(
    "error", [errors.SMTPServerDisconnected("gone"), errors.SMTPReadTimeoutError("late")], ids=str
)
def test_lost_connection_is_left_to_the_standard_table(error: errors.SMTPException) -> None:
    """What the network did is no answer of the server's, and is told like everywhere."""
    assert cause(error) is None
