"""The process of tests/servers/mongodb.py: `python _mongodb_stand_in.py PORT SETTINGS.json`.

No MongoDB: it speaks the wire protocol (OP_MSG, and OP_QUERY for a first hello) and SCRAM-SHA-256 as the
specifications have it, and answers a handful of commands from its settings.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import socket
import socketserver
import ssl
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
CLIENT_HELLO = b"\x16\x03"
SALT = secrets.token_bytes(28)  # a server keeps one for each user
OPEN = ("hello", "ismaster", "isMaster", "ping", "buildInfo", "saslStart", "saslContinue", "books")
NAMES = {
    11: "UserNotFound",
    13: "Unauthorized",
    18: "AuthenticationFailed",
    26: "NamespaceNotFound",
    50: "MaxTimeMSExpired",
    59: "CommandNotFound",
    91: "ShutdownInProgress",
    189: "PrimarySteppedDown",
    334: "MechanismUnavailable",
    462: "IngressRequestRateLimitExceeded",
    10107: "NotWritablePrimary",
    13436: "NotPrimaryOrSecondary",
}


class RefusedError(Exception):
    """A command that is answered with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.document = {"ok": 0.0, "errmsg": text, "code": code, "codeName": NAMES[code]}


class Login:
    """The server's half of SCRAM-SHA-256 (RFC 7677)."""

    def __init__(self, users: dict[str, Any], iterations: int) -> None:
        self._users, self._iterations = users, iterations
        self.user: str | None = None
        self._claimed = ""
        self._first = b""

    def begin(self, source: str, payload: bytes) -> dict[str, Any]:
        bare = payload.removeprefix(b"n,,")
        fields = dict(part.split(b"=", 1) for part in bare.split(b","))
        self._claimed = fields[b"n"].decode().replace("=2C", ",").replace("=3D", "=")
        known = self._users.get(self._claimed, {})
        if known.get("source", "admin") != source:
            self._claimed = ""
        nonce = fields[b"r"] + base64.b64encode(secrets.token_bytes(24))
        answer = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(SALT), self._iterations)
        self._first = bare + b"," + answer
        return {"conversationId": 1, "done": False, "payload": answer, "ok": 1.0}

    def go_on(self, payload: bytes) -> dict[str, Any]:
        if not payload:
            return {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
        without, _, proof = payload.rpartition(b",p=")
        password = self._users.get(self._claimed, {}).get("password")
        if password is None:
            raise RefusedError(18, "Authentication failed.")
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, self._iterations)
        key = hmac.digest(salted, b"Client Key", "sha256")
        signed = self._first + b"," + without
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        if bytes(a ^ b for a, b in zip(key, signature, strict=True)) != base64.b64decode(proof):
            raise RefusedError(18, "Authentication failed.")
        self.user = self._claimed
        proven = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return {"conversationId": 1, "done": True, "payload": b"v=" + base64.b64encode(proven), "ok": 1.0}


class Member:
    """One member of a replica set, or a server that stands alone, as its settings say."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.open = 0

    def serve(self, client: socket.socket) -> None:
        """Answer one client until it leaves."""
        self.open += 1
        login = Login(self.settings["users"], self.settings["iterations"])
        try:
            with client, client.makefile("rb") as stream:
                while len(header := stream.read(16)) == len(b"16 bytes, always"):
                    length, request, _, opcode = struct.unpack("<iiii", header)
                    if header.startswith(CLIENT_HELLO):  # as mongod does where it speaks no TLS
                        return
                    kind, answer = self._answered(login, opcode, stream.read(length - 16))
                    client.sendall(struct.pack("<iiii", 16 + len(answer), 0, request, kind) + answer)
        except (OSError, EOFError):
            pass
        finally:
            self.open -= 1

    def _answered(self, login: Login, opcode: int, body: bytes) -> tuple[int, bytes]:
        if opcode == OP_QUERY:
            start = body.index(b"\0", 4) + 9
            answer = bson.encode(self._run(login, bson.decode(body[start:])))
            return OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + answer
        if opcode != OP_MSG:
            raise EOFError
        answer = bson.encode(self._run(login, bson.decode(body[5:])))
        return OP_MSG, struct.pack("<ib", 0, 0) + answer

    def _run(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        try:
            if name in self.settings["fails"]:
                raise RefusedError(self.settings["fails"][name], "as its settings say")
            if self.settings["login"] and login.user is None and name not in OPEN:
                raise RefusedError(13, f"Command {name} requires authentication")
            answer = getattr(self, f"_{name.lower()}", None)
            if answer is None:
                raise RefusedError(59, f"no such command: '{name}'")
            done: dict[str, Any] = answer(login, command)
        except RefusedError as refusal:
            return refusal.document
        return done

    def _hello(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        state = self.settings["state"]
        document: dict[str, Any] = {
            "isWritablePrimary": state in ("standalone", "primary"),
            "ismaster": state in ("standalone", "primary"),
            "helloOk": True,
            "maxBsonObjectSize": 16777216,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
            "localTime": dt.datetime.now(dt.UTC),
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "readOnly": False,
            "ok": 1.0,
        }
        if state != "standalone":
            document |= {"setName": "rs0", "hosts": self.settings["hosts"], "me": self.settings["me"]}
            document |= {"secondary": state == "secondary"}
            if self.settings["primary"]:
                document["primary"] = self.settings["primary"]
        if "saslSupportedMechs" in command:
            document["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        begin = command.get("speculativeAuthenticate")
        if self.settings["speculates"] and begin is not None and begin.get("mechanism") == "SCRAM-SHA-256":
            document["speculativeAuthenticate"] = login.begin(begin["db"], begin["payload"])
        return document

    _ismaster = _hello

    def _saslstart(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        if command["mechanism"] != "SCRAM-SHA-256":
            raise RefusedError(334, f"Unsupported mechanism {command['mechanism']}")
        return login.begin(command["$db"], command["payload"])

    def _saslcontinue(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        return login.go_on(command["payload"])

    def _ping(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        return {"ok": 1.0}

    def _books(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        return {"open": self.open, "ok": 1.0}

    def _buildinfo(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        return {"version": "7.0.0", "ok": 1.0}

    def _listdatabases(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        mine = [name for name in self.settings["data"] if self._may(login, name)]
        return {"databases": [{"name": name} for name in mine], "ok": 1.0}

    def _listcollections(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        database = command["$db"]
        self._demand(login, database, "listCollections")
        names = [n for n in self.settings["data"].get(database, {}) if n == command["filter"]["name"]]
        return _batch(database, [{"name": name, "type": "collection"} for name in names])

    def _find(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        database = command["$db"]
        self._demand(login, database, "find")
        if self.settings["state"] == "recovering":
            raise RefusedError(13436, "node is not in primary or recovering state")
        rows = self.settings["data"].get(database, {}).get(command["find"], [])
        return _batch(database, rows[: command["limit"]])

    def _serverstatus(self, login: Login, command: dict[str, Any]) -> dict[str, Any]:
        if self.settings["login"] and not self.settings["users"][login.user or ""]["monitors"]:
            raise RefusedError(13, "not authorized on admin to execute command { serverStatus: 1 }")
        left = self.settings["connections"] - self.open
        return {"connections": {"current": self.open, "available": left}, "uptime": 12.0, "ok": 1.0}

    def _may(self, login: Login, database: str) -> bool:
        if not self.settings["login"]:
            return True
        return database in self.settings["users"][login.user or ""]["reads"]

    def _demand(self, login: Login, database: str, name: str) -> None:
        if not self._may(login, database):
            raise RefusedError(13, f"not authorized on {database} to execute command {{ {name}: 1 }}")


def _batch(database: str, rows: list[Any]) -> dict[str, Any]:
    return {"cursor": {"firstBatch": rows, "id": bson.Int64(0), "ns": f"{database}.$cmd"}, "ok": 1.0}


class Door(socketserver.ThreadingTCPServer):
    """Lets clients in, each to a thread of its own; with a context over TLS."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, member: Member) -> None:
        self._member = member
        self._context = context_of(member.settings)
        super().__init__(("127.0.0.1", port), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the client's thread, so that one who is slow keeps nobody waiting."""
        with suppress(OSError):  # whoever is refused has heard it by an alert
            if self._context is not None:
                request = self._context.wrap_socket(request, server_side=True)
            self._member.serve(request)


def context_of(settings: dict[str, Any]) -> ssl.SSLContext | None:
    """Return how TLS is spoken, None where it is not."""
    if not settings["certificate"]:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*settings["certificate"])
    if settings["client_ca"]:
        context.load_verify_locations(settings["client_ca"])
        context.verify_mode = ssl.CERT_REQUIRED
    return context


if __name__ == "__main__":
    Door(int(sys.argv[1]), Member(json.loads(Path(sys.argv[2]).read_text()))).serve_forever()
