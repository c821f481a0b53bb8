"""What the kinds that speak HTTP have in common: headers, logins, and what a status code means."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, SecretStr

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.handshake import explain
from mooring.net.http_request import demand_headers
from mooring.probes._url import Url

PUBLIC = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-language",
        "content-type",
        "host",
        "if-modified-since",
        "if-none-match",
        "origin",
        "pragma",
        "range",
        "referer",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-requested-with",
    }
)
"""Headers that hold no secret. The values of all others are kept like passwords."""

_MEANING: dict[int, tuple[Reason, Stage]] = {
    HTTPStatus.UNAUTHORIZED: (Reason.AUTH, Stage.AUTH),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: (Reason.AUTH, Stage.AUTH),
    HTTPStatus.FORBIDDEN: (Reason.PERMISSION, Stage.PERMISSION),
    HTTPStatus.NOT_FOUND: (Reason.NOT_FOUND, Stage.FUNCTION),
    HTTPStatus.GONE: (Reason.NOT_FOUND, Stage.FUNCTION),
    HTTPStatus.REQUEST_TIMEOUT: (Reason.UNAVAILABLE, Stage.FUNCTION),
    HTTPStatus.TOO_MANY_REQUESTS: (Reason.OVERLOADED, Stage.FUNCTION),
}
_HINTS: dict[int, Prose] = {
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Prose(
        "A proxy stands in between and asks for a login of its own."
    ),
    HTTPStatus.FORBIDDEN: Prose(
        "The server does not allow this to whoever asks: look at the rights on this path."
    ),
    HTTPStatus.NOT_FOUND: Prose(
        "Compare the path with the service's own; a reverse proxy may route it elsewhere."
    ),
    HTTPStatus.GONE: Prose(
        "It was taken away for good: ask whoever runs the service what stands in its place."
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Prose("The server limits how often it is asked: raise the interval."),
    HTTPStatus.BAD_GATEWAY: Prose("A proxy answers, and the service behind it does not."),
    HTTPStatus.GATEWAY_TIMEOUT: Prose("A proxy answers, and the service behind it does not."),
}


def _sealed(headers: Mapping[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    """Keep every value secret but those of well-known harmless headers. Raises ValueError."""
    plain = {name: _text(value) for name, value in headers.items()}
    demand_headers(plain.items())
    return {name: v if name.lower() in PUBLIC else SecretStr(v) for name, v in plain.items()}


Headers: TypeAlias = Annotated[dict[str, str | SecretStr], AfterValidator(_sealed)]


def split_headers(
    headers: Mapping[str, str | SecretStr], url: Url, token: SecretStr | None
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the headers that anybody may see and those that only this host may, the login among these."""
    public = tuple((name, value) for name, value in headers.items() if isinstance(value, str))
    secret = tuple((name, _text(value)) for name, value in headers.items() if isinstance(value, SecretStr))
    return public, (*secret, *_login(url, token))


def secrets_of(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield secret header values, and what follows a word such as Bearer in them."""
    for _, value in headers:
        yield value
        yield value.rpartition(" ")[2]


def demand_one_login(headers: Mapping[str, str | SecretStr], url: Url, token: SecretStr | None) -> None:
    """Raise ValueError where more than one login is given, or one that a header cannot carry."""
    given = [place for place, there in _logins(headers, url, token) if there]
    if len(given) > 1:
        raise ValueError(f"url: a login stands in {' and in '.join(given)}; one is enough")
    if token is not None and not _text(token).isascii():
        raise ValueError("token: holds a letter that is not ASCII")
    if token is not None and not (_text(token).isprintable() and _text(token).strip() == _text(token) != ""):
        raise ValueError("token: is empty, or holds a line break or spaces around it")


def authenticates(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether these headers hold a login."""
    return any(name.lower() in ("authorization", "cookie", "x-api-key") for name, _ in headers)


def _logins(
    headers: Mapping[str, str | SecretStr], url: Url, token: SecretStr | None
) -> Iterator[tuple[str, bool]]:
    yield "the address", url.user is not None
    yield "token", token is not None
    yield "headers", any(name.lower() == "authorization" for name in headers)


def _login(url: Url, token: SecretStr | None) -> Iterator[tuple[str, str]]:
    if token is not None:
        yield "Authorization", f"Bearer {_text(token)}"
    elif url.user is not None:
        pair = f"{url.user}:{url.password or ''}".encode()
        yield "Authorization", f"Basic {base64.b64encode(pair).decode()}"


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def spoken(status: int) -> str:
    """Return a status code with its phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def stage_of(status: int) -> Stage:
    """Return the stage at which an unexpected status code fails."""
    return _MEANING.get(status, (None, Stage.FUNCTION))[1]


def refusal(status: int, message: str, *, logged_in: bool, hint: Prose | None = None) -> CheckError:
    """Return the error for a status code that was not expected. `hint` goes before the usual one."""
    if status in _MEANING:
        reason = _MEANING[status][0]
    else:
        reason = Reason.UNAVAILABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Reason.ASSERTION
    if status == HTTPStatus.UNAUTHORIZED and hint is None:
        hint = _REJECTED if logged_in else _ASKED
    return CheckError(
        reason, message, code=f"HTTP_{status}", hint=hint or _hint(status, reason), stage=stage_of(status)
    )


def _hint(status: int, reason: Reason) -> Prose | None:
    return _HINTS.get(status) or (_OTHER if reason is Reason.ASSERTION else None)


_OTHER = Prose("Send the request by hand and read the answer: correct the request, or expect_status.")
_REJECTED = Prose("The server answers and rejects the login: compare it with the service's own.")
_ASKED = Prose("The server asks for a login: put user:password into the address, or set token.")


def in_our_words(error: CheckError, hint: Prose) -> CheckError:
    """Return the error of a port that wants TLS with this hint, since it knows HTTP's schemes alone."""
    if error.cause.code == "TLS_EXPECTED":
        error.cause = replace(error.cause, hint=hint)
    return error


def asked_for_tls(error: Exception, scheme: str) -> Cause | None:
    """Explain TLS that was asked of a port in plain text; None for everything else."""
    cause = explain(error) if isinstance(error, ssl.SSLError) else None
    if cause is None or cause.code != "PLAIN_TEXT":
        return None
    hint = Prose("Write the address with {scheme}://, or ask the port that speaks TLS.", scheme=scheme)
    return replace(cause, hint=hint)
