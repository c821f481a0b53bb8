"""Google Cloud Healthcare against a stand-in; broken by a store that does not exist."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.servers.google_healthcare import (
    DELETED,
    LOOKER,
    NOBODY,
    READER,
    SEARCHER,
    WRITE,
    GoogleHealthcareServer,
)
from tests.servers.process import free_port, private_folder

DIALS = True
STAND_IN = (
    "a program of our own, for nobody can run Google's: its routes, parameters and answers are held against"
    " Google's description of the API, it verifies every signed request as Google does, and its error texts"
    " are from Google's documentation and from memory"
)
DRIVER_ERRORS = ("google.auth.exceptions",)
BARE = {"url": "google-healthcare://p/l/d/s"}


@dataclass(frozen=True)
class _ByEndpoint(Example):
    """An example whose port stands in `endpoint`."""

    def through(self, port: int) -> dict[str, Any]:
        return {**self.settings, "endpoint": f"http://127.0.0.1:{port}"}

    def at_host(self, host: str) -> dict[str, Any]:
        return {**self.settings, "endpoint": f"https://{host}:{self.port}"}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A store that the account may read."""
    server: GoogleHealthcareServer = request.getfixturevalue("google_healthcare")
    settings = server.settings()
    yield _ByEndpoint(
        settings=settings,
        broken={**settings, "url": server.url("gone")},
        port=server.port,
        secret=server.key()["private_key"].splitlines()[1],
        server=server,
    )


def _as(account: str, **more: Any) -> Arrangement:
    return asking("google_healthcare", lambda server: server.settings(account, **more))


def _at(**parts: str) -> Arrangement:
    return asking("google_healthcare", lambda server: server.settings(url=server.url(**parts)))


def _with_key(change: Callable[[GoogleHealthcareServer], Mapping[str, Any]]) -> Arrangement:
    return asking(
        "google_healthcare",
        lambda server: server.settings(key=json.dumps(server.key() | change(server))),
    )


def _tokens(behave: str) -> Arrangement:
    return _with_key(lambda server: {"token_uri": server.key(behave=behave)["token_uri"]})


@contextmanager
def nowhere_to_look(**environ: str) -> Iterator[Path]:
    """Give this process no default credentials but those that are named."""
    with private_folder() as folder:
        hidden = {name: value for name, value in os.environ.items() if not name.startswith("GOOGLE")}
        hidden |= {"CLOUDSDK_CONFIG": str(folder), "GCE_METADATA_IP": f"127.0.0.1:{free_port()}"}
        with patch.dict(os.environ, hidden | environ, clear=True):
            yield folder


@contextmanager
def _no_default(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: GoogleHealthcareServer = request.getfixturevalue("google_healthcare")
    with nowhere_to_look():
        yield {"url": server.url(), "endpoint": server.endpoint}


@contextmanager
def _default_that_is_gone(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: GoogleHealthcareServer = request.getfixturevalue("google_healthcare")
    with nowhere_to_look(GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json"):
        yield {"url": server.url(), "endpoint": server.endpoint}


@contextmanager
def _elsewhere(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: GoogleHealthcareServer = request.getfixturevalue("google_healthcare")
    yield server.settings(endpoint=request.getfixturevalue("nginx").url("").rstrip("/"))


@contextmanager
def _unknown_issuer(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: GoogleHealthcareServer = request.getfixturevalue("google_healthcare")
    yield server.settings(endpoint=request.getfixturevalue("nginx").url("", scheme="https"))


def _grant(account: str, role: str, store: str = "ct") -> str:
    return (
        f"gcloud healthcare dicom-stores add-iam-policy-binding {store} --dataset=radiology"
        f" --location=europe-west3 --project=hospital --member=serviceAccount:{account} --role={role}"
    )


_AT = "--location=europe-west3 --project=hospital"
_SPELLING = "Compare its spelling with what there is."
_DEFAULT = (
    "Set key or key_file, or GOOGLE_APPLICATION_CREDENTIALS where Mooring runs. On Google Cloud, allow the"
    " metadata server 169.254.169.254 in egress.allow."
)
_PERHAPS = " A store that does not exist is told like this, too: compare its name."
_BRINGS_GET = "roles/healthcare.dicomStoreViewer brings healthcare.dicomStores.get"
_BRINGS_READ = "roles/healthcare.dicomViewer brings healthcare.dicomStores.dicomWebRead"
_GRANT_IT = "Grant the role on the store, its dataset or its project:"

FAULTS = (
    Fault(
        "the key was deleted, or signs for another account",
        (Stage.AUTH, Reason.AUTH, "KEY_REJECTED"),
        _with_key(lambda server: {"private_key": server.key(signed_by="another")["private_key"]}),
        hint="The key was deleted, or is another account's: is its private_key_id in the list?",
        fix=f"gcloud iam service-accounts keys list --iam-account={READER}",
    ),
    Fault(
        "the service account was deleted",
        (Stage.AUTH, Reason.AUTH, "ACCOUNT_NOT_FOUND"),
        _as(DELETED),
        hint="The service account was deleted or disabled, or its client_email was changed.",
        fix=f"gcloud iam service-accounts describe {DELETED}",
    ),
    Fault(
        "this machine's clock is two hours behind",
        (Stage.AUTH, Reason.AUTH, "CLOCK_SKEW"),
        _tokens("two-hours-ahead"),
        hint="Set this machine's clock by NTP: a signed request holds for an hour, by Google's clock.",
    ),
    Fault(
        "the key's private part was cut while it was copied",
        (Stage.AUTH, Reason.CONFIG, "KEY_MALFORMED"),
        _with_key(lambda server: {"private_key": server.key()["private_key"][:200]}),
        hint="Copy the file as it was downloaded, line breaks as \\n, or make a new key.",
        fix=f"gcloud iam service-accounts keys create key.json --iam-account={READER}",
    ),
    Fault(
        "the key's file is not there",
        (Stage.AUTH, Reason.CONFIG, "KEY_FILE"),
        _as(READER, key=None, key_file="/nowhere/key.json"),
        hint="Give the path of the JSON that was downloaded, which the user that Mooring runs as may read.",
    ),
    Fault(
        "no key is given, and this machine has no default credentials",
        (Stage.AUTH, Reason.CONFIG, "NO_DEFAULT_CREDENTIALS"),
        _no_default,
        hint=_DEFAULT,
        fix="gcloud auth application-default login",
    ),
    Fault(
        "GOOGLE_APPLICATION_CREDENTIALS names a file that is not there",
        (Stage.AUTH, Reason.CONFIG, "NO_DEFAULT_CREDENTIALS"),
        _default_that_is_gone,
        hint=_DEFAULT,
        fix="gcloud auth application-default login",
    ),
    Fault(
        "the host where tokens come from refuses connections",
        (Stage.AUTH, Reason.REFUSED, "ECONNREFUSED"),
        _with_key(lambda _: {"token_uri": f"http://127.0.0.1:{free_port()}/token"}),
        hint="Tokens come from a host of their own: this machine has to reach that one, too.",
    ),
    Fault(
        "the host where tokens come from never answers",
        (Stage.AUTH, Reason.TIMEOUT, "TOKEN_TIMEOUT"),
        _tokens("slow"),
        hint="Tokens come from a host of their own: this machine has to reach that one, too.",
        timeout=0.5,
    ),
    Fault(
        "the host where tokens come from is not ready",
        (Stage.AUTH, Reason.UNAVAILABLE, "HTTP_503"),
        _tokens("busy"),
        hint="Google's token service is not ready, or limits how often it is asked; the key may be right.",
    ),
    Fault(
        "the endpoint does not take Google's token",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        _tokens("of-another-place"),
        hint="Google gave a token that this endpoint does not take: compare endpoint.",
    ),
    Fault(
        "the account may search and not look at the store",
        (Stage.PERMISSION, Reason.PERMISSION, "PERMISSION_DENIED"),
        _as(SEARCHER),
        hint=f"{_GRANT_IT} {_BRINGS_GET}.",
        fix=_grant(SEARCHER, "roles/healthcare.dicomStoreViewer"),
    ),
    Fault(
        "the account may look at the store and not search in it",
        (Stage.PERMISSION, Reason.PERMISSION, "PERMISSION_DENIED"),
        _as(LOOKER),
        hint=f"{_GRANT_IT} {_BRINGS_READ}.",
        fix=_grant(LOOKER, "roles/healthcare.dicomViewer"),
    ),
    Fault(
        "the account has no right on the store at all, or there is none",
        (Stage.PERMISSION, Reason.PERMISSION, "PERMISSION_DENIED"),
        _as(NOBODY),
        hint=f"{_GRANT_IT} roles/healthcare.dicomViewer brings healthcare.dicomStores.get and"
        f" healthcare.dicomStores.dicomWebRead.{_PERHAPS}",
        fix=_grant(NOBODY, "roles/healthcare.dicomViewer"),
    ),
    Fault(
        "the account may read and not write, which is asked of it",
        (Stage.PERMISSION, Reason.PERMISSION, "PERMISSION_DENIED"),
        _as(READER, permissions=[WRITE]),
        hint=f"{_GRANT_IT} roles/healthcare.dicomEditor brings {WRITE}.",
        fix=_grant(READER, "roles/healthcare.dicomEditor"),
    ),
    Fault(
        "the API is turned off in the project",
        (Stage.PERMISSION, Reason.PERMISSION, "SERVICE_DISABLED"),
        _at(project="api-off"),
        hint="The Cloud Healthcare API is turned off in this project; once turned on it takes some minutes.",
        fix="gcloud services enable healthcare.googleapis.com --project=api-off",
    ),
    Fault(
        "the project has no billing account",
        (Stage.PERMISSION, Reason.PERMISSION, "BILLING_DISABLED"),
        _at(project="unbilled"),
        hint="The project has no billing account that works: link one.",
    ),
    Fault(
        "a service perimeter keeps this machine out",
        (Stage.PERMISSION, Reason.PERMISSION, "SECURITY_POLICY_VIOLATED"),
        _at(project="fenced"),
        hint="A VPC Service Controls perimeter keeps this machine out: allow it by an access level.",
    ),
    Fault(
        "the DICOM store does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_STORE"),
        _at(store="gone"),
        hint=_SPELLING,
        fix=f"gcloud healthcare dicom-stores list --dataset=radiology {_AT}",
    ),
    Fault(
        "the dataset does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_DATASET"),
        _at(dataset="gone"),
        hint=_SPELLING,
        fix=f"gcloud healthcare datasets list {_AT}",
    ),
    Fault(
        "the location does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_LOCATION"),
        _at(location="atlantis"),
        hint=_SPELLING,
        fix="gcloud healthcare locations list --project=hospital",
    ),
    Fault(
        "the project does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_PROJECT"),
        _at(project="gone"),
        hint=_SPELLING,
        fix="gcloud projects list",
    ),
    Fault(
        "the project's quota is used up",
        (Stage.FUNCTION, Reason.OVERLOADED, "RESOURCE_EXHAUSTED"),
        _at(project="busy"),
        hint="The project's quota for this API is used up: raise it, or interval.",
    ),
    Fault(
        "the API is not available",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "UNAVAILABLE"),
        _at(project="broken"),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
    Fault(
        "something else answers at the endpoint",
        (Stage.FUNCTION, Reason.PROTOCOL, "NOT_HEALTHCARE"),
        _elsewhere,
        hint="Compare endpoint with the API's address; a proxy in between may answer for it.",
    ),
    tls_faults.cert_unknown_issuer(_unknown_issuer, "the endpoint shows a certificate of an unknown issuer"),
)
