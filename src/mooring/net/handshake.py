"""What a TLS handshake that failed means, told by the certificates that the peer showed."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.certificate import Certificate, read

MOST_NAMES_TOLD = 5
GIVEN_CA = "mooring_given_ca"
"""Attribute of a context that trusts certain issuers alone, and of an error under it."""
_SHOWN = "mooring_shown"
_DER = 2  # _ssl.ENCODING_DER
_HOST, _ADDRESS = 62, 64


class TellingObject(ssl.SSLObject):
    """Leaves with an error what the peer showed until then: nobody has to ask it a second time."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            _leave(error, self)
            raise


class TellingSocket(ssl.SSLSocket):
    """Does as TellingObject, for drivers that block."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLError as error:
            _leave(error, self)
            raise


def _leave(error: ssl.SSLError, connection: ssl.SSLObject | ssl.SSLSocket) -> None:
    if isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError):
        return
    # Python 3.13 made this method public; only the inner object has it under every version.
    chain = getattr(vars(connection).get("_sslobj"), "get_unverified_chain", lambda: None)()
    vars(error)[_SHOWN] = [each.public_bytes(_DER) for each in chain or ()]
    vars(error)[GIVEN_CA] = vars(connection.context).get(GIVEN_CA)


class _Meaning(NamedTuple):
    code: str
    message: Prose
    hint: Prose


_ACCEPTED = Prose("Set tls.cert and tls.key to a certificate that the server accepts.")
_STRONG_KEY = Prose(
    "Give the server a certificate with a longer key: RSA of 2048 bits, or an elliptic curve of 256."
)
_NAME = Prose("Use a host name that the certificate carries, or set tls.server_name.")
_VERIFY: Mapping[int, _Meaning] = {
    9: _Meaning(
        "CERT_NOT_YET_VALID",
        Prose("the certificate is not valid yet"),
        Prose("Compare the clocks of this machine and the server."),
    ),
    10: _Meaning(
        "CERT_EXPIRED", Prose("the certificate has expired"), Prose("Renew the server's certificate.")
    ),
    18: _Meaning(
        "CERT_SELF_SIGNED",
        Prose("the certificate is self-signed and not trusted here"),
        Prose("Set tls.ca to that certificate, or tls.pin to its SHA-256."),
    ),
    19: _Meaning(
        "CERT_UNKNOWN_ISSUER",
        Prose("the certificate's issuer is not trusted here (a self-signed one in its chain)"),
        Prose("Set tls.ca to the issuer's certificate."),
    ),
    20: _Meaning(
        "CERT_UNKNOWN_ISSUER",
        Prose("the certificate's issuer is not trusted here"),
        Prose("Set tls.ca to the issuer's certificate, or have the server send its whole chain."),
    ),
    26: _Meaning(
        "CERT_PURPOSE",
        Prose("the certificate was not issued for servers"),
        Prose("Give the server a certificate whose extended key usage is server authentication."),
    ),
    _HOST: _Meaning("CERT_HOST_MISMATCH", Prose("the certificate is for another host"), _NAME),
    _ADDRESS: _Meaning("CERT_HOST_MISMATCH", Prose("the certificate is for another address"), _NAME),
    66: _Meaning("WEAK_KEY", Prose("the certificate's key is too short to be safe"), _STRONG_KEY),
    67: _Meaning(
        "WEAK_KEY", Prose("the key of the certificate's issuer is too short to be safe"), _STRONG_KEY
    ),
    68: _Meaning(
        "WEAK_SIGNATURE",
        Prose("a certificate of the server is signed in a way that is no longer safe (SHA-1 or MD5)"),
        Prose("Have the certificate issued anew, signed with SHA-256 or better."),
    ),
}
_OF_ANOTHER_CA = Prose("the certificate is of another issuer than those of tls.ca")
_ANOTHER_CA = {
    19: Prose("tls.ca did not issue it: set tls.ca to the certificate of the issuer that is named here."),
    20: Prose(
        "tls.ca did not issue it: set tls.ca to the certificate of the issuer that is named here, or have"
        " the server send its whole chain."
    ),
}
_INVALID = Prose(
    "Look at it with `openssl x509 -text`, and have it issued anew; or set tls.pin to its SHA-256."
)
_PLAIN = Prose("Leave TLS out, or use the port where the server speaks it.")
_VERSIONS = Prose("Let the server offer TLS 1.2 or 1.3: its configuration names the versions.")
_LOG = Prose("Look into the server's log: it says why it ended the handshake.")
_REFUSED = Prose("the server refuses our client certificate")
_REASONS: Mapping[str, _Meaning] = {
    "WRONG_VERSION_NUMBER": _Meaning(
        "PLAIN_TEXT", Prose("the server answers in plain text, not TLS"), _PLAIN
    ),
    "RECORD_LAYER_FAILURE": _Meaning(
        "PLAIN_TEXT", Prose("the server answers in plain text, not TLS"), _PLAIN
    ),
    "HTTP_REQUEST": _Meaning("PLAIN_TEXT", Prose("the server answers in plain HTTP, not TLS"), _PLAIN),
    "UNSUPPORTED_PROTOCOL": _Meaning(
        "TLS_VERSION", Prose("the server speaks only TLS versions that are no longer safe"), _VERSIONS
    ),
    "TLSV1_ALERT_PROTOCOL_VERSION": _Meaning(
        "TLS_VERSION", Prose("the server refuses our TLS versions (1.2 and 1.3)"), _VERSIONS
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _Meaning(
        "CLIENT_CERT_REQUIRED", Prose("the server demands a client certificate"), _ACCEPTED
    ),
    "TLSV1_ALERT_UNKNOWN_CA": _Meaning(
        "CLIENT_CERT_REFUSED",
        Prose("the server does not trust our client certificate's issuer"),
        _ACCEPTED,
    ),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _Meaning(
        "CLIENT_CERT_REFUSED",
        Prose("the server says that our client certificate has expired"),
        Prose("Renew the certificate of tls.cert."),
    ),
    **dict.fromkeys(
        (
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_REVOKED",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "TLSV1_ALERT_ACCESS_DENIED",
        ),
        _Meaning("CLIENT_CERT_REFUSED", _REFUSED, _ACCEPTED),
    ),
    **dict.fromkeys(
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"),
        _Meaning(
            "HANDSHAKE_REFUSED",
            Prose("the server refuses the handshake before it shows a certificate"),
            Prose(
                "It accepts none of our ciphers: let it offer some of TLS 1.3, or of TLS 1.2 with ECDHE. "
                "Or it knows no host of that name: compare tls.server_name."
            ),
        ),
    ),
    **dict.fromkeys(
        ("TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"),
        _Meaning("UNKNOWN_HOST_NAME", Prose("the server knows no host of the name asked for"), _NAME),
    ),
    "DH_KEY_TOO_SMALL": _Meaning(
        "WEAK_KEY",
        Prose("the server's Diffie-Hellman key is too short to be safe"),
        Prose(
            "Let the server use elliptic curves (ECDHE), or give it Diffie-Hellman parameters of 2048 bits."
        ),
    ),
}
_AFTER_CERTIFICATE = _Meaning(
    "CLIENT_CERT_REQUIRED",
    Prose("the server refuses the handshake after it showed its certificate, as one that demands ours does"),
    _ACCEPTED,
)
_CUT = "UNEXPECTED_EOF_WHILE_READING"
HANDSHAKE_CUT = _Meaning(
    "HANDSHAKE_CUT",
    Prose("the server cut the TLS handshake"),
    Prose("It may not speak TLS on that port: leave TLS out, or use the port where it does."),
)


@contextmanager
def shaking_hands() -> Iterator[None]:
    """Tell a peer that hangs up on a handshake as that, in whichever way it hangs up."""
    try:
        yield
    except ConnectionError as error:
        code, message, hint = HANDSHAKE_CUT
        raise CheckError(Reason.NETWORK, message, code=code, hint=hint) from error


def explain(error: ssl.SSLError) -> Cause:
    """Say what a TLS error means. A cut or timed-out handshake is no TLS fault and is told apart."""
    shown = [each for each in map(read, vars(error).get(_SHOWN, ())) if each is not None]
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(error, shown)
    reason = getattr(error, "reason", None)  # one that Python code made itself has none
    if reason == _CUT or (reason is None and isinstance(error, ssl.SSLEOFError)):
        return Cause(Reason.NETWORK, *HANDSHAKE_CUT)
    known = _REASONS.get(reason or "")
    if known is None:
        return Cause(Reason.TLS, "TLS", f"TLS failed: {reason or error}", _LOG)
    if shown and known.code == "HANDSHAKE_REFUSED":
        known = _AFTER_CERTIFICATE
    return Cause(Reason.TLS, known.code, known.message, known.hint)


def _distrusted(error: ssl.SSLCertVerificationError, shown: Sequence[Certificate]) -> Cause:
    """Say what is wrong with a certificate, and what it says of itself where it can be read."""
    known = _VERIFY.get(error.verify_code)
    if known is None:
        message = error.verify_message or Prose("the certificate is not valid")
        return Cause(Reason.TLS, "CERT_INVALID", message, _INVALID)
    code, words, hint = known
    if vars(error).get(GIVEN_CA) and error.verify_code in _ANOTHER_CA:
        words, hint = _OF_ANOTHER_CA, _ANOTHER_CA[error.verify_code]
    if error.verify_code in (_HOST, _ADDRESS) and error.verify_message:
        said = error.verify_message.replace("Hostname", "host name").rstrip(".")
        words = Prose("{said}", said=said)
    if not shown:
        return Cause(Reason.TLS, code, words, hint)
    now = datetime.now(UTC)  # by which OpenSSL judged, whatever the clock of a check says
    if code == "CERT_EXPIRED":
        return _expired_in(shown, now) or Cause(Reason.TLS, code, words, hint)
    return Cause(Reason.TLS, code, _more(code, words, shown, vars(error)[_SHOWN][0]), hint)


def _more(code: str, words: Prose, shown: Sequence[Certificate], der: bytes) -> Prose:
    own = shown[0]
    if code == "CERT_NOT_YET_VALID":
        begins = f"{max(each.not_before for each in shown):%Y-%m-%d}"
        return Prose("{words}; it begins on {begins}", words=words, begins=begins)
    if code == "CERT_UNKNOWN_ISSUER":
        issuer = shown[-1].issuer or Prose("not named")
        return Prose("{words}; its issuer is {issuer}", words=words, issuer=issuer)
    named = names_in(own)
    if code == "CERT_SELF_SIGNED":
        pin = hashlib.sha256(der).hexdigest()
        return Prose("{words}; it is for {named}, its SHA-256 is {pin}", words=words, named=named, pin=pin)
    return Prose("{words}; it is for {named}", words=words, named=named)


def _expired_in(shown: Iterable[Certificate], now: datetime) -> Cause | None:
    """Return which of the certificates shown has expired; None where it is none of these."""
    own, *others = shown
    if own.not_after < now:
        return expired(own, now)
    for each in others:
        if each.not_after < now:
            words = Prose(
                "the certificate of its issuer, {issuer}, expired on {day}",
                issuer=each.subject,
                day=f"{each.not_after:%Y-%m-%d}",
            )
            hint = Prose("Have the server send the chain that its issuer offers now.")
            return Cause(Reason.TLS, "CERT_EXPIRED", words, hint)
    return None


def expired(certificate: Certificate, now: datetime) -> Cause:
    """Return the failure of a certificate that has expired, with the day and whose it is."""
    days = (now - certificate.not_after).days
    ago = Prose("{days} days ago", days=days)
    if days <= 1:
        ago = Prose("1 day ago") if days else Prose("today")
    words = Prose(
        "the certificate expired on {day}, {ago}; it is for {named}",
        day=f"{certificate.not_after:%Y-%m-%d}",
        ago=ago,
        named=names_in(certificate),
    )
    return Cause(Reason.TLS, "CERT_EXPIRED", words, _VERIFY[10].hint)


def names_in(certificate: Certificate) -> str:
    """Return the hosts that a certificate is for, the first few of many."""
    names = certificate.names or ((certificate.subject,) if certificate.subject else ())
    more = len(names) - MOST_NAMES_TOLD
    return ", ".join(names[:MOST_NAMES_TOLD]) + (f" and {more} more" if more > 0 else "") or "no name at all"
