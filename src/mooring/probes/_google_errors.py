"""What the errors of the Cloud Healthcare API mean, and which role brings what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.http import Response
from mooring.probes._google_key import ACCOUNT
from mooring.probes._google_store import Store
from mooring.probes._http import refusal, spoken

GET = "healthcare.dicomStores.get"
READ = "healthcare.dicomStores.dicomWebRead"
_VIEWER = "roles/healthcare.dicomViewer"
_ROLES = {
    GET: "roles/healthcare.dicomStoreViewer",
    READ: _VIEWER,
    "healthcare.dicomStores.export": _VIEWER,
    "healthcare.dicomStores.dicomWebWrite": "roles/healthcare.dicomEditor",
    "healthcare.dicomStores.dicomWebDelete": "roles/healthcare.dicomEditor",
    "healthcare.dicomStores.import": "roles/healthcare.dicomEditor",
}
_ADMIN = "roles/healthcare.dicomStoreAdmin"
"""Brings what is done to a store itself, such as update; of its images nothing."""


def complaint(answer: Response, store: Store, account: str | None) -> CheckError:
    """Return what an answer means that is no success."""
    error = _error(answer)
    said = cut(" ".join(str(error.get("message") or spoken(answer.status)).split()), 500)
    text = f"the API answers {spoken(answer.status)}: {said}"
    detail = detail_of(answer)
    if detail in KNOWN:
        reason, stage, hint, fix = KNOWN[detail]
        line = fix.format(project=store.project) if fix else None
        return CheckError(reason, text, code=detail, hint=hint, fix=line, stage=stage)
    if answer.status == HTTPStatus.FORBIDDEN:
        missing = [each for each in _ROLES if each in said]
        if missing:
            return lacks(missing, store, account, unseen=True)
    status = str(error.get("status") or "")
    made = refusal(answer.status, text, logged_in=True, hint=_HINTS.get(answer.status)).cause
    code = status if status.isupper() and status.replace("_", "").isalpha() else made.code
    stage = made.stage if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else None
    return CheckError(made.reason, text, code=code, hint=made.hint, stage=stage)


def lacks(missing: Sequence[str], store: Store, account: str | None, *, unseen: bool) -> CheckError:
    """Return the error for missing permissions; `unseen`: perhaps there is no such store."""
    roles = {each: _ROLES.get(each, _ADMIN) for each in missing}
    if _VIEWER in roles.values():  # holds what a store's viewer may, too
        roles = {each: _VIEWER if each == GET else role for each, role in roles.items()}
    brought = {role: [each for each in missing if roles[each] == role] for role in roles.values()}
    brings = ", ".join(f"{role} brings {' and '.join(each)}" for role, each in brought.items())
    hint = Prose("Grant the role on the store, its dataset or its project: {brings}.", brings=brings)
    if unseen:
        hint = Prose(
            "{hint} A store that does not exist is told like this, too: compare its name.", hint=hint
        )
    who = account or "the account"
    text = Prose("{who} lacks {missing}", who=who, missing=" and ".join(missing))
    fix = (
        " && ".join(_binding(store, account, role) for role in dict.fromkeys(roles.values()))
        if account
        else None
    )
    known = account is not None and ACCOUNT.fullmatch(account)
    return CheckError(
        Reason.PERMISSION,
        text,
        code="PERMISSION_DENIED",
        hint=hint,
        fix=fix if known else None,
        stage=Stage.PERMISSION,
    )


def _binding(store: Store, account: str | None, role: str) -> str:
    kind = "serviceAccount" if str(account).endswith("gserviceaccount.com") else "user"
    return (
        f"gcloud healthcare dicom-stores add-iam-policy-binding {store.name} {where(store)}"
        f" --member={kind}:{account} --role={role}"
    )


def where(store: Store) -> str:
    """Return the options that say gcloud where a store is."""
    return f"--dataset={store.dataset} --location={store.location} --project={store.project}"


def not_the_api(answer: Response) -> CheckError:
    """Return the error for an answer that is none of this API."""
    text = f"what answers is not the Cloud Healthcare API: it begins with {cut(repr(answer.body[:200]))}"
    hint = Prose("Compare endpoint with the API's address; a proxy in between may answer for it.")
    return CheckError(Reason.PROTOCOL, text, code="NOT_HEALTHCARE", hint=hint)


def document_of(answer: Response) -> Any:
    """Return an answer's JSON; where it is none, None."""
    try:
        return json.loads(answer.plain_body())
    except (ValueError, RecursionError):
        return None


def body_of(answer: Response) -> Mapping[str, Any]:
    """Return an answer's object; where it is none, an empty one."""
    document = document_of(answer)
    return document if isinstance(document, dict) else {}


def _error(answer: Response) -> Mapping[str, Any]:
    """Return the error of an answer. DICOMweb's may come as a list of one."""
    document = document_of(answer)
    first = document[0] if isinstance(document, list) and document else document
    error = first.get("error") if isinstance(first, dict) else None
    return error if isinstance(error, dict) else {}


def says_why(answer: Response) -> bool:
    """Whether an answer holds an error in Google's shape."""
    return bool(_error(answer))


def detail_of(answer: Response) -> str:
    """Return the reason that Google gives in an error's details, or nothing."""
    return next((str(each.get("reason")) for each in _details(answer) if each.get("reason")), "")


def _details(answer: Response) -> Iterator[Mapping[str, Any]]:
    given = _error(answer).get("details")
    yield from (each for each in given if isinstance(each, dict)) if isinstance(given, list) else ()


_GRANT = (Reason.PERMISSION, Stage.PERMISSION)
KNOWN: Mapping[str, tuple[Reason, Stage | None, Prose, str | None]] = {
    "SERVICE_DISABLED": (
        *_GRANT,
        Prose(
            "The Cloud Healthcare API is turned off in this project; once turned on it takes some minutes."
        ),
        "gcloud services enable healthcare.googleapis.com --project={project}",
    ),
    "BILLING_DISABLED": (*_GRANT, Prose("The project has no billing account that works: link one."), None),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (
        *_GRANT,
        Prose("The machine's credentials carry too few scopes: give it cloud-platform, or set key."),
        None,
    ),
    "SECURITY_POLICY_VIOLATED": (
        *_GRANT,
        Prose("A VPC Service Controls perimeter keeps this machine out: allow it by an access level."),
        None,
    ),
    "CONSUMER_INVALID": (
        Reason.NOT_FOUND,
        None,
        Prose("The project does not exist or was deleted: compare its id."),
        "gcloud projects list",
    ),
}
_HINTS: Mapping[int, Prose] = {
    HTTPStatus.UNAUTHORIZED: Prose("Google gave a token that this endpoint does not take: compare endpoint."),
    HTTPStatus.TOO_MANY_REQUESTS: Prose(
        "The project's quota for this API is used up: raise it, or interval."
    ),
}
