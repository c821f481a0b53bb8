"""Whether a database session is encrypted: the words of its address folded into the TLS settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.tls import TLSSettings

_OFF, _IF_OFFERED, _ON, _CHAIN, _FULL = "disable", "prefer", "require", "verify-ca", "verify-full"
_MODES = {
    **dict.fromkeys(("disable", "disabled", "false", "0", "off", "no"), _OFF),
    **dict.fromkeys(("allow", "prefer", "preferred"), _IF_OFFERED),
    **dict.fromkeys(("require", "required", "true", "1", "on", "yes"), _ON),
    "verify-ca": _CHAIN,
    **dict.fromkeys(("verify-full", "verify-identity"), _FULL),
}
_MODE_KEYS = ("sslmode", "ssl")
_CA_KEYS = ("sslrootcert", "sslca")
_NAME_KEYS = ("sslverifyidentity", "sslcheckhostname")
_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a client asks of TLS. `tls` None: none; not `required`: only where the server offers it.

    `unverified`: the address asks for encryption alone, as the drivers do by default. That is no
    reason for a warning; `tls.verify = false`, set for Mooring on purpose, is.
    """

    tls: TLSSettings | None
    required: bool
    unverified: bool = False

    @property
    def verified(self) -> bool:
        """Whether we know whom we talk to."""
        return self.tls is not None and (self.tls.checks_chain or self.tls.pin is not None)

    @property
    def hint(self) -> Prose:
        """What to do where the server offers no TLS."""
        return Prose("Switch TLS on in the server, or ask for none with sslmode=disable in the address.")

    def refused(self) -> CheckError:
        """Return the failure of a server that offers no TLS where it is required."""
        return CheckError(
            Reason.TLS, Prose("the server offers no TLS"), code="TLS_NOT_OFFERED", hint=self.hint
        )


def encryption(query: Mapping[str, str], tls: TLSSettings | None) -> Encryption:
    """Read what an address says of TLS, in the spelling of any driver; `tls` settings come before it.

    Raises ValueError for words that mean nothing or contradict each other.
    """
    words = {key.lower().replace("-", "").replace("_", ""): value for key, value in query.items()}
    mode = _mode(words)
    ca = next((words[key] for key in _CA_KEYS if key in words), None)
    if mode is None and ca is not None:
        mode = _FULL if all(_MODES.get(words.get(key, "1").lower()) == _ON for key in _NAME_KEYS) else _CHAIN
    if tls is not None:
        if mode == _OFF:
            raise ValueError("tls: contradicts the address, which switches TLS off")
        return Encryption(_with_files(tls, words, ca), required=True)
    if mode == _OFF:
        return Encryption(None, required=False)
    if mode == _ON and ca is not None:
        mode = _CHAIN  # as libpq does
    verify = {_CHAIN: "ca", _FULL: True}.get(mode or _IF_OFFERED, False)
    return Encryption(
        _with_files(TLSSettings(verify=verify), words, ca),  # type: ignore[arg-type]  # one of the three
        required=mode not in (None, _IF_OFFERED),
        unverified=not verify,
    )


def _mode(words: Mapping[str, str]) -> str | None:
    for key in _MODE_KEYS:
        if key in words:
            mode = _MODES.get(words[key].lower().replace("_", "-"))
            if mode is None:
                known = "disable, prefer, require, verify-ca, verify-full"
                raise ValueError(f"url: {key}={words[key][:40]} is not one of {known}")
            return mode
    return None


def _with_files(tls: TLSSettings, words: Mapping[str, str], ca: str | None) -> TLSSettings:
    """Add the files that the address names where the settings name none."""
    return replace(
        tls,
        ca=tls.ca or (None if ca == _SYSTEM else ca),
        cert=tls.cert or words.get("sslcert"),
        key=tls.key or words.get("sslkey"),
    )
