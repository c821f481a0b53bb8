"""How whatever speaks PostgreSQL's protocol is asked for TLS: before its first message, in one of its own."""

from __future__ import annotations

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import LONGEST_SHOWN
from mooring.core.stage import Stage
from mooring.net.dial import Stream
from mooring.net.trail import Trail
from mooring.probes._encryption import Encryption
from mooring.probes._postgresql import foreign

_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


async def encrypt(stream: Stream, trail: Trail, wanted: Encryption, host: str) -> None:
    """Run the stages protocol and tls, as far as TLS is wanted and offered.

    Raises CheckError: protocol where no PostgreSQL answers, tls where it offers none and has to.
    """
    if wanted.tls is None:
        return
    async with trail.stage(Stage.PROTOCOL):
        offered = await _offers_tls(stream)
    if not offered and not wanted.required:
        return
    async with trail.stage(Stage.TLS):
        if not offered:
            raise wanted.refused()
        await stream.start_tls(trail, wanted.tls, host, quiet=wanted.unverified)
        trail.note(tls_verified=wanted.verified)


async def _offers_tls(stream: Stream) -> bool:
    """Ask for TLS. Raises CheckError(protocol) where the answer is not one of PostgreSQL's two."""
    await stream.ask(_SSL_REQUEST)
    answer = await stream.reader.read(2 * LONGEST_SHOWN)
    if not answer:
        raise EOFError
    if answer in (b"S", b"N"):  # one byte exactly: what follows could be another's (CVE-2021-23222)
        return answer == b"S"
    if answer.startswith(b"E"):  # not to be shown: anybody could have sent it (CVE-2024-10977)
        raise CheckError(
            Reason.UNAVAILABLE,
            Prose("the server answers with an error; see its log"),
            code="ERROR_BEFORE_TLS",
        )
    raise foreign(answer)
