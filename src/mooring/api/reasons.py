"""What each reason means and what to do about it, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mooring.core.reason import Reason

MEANINGS: Mapping[Reason, tuple[str, str]] = {
    Reason.TIMEOUT: (
        "Nothing came back in time.",
        "A firewall that drops packets, or a service that hangs: look at the stage.",
    ),
    Reason.DNS: ("The name could not be looked up.", "Check the spelling and this machine's name server."),
    Reason.REFUSED: (
        "The machine answers, nothing listens on the port.",
        "Is the service running, and is the port right?",
    ),
    Reason.NETWORK: (
        "The way there is broken, or the peer cut the connection.",
        "Check routes, firewalls and proxies in between.",
    ),
    Reason.UNAVAILABLE: (
        "The service says that it is not ready: starting, stopping, 503.",
        "Wait, or look at its log.",
    ),
    Reason.OVERLOADED: (
        "The service has no room for another client.",
        "Raise its limit, or find who holds the connections.",
    ),
    Reason.TLS: (
        "The handshake failed or the certificate is not trusted.",
        "The code and hint name the setting: tls.ca, tls.pin, tls.server_name, tls.cert.",
    ),
    Reason.AUTH: ("The login was rejected.", "Correct user, password or token."),
    Reason.PERMISSION: ("Logged in, and something needed is not granted.", "Grant what the message names."),
    Reason.NOT_FOUND: (
        "The database, virtual host, path or store does not exist.",
        "Correct the address, or create it.",
    ),
    Reason.PROTOCOL: (
        "What answered does not speak this protocol.",
        "Something else may listen on that port.",
    ),
    Reason.ASSERTION: (
        "It answered, but not what was asked for.",
        "The message shows what was expected and what came.",
    ),
    Reason.CONFIG: (
        "The settings cannot be used, or the egress policy refuses the address.",
        "Correct what the message names.",
    ),
    Reason.DRIVER: ("The driver is not installed.", "Install it; the command stands below the hint."),
    Reason.INTERNAL: ("A fault in Mooring.", "Please report it with the message."),
}
"""A reason without a meaning is a KeyError where it is told."""


def reason_json(reason: Reason) -> dict[str, Any]:
    """Return a reason as the API tells it."""
    meaning, advice = MEANINGS[reason]
    return {
        "name": reason.value,
        "meaning": meaning,
        "advice": advice,
        "permanent": reason.permanent,
        "status": reason.status.value,
    }
