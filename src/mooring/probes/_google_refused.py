"""Why there is no token: what the errors of google-auth and of the token's host mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from google.auth import exceptions

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.faults import cause_of
from mooring.probes._google_key import ACCOUNT


def no_credentials() -> CheckError:
    """Return the error for a machine without default credentials."""
    return CheckError(
        Reason.CONFIG,
        Prose("this machine has no application-default credentials"),
        code="NO_DEFAULT_CREDENTIALS",
        hint=_DEFAULT,
        fix="gcloud auth application-default login",
    )


def unreached(host: str, error: Exception) -> CheckError:
    """Return the error for a token host that cannot be reached: at auth, and never told as a bad login."""
    cause = error.cause if isinstance(error, CheckError) else cause_of(error)
    if cause is None:
        cause = Cause(Reason.NETWORK, type(error).__name__, str(error))
    message = Prose(
        "{host}, where tokens come from, cannot be asked: {why}", host=host, why=cause.message or error
    )
    return CheckError(cause.reason, message, code=cause.code, hint=cause.hint or WAY)


def no_token(error: exceptions.RefreshError, account: str | None, skew: float) -> CheckError:
    """Return why no token was given, with what can be looked up about the account."""
    cause = explain(error) or Cause(Reason.AUTH)
    message = cause.message or str(error)
    if cause.code == "CLOCK_SKEW":
        message = Prose(
            "Google refuses the signed request as not of this time: this clock is {seconds} s {where}",
            seconds=abs(round(skew)),
            where=_AHEAD if skew > 0 else _BEHIND,
        )
    known = account is not None and ACCOUNT.fullmatch(account)
    fix = LOOK_UP[cause.code or ""].format(account=account) if known and cause.code in LOOK_UP else None
    return CheckError(cause.reason, message, code=cause.code, hint=cause.hint, fix=fix)


_AHEAD = Prose("ahead of the API's")
_BEHIND = Prose("behind the API's")
LOOK_UP = {
    "KEY_MALFORMED": "gcloud iam service-accounts keys create key.json --iam-account={account}",
    "KEY_REJECTED": "gcloud iam service-accounts keys list --iam-account={account}",
    "ACCOUNT_NOT_FOUND": "gcloud iam service-accounts describe {account}",
}


def explain(error: Exception) -> Cause | None:
    """Say what an error of google-auth means."""
    if not isinstance(error, exceptions.GoogleAuthError):
        return None
    text = cut(" ".join(str(error.args[0] if error.args else error).split()), 500)
    if isinstance(error, exceptions.RefreshError):
        return _refused(error, text)
    if isinstance(error, exceptions.DefaultCredentialsError):
        missing = no_credentials().cause
        if "not found" in text or "could not automatically determine" in text or "were not found" in text:
            return missing if "File" not in text else replace(missing, message=text)
        return Cause(Reason.CONFIG, "DEFAULT_CREDENTIALS", text, _DEFAULT)
    for classes, reason, code in _CLASSES:
        if isinstance(error, classes):
            return Cause(reason, code, text)
    return Cause(Reason.AUTH, "GOOGLE_AUTH", text)


_CLASSES = (
    (exceptions.TimeoutError, Reason.TIMEOUT, "TOKEN_TIMEOUT"),
    (exceptions.TransportError, Reason.NETWORK, "TRANSPORT"),
    (exceptions.ResponseError, Reason.PROTOCOL, "TOKEN_ANSWER"),
    ((exceptions.MutualTLSChannelError, exceptions.ClientCertError), Reason.CONFIG, "CLIENT_CERTIFICATE"),
)


def _refused(error: exceptions.RefreshError, text: str) -> Cause:
    """Say why no token was given, by OAuth's word and by Google's sentence."""
    given = error.args[1] if len(error.args) > 1 else None
    if not isinstance(given, Mapping) or not isinstance(given.get("error"), str):
        return Cause(Reason.AUTH, "TOKEN_REFUSED", text, _WRONG)
    word, said = given["error"], str(given.get("error_description") or "")
    message = f"Google gives no token: {text}"
    for part, code, hint in _SENTENCES:
        if part in said.lower():
            return Cause(Reason.AUTH, code, message, hint)
    if word in ("unauthorized_client", "access_denied", "invalid_scope"):
        return Cause(Reason.PERMISSION, word, message, _DELEGATED)
    return Cause(Reason.AUTH, word[:60], message, _WRONG)


WAY = Prose("Tokens come from a host of their own: this machine has to reach that one, too.")
LATER = Prose("Google's token service is not ready, or limits how often it is asked; the key may be right.")
_WRONG = Prose("Google answers and rejects the credentials: was the key or the account disabled or deleted?")
KEY_FILE = Prose(
    "Give the path of the JSON that was downloaded, which the user that Mooring runs as may read."
)
_DELEGATED = Prose("Google knows the account and does not allow it a token for this: look at its scopes.")
_DEFAULT = Prose(
    "Set key or key_file, or GOOGLE_APPLICATION_CREDENTIALS where Mooring runs. On Google Cloud, allow the"
    " metadata server 169.254.169.254 in egress.allow."
)
_SENTENCES = (
    (
        "signature",
        "KEY_REJECTED",
        Prose("The key was deleted, or is another account's: is its private_key_id in the list?"),
    ),
    (
        "account not found",
        "ACCOUNT_NOT_FOUND",
        Prose("The service account was deleted or disabled, or its client_email was changed."),
    ),
    (
        "timeframe",
        "CLOCK_SKEW",
        Prose("Set this machine's clock by NTP: a signed request holds for an hour, by Google's clock."),
    ),
)
