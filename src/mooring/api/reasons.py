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
        "Nothing listens on the port.",
        "The machine answers. Is the service running, and is the port right?",
    ),
    Reason.NETWORK: (
        "The way there is broken, or the peer cut the connection.",
        "Check routes, firewalls and proxies in between.",
    ),
    Reason.UNAVAILABLE: (
        "The service is not ready.",
        "It says so itself: it starts, stops or answers 503. Wait, or look at its log.",
    ),
    Reason.OVERLOADED: (
        "The service has no room for another client.",
        "Raise its limit, or find who holds the connections.",
    ),
    Reason.TLS: (
        "The TLS handshake failed, or the certificate is not trusted.",
        "The code and hint name the setting: tls.ca, tls.pin, tls.server_name, tls.cert.",
    ),
    Reason.AUTH: ("The login was rejected.", "Correct user, password or token."),
    Reason.PERMISSION: ("Logged in, but something needed is not granted.", "Grant what the message names."),
    Reason.NOT_FOUND: (
        "What the address names does not exist.",
        "A database, a virtual host, a path: correct the address, or create it.",
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
        "The settings cannot be used.",
        "Correct what the message names; the egress policy may refuse the address.",
    ),
    Reason.DRIVER: ("The driver is not installed.", "Install it; the command stands below the hint."),
    Reason.INTERNAL: ("Mooring has a fault.", "Please report it with the message."),
}
"""Each meaning is read as the heading of a failure. A reason without one is a KeyError where it is told."""


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
