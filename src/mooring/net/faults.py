"""What the errors of the operating system and of the standard library mean."""

from __future__ import annotations

import errno
import socket
import ssl

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.handshake import explain

_ERRNO = {
    errno.ECONNREFUSED: (Reason.REFUSED, Prose("the connection was refused: nothing listens there")),
    errno.ECONNRESET: (Reason.NETWORK, Prose("the peer cut the connection")),
    errno.ECONNABORTED: (Reason.NETWORK, Prose("the connection was aborted")),
    errno.EPIPE: (Reason.NETWORK, Prose("the peer closed the connection")),
    errno.EHOSTUNREACH: (Reason.NETWORK, Prose("no route to the host")),
    errno.ENETUNREACH: (Reason.NETWORK, Prose("the network is unreachable")),
    errno.ENETDOWN: (Reason.NETWORK, Prose("the network is down")),
    errno.EHOSTDOWN: (Reason.NETWORK, Prose("the host is down")),
    errno.EACCES: (Reason.NETWORK, Prose("this machine's routes or firewall prohibit the connection")),
    errno.ETIMEDOUT: (Reason.TIMEOUT, Prose("the connection timed out")),
    errno.EADDRNOTAVAIL: (Reason.NETWORK, Prose("this machine has no address to connect from")),
    errno.EMFILE: (Reason.INTERNAL, Prose("this process has no file descriptors left")),
    errno.ENFILE: (Reason.INTERNAL, Prose("this machine has no file descriptors left")),
}
_MORE = {
    errno.EMFILE: (
        Prose("Raise the limit of open files of this process, and start it anew."),
        "ulimit -n 65536",
    ),
    errno.ENFILE: (Prose("Raise the limit of open files of this machine."), "sysctl -w fs.file-max=2000000"),
}


def cause_of(error: BaseException) -> Cause | None:
    """Return what a standard error means, or None where it is none.

    Order matters: gaierror, SSLError and TimeoutError are all OSError.
    """
    if isinstance(error, socket.gaierror):
        return Cause(Reason.DNS, _gai_code(error), f"the name could not be looked up: {error.strerror}")
    if isinstance(error, ssl.SSLError):
        return explain(error)
    if isinstance(error, TimeoutError) and error.errno is None:  # with one it is the kernel's own verdict
        return Cause(Reason.TIMEOUT, "TIMEOUT")
    if isinstance(error, EOFError):
        return Cause(Reason.NETWORK, "EOF", Prose("the peer closed the connection before it answered"))
    if isinstance(error, OSError):
        return _os_cause(error)
    return None


def _os_cause(error: OSError) -> Cause | None:
    if error.errno in _ERRNO:
        reason, message = _ERRNO[error.errno]
        hint, fix = _MORE.get(error.errno, (None, None))
        return Cause(reason, errno.errorcode[error.errno], message, hint, fix=fix)
    if isinstance(error, ConnectionError):
        return Cause(Reason.NETWORK, "CONNECTION_LOST", str(error) or Prose("the connection was lost"))
    if error.errno is not None and error.errno in errno.errorcode:
        return Cause(Reason.NETWORK, errno.errorcode[error.errno], error.strerror)
    return None


def _gai_code(error: socket.gaierror) -> str:
    names = {socket.EAI_NONAME: "NXDOMAIN", socket.EAI_AGAIN: "TIMEOUT", socket.EAI_FAIL: "SERVFAIL"}
    return names.get(error.errno or 0, "DNS")
