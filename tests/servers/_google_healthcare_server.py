"""The process of tests/servers/google_healthcare.py: `python _google_healthcare_server.py PORT ACCOUNTS`."""

from __future__ import annotations

import base64
import json
import secrets
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = {
    "https://www.googleapis.com/auth/cloud-healthcare",
    "https://www.googleapis.com/auth/cloud-platform",
}
HERE = "projects/hospital/locations/europe-west3/datasets/radiology/dicomStores"
STORES = {f"{HERE}/ct": 1, f"{HERE}/empty": 0}
PROJECTS = ("hospital", "api-off", "busy", "broken", "fenced", "unbilled")


class RefusedError(Exception):
    """What a token is refused with."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class Server(ThreadingHTTPServer):
    """Keeps accounts, tokens, and what was asked."""

    daemon_threads = True

    def __init__(self, port: int, accounts: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", port), Api)
        self.accounts = accounts
        self.tokens: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []

    def account_of(self, assertion: str, now: float) -> str:
        """Verify a JWT as Google's documentation says, and return whose it is. Raises RefusedError."""
        head, claims, signature = (_decoded(part) for part in assertion.split("."))
        account = self.accounts.get(json.loads(claims).get("iss"))
        if account is None:
            raise RefusedError(400, "invalid_grant", "Invalid grant: account not found")
        key: Any = load_pem_public_key(account["public_key"].encode())
        try:
            key.verify(signature, assertion.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise RefusedError(400, "invalid_grant", "Invalid JWT Signature.") from None
        if json.loads(head).get("alg") != "RS256":
            raise RefusedError(400, "invalid_grant", "Invalid JWT: bad algorithm")
        _demand_claims(json.loads(claims), now)
        return str(json.loads(claims)["iss"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _demand_claims(claims: Mapping[str, Any], now: float) -> None:
    if claims.get("aud") != AUDIENCE:
        raise RefusedError(400, "invalid_grant", "Invalid JWT: audience is wrong")
    issued, ends = claims.get("iat", 0), claims.get("exp", 0)
    if not (issued <= now + 300 and now <= ends and ends - issued <= 3600):
        text = (
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            " Check your iat and exp values in the JWT claim."
        )
        raise RefusedError(400, "invalid_grant", text)
    if not set(str(claims.get("scope", "")).split()) & SCOPES:
        raise RefusedError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")


class Api(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    body = b""
    wbufsize = -1  # head and body in one packet: else the kernel holds the second one back

    def do_POST(self) -> None:
        """Route, with a body."""
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.do_GET()

    def do_GET(self) -> None:
        """Route."""
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/asked":
            return self.answer(200, self.server.asked)
        if path.startswith("/token"):
            return self.token(path)
        self.server.asked.append(
            {
                "method": self.command,
                "path": path,
                "query": sorted(query),
                "body": json.loads(self.body) if self.body else None,
            }
        )
        if not path.startswith("/v1/"):
            return self.answer(404, "<!doctype html><title>Error 404 (Not Found)!!1</title>")
        return self.route(path.removeprefix("/v1/"))

    # Tokens

    def token(self, path: str) -> None:
        """Trade an assertion for a token. What follows /token is how this endpoint misbehaves."""
        behave = path.removeprefix("/token").strip("-")
        if behave == "slow":
            threading.Event().wait()
        if behave == "busy":
            return self.answer(503, {"error": "temporarily_unavailable"})
        given = {key: value[0] for key, value in parse_qs(self.body.decode()).items()}
        if given.get("grant_type") != GRANT:
            return self.answer(400, {"error": "unsupported_grant_type"})
        ahead = 7200 if behave == "two-hours-ahead" else 0
        try:
            account = self.server.account_of(given["assertion"], time.time() + ahead)
        except RefusedError as error:
            return self.answer(error.status, error.body)
        made = f"ya29.{secrets.token_urlsafe(40)}"
        if behave != "of-another-place":
            self.server.tokens[made] = account
        return self.answer(200, {"access_token": made, "expires_in": 3599, "token_type": "Bearer"})

    # The API

    def route(self, path: str) -> None:
        """Answer for a resource, as whoever holds the token may see it."""
        given = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        account = self.server.tokens.get(given)
        if account is None:
            text = "Request had invalid authentication credentials. Expected OAuth 2 access token."
            return self.refuse(401, "UNAUTHENTICATED", text)
        trouble = _TROUBLES.get(path.split("/")[1])
        if trouble is not None:
            return self.refuse(*trouble[:3], trouble[3])
        granted = self.server.accounts[account]["permissions"]
        name, _, verb = path.partition(":")
        if verb == "testIamPermissions":
            wanted = json.loads(self.body)["permissions"]
            there = [each for each in wanted if each in granted] if name in STORES else []
            return self.answer(200, {"permissions": there} if there else {})
        if name.endswith("/dicomWeb/studies"):
            return self.studies(name.removesuffix("/dicomWeb/studies"), granted)
        return self.resource(name, granted)

    def resource(self, name: str, granted: Iterable[str]) -> None:
        """Answer with a project's locations, a location, a dataset or a store."""
        parts = name.split("/")
        kind = parts[-1] if len(parts) % 2 else parts[-2]
        if kind == "dicomStores" and "healthcare.dicomStores.get" not in granted:
            return self.denied("healthcare.dicomStores.get", name)
        if parts[1] not in PROJECTS or not any(f"{store}/".startswith(f"{name}/") for store in STORES):
            return self.refuse(404, "NOT_FOUND", f"{name} not found")
        if parts[-1] == "locations":
            location = f"{name}/europe-west3"
            return self.answer(200, {"locations": [{"name": location, "locationId": "europe-west3"}]})
        more = {"locationId": parts[-1]} if kind == "locations" else {}
        return self.answer(200, {"name": name} | more)

    def studies(self, store: str, granted: Iterable[str]) -> None:
        """Search."""
        if "healthcare.dicomStores.dicomWebRead" not in granted:
            return self.denied("healthcare.dicomStores.dicomWebRead", store)
        if store not in STORES:
            return self.refuse(404, "NOT_FOUND", f"{store} not found")
        if not STORES[store]:
            self.send_response(204)
            return self.end_headers()
        study = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}
        return self.answer(200, [study], "application/dicom+json; charset=utf-8")

    def denied(self, permission: str, name: str) -> None:
        """Answer as for a missing permission."""
        text = f"Permission {permission} denied on resource {name} (or it may not exist)."
        self.refuse(403, "PERMISSION_DENIED", text, "IAM_PERMISSION_DENIED")

    def refuse(self, code: int, status: str, message: str, reason: str = "") -> None:
        """Answer with an error in Google's shape."""
        error: dict[str, Any] = {"code": code, "message": message, "status": status}
        if reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
        self.answer(code, {"error": error})

    def answer(self, status: int, body: Any, kind: str = "application/json; charset=UTF-8") -> None:
        """Send an answer: a page, or JSON."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


_TROUBLES: Mapping[str, tuple[int, str, str, str]] = {
    "api-off": (
        403,
        "PERMISSION_DENIED",
        "Cloud Healthcare API has not been used in project api-off before or it is disabled.",
        "SERVICE_DISABLED",
    ),
    "unbilled": (
        403,
        "PERMISSION_DENIED",
        "This API method requires billing to be enabled.",
        "BILLING_DISABLED",
    ),
    "fenced": (
        403,
        "PERMISSION_DENIED",
        "Request is prohibited by organization's policy.",
        "SECURITY_POLICY_VIOLATED",
    ),
    "busy": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'DICOM requests'.", ""),
    "broken": (503, "UNAVAILABLE", "The service is currently unavailable.", ""),
}


if __name__ == "__main__":
    Server(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())).serve_forever()
