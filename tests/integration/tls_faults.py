"""Faults of TLS that every kind tells alike, since one handshake serves them all.

Each is named by its code. A kind brings it about with a server of its own; where its users would call the
fault otherwise, it says `what`.
"""

from __future__ import annotations

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Fault

_OURS = "Set tls.cert and tls.key to a certificate that the server accepts."


def _told(code: str, what: str, arrange: Arrangement, hint: str) -> Fault:
    return Fault(what, (Stage.TLS, Reason.TLS, code), arrange, hint)


def cert_expired(arrange: Arrangement) -> Fault:
    """The certificate ended."""
    return _told("CERT_EXPIRED", "the certificate has expired", arrange, "Renew the server's certificate.")


def cert_host_mismatch(arrange: Arrangement) -> Fault:
    """The certificate does not carry the host's name."""
    hint = "Use a host name that the certificate carries, or set tls.server_name."
    return _told("CERT_HOST_MISMATCH", "the certificate is for another host", arrange, hint)


def cert_unknown_issuer(arrange: Arrangement, what: str = "the certificate is of an unknown issuer") -> Fault:
    """We do not trust the issuer, whose certificate the server keeps to itself."""
    hint = "Set tls.ca to the issuer's certificate, or have the server send its whole chain."
    return _told("CERT_UNKNOWN_ISSUER", what, arrange, hint)


def cert_unknown_issuer_sent(
    arrange: Arrangement, what: str = "the certificate is of an unknown issuer"
) -> Fault:
    """We do not trust the issuer, and the server sends its certificate along."""
    return _told("CERT_UNKNOWN_ISSUER", what, arrange, "Set tls.ca to the issuer's certificate.")


def cert_of_another_ca(
    arrange: Arrangement, *, sent: bool, what: str = "the certificate is not of the issuer that is trusted"
) -> Fault:
    """We are given an issuer to trust, and it is another one; `sent`: the server shows its own."""
    hint = "tls.ca did not issue it: set tls.ca to the certificate of the issuer that is named here"
    hint += "." if sent else ", or have the server send its whole chain."
    return _told("CERT_UNKNOWN_ISSUER", what, arrange, hint)


def pin_mismatch(arrange: Arrangement, what: str = "the certificate is another than the pinned one") -> Fault:
    """We trust one certificate alone, and this is not it."""
    hint = "If the certificate was renewed on purpose, set tls.pin to the new SHA-256."
    return _told("PIN_MISMATCH", what, arrange, hint)


def client_cert_required(
    arrange: Arrangement, what: str = "the server demands a client certificate"
) -> Fault:
    """We show no certificate to a server that wants one."""
    return _told("CLIENT_CERT_REQUIRED", what, arrange, _OURS)


def client_cert_refused(
    arrange: Arrangement, what: str = "the server does not trust our client certificate"
) -> Fault:
    """We show a certificate that the server does not accept."""
    return _told("CLIENT_CERT_REFUSED", what, arrange, _OURS)


def plain_text(arrange: Arrangement, what: str = "TLS is spoken to a port in plain text") -> Fault:
    """We speak TLS, and read something else."""
    return _told("PLAIN_TEXT", what, arrange, "Leave TLS out, or use the port where the server speaks it.")
