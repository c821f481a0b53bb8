"""A stand-in for Google's token endpoint and Cloud Healthcare API, in a process of its own.

Nobody can run the real one. What it answers is compared with Google's own description of the API by
tests/integration/test_google_healthcare.py; a token is given only for a JWT whose signature, audience,
times, issuer and scope are right.

    google_healthcare.url("ct")            a store with one study; "empty" has none
    google_healthcare.settings(url)        with the key of READER, who may get and search
    accounts   READER, WRITER (all), SEARCHER (no get), LOOKER (no search), NOBODY (nothing)
    projects   api-off, busy, broken, fenced, unbilled: what the API then answers
    token()    of READER by another token endpoint: "slow", "busy", "two-hours-ahead", "of-another-place"
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.servers.process import ServerProcess, private_folder

GET = "healthcare.dicomStores.get"
READ = "healthcare.dicomStores.dicomWebRead"
WRITE = "healthcare.dicomStores.dicomWebWrite"
_DOMAIN = "hospital.iam.gserviceaccount.com"
READER, WRITER, SEARCHER, LOOKER, NOBODY, DELETED = (
    f"{name}@{_DOMAIN}" for name in ("reader", "writer", "searcher", "looker", "nobody", "deleted")
)
_GRANTED = {
    READER: (GET, READ),
    WRITER: (GET, READ, WRITE),
    SEARCHER: (READ,),
    LOOKER: (GET,),
    NOBODY: (),
}
_PROGRAM = Path(__file__).with_name("_google_healthcare_server.py")


@cache
def _key(of: str) -> RSAPrivateKey:
    """Return a private key; `of` tells which."""
    return generate_private_key(65537, 1024)  # loaded at every check: Google gives 2048


def _pem(of: str) -> str:
    return _key(of).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class GoogleHealthcareServer(ServerProcess):
    """One server."""

    def command(self) -> list[str]:
        public = _key("all").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        accounts = {
            name: {"public_key": public.decode(), "permissions": granted}
            for name, granted in _GRANTED.items()
        }
        path = self.folder / "accounts.json"
        path.write_text(json.dumps(accounts))
        return [sys.executable, str(_PROGRAM), str(self.port), str(path)]

    def ready(self) -> bool:
        return isinstance(self.asked(), list)

    @property
    def endpoint(self) -> str:
        """Its address, for API and tokens alike."""
        return f"http://127.0.0.1:{self.port}"

    @staticmethod
    def url(
        store: str = "ct",
        dataset: str = "radiology",
        location: str = "europe-west3",
        project: str = "hospital",
    ) -> str:
        """Return the address of a store."""
        return f"google-healthcare://{project}/{location}/{dataset}/{store}"

    def key(self, account: str = READER, *, signed_by: str = "all", behave: str = "") -> dict[str, Any]:
        """Return the key of an account as Google gives it, its token endpoint ours."""
        return {
            "type": "service_account",
            "project_id": "hospital",
            "private_key_id": "0123456789abcdef",
            "private_key": _pem(signed_by),
            "client_email": account,
            "token_uri": f"{self.endpoint}/token{behave and '-' + behave}",
        }

    def settings(self, account: str = READER, **more: Any) -> Mapping[str, Any]:
        """Return settings of a target."""
        return {"url": self.url(), "endpoint": self.endpoint, "key": json.dumps(self.key(account))} | more

    def asked(self) -> list[dict[str, Any]]:
        """Return what the API was asked so far: method, path, query, body."""
        with urlopen(f"{self.endpoint}/asked", timeout=5) as answer:
            return list(json.load(answer))


@pytest.fixture(scope="session")
def google_healthcare() -> Iterator[GoogleHealthcareServer]:
    """One server for the session; only ask it."""
    with private_folder() as folder, GoogleHealthcareServer(folder) as server:
        yield server
