"""Why a check fails: a closed set, of which every failure has exactly one."""

from __future__ import annotations

from enum import StrEnum

from mooring.core.status import Status


class Reason(StrEnum):
    """The one cause of a failure, in three groups: nobody useful answered, somebody did, our side."""

    TIMEOUT = "timeout"
    DNS = "dns"
    REFUSED = "refused"
    NETWORK = "network"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"

    TLS = "tls"
    AUTH = "auth"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    PROTOCOL = "protocol"
    ASSERTION = "assertion"

    CONFIG = "config"
    DRIVER = "driver"
    INTERNAL = "internal"

    @property
    def unreachable(self) -> bool:
        """Nobody useful answered; trying again can help."""
        return self in _UNREACHABLE

    @property
    def ours(self) -> bool:
        """The check could not be made, which says nothing about the target."""
        return self in _OURS

    @property
    def permanent(self) -> bool:
        """Trying again soon cannot help: a person has to change something first."""
        return self in _PERMANENT

    @property
    def status(self) -> Status:
        """What a check that fails for this reason makes of its target."""
        return Status.UNKNOWN if self.ours else Status.DOWN


_UNREACHABLE = frozenset(
    {
        Reason.TIMEOUT,
        Reason.DNS,
        Reason.REFUSED,
        Reason.NETWORK,
        Reason.UNAVAILABLE,
        Reason.OVERLOADED,
    }
)
_PERMANENT = frozenset({Reason.TLS, Reason.AUTH, Reason.PERMISSION, Reason.NOT_FOUND})
_OURS = frozenset({Reason.CONFIG, Reason.DRIVER, Reason.INTERNAL})
