"""A real Mosquitto, in the clear, over TLS, and over TLS that demands a client certificate.

`mosquitto` is one server for the whole session: only ask it. `start_mosquitto()` starts one with
options, that a test may fill, pause or kill.

    mon      PASSWORD, everything
    hearer   HEARER, may only hear below `mooring/`       speaker   SPEAKER, may only publish there
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

USER, PASSWORD = "mon", "s3cret-of-mqtt"
HEARER = ("hearer", "s3cret-of-hearer")
SPEAKER = ("speaker", "s3cret-of-speaker")
DYNAMIC = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"

_CONFIG = """
persistence false
log_dest stderr
allow_anonymous false
listener {port} 127.0.0.1
{options}
"""
_TLS = """
listener {port} 127.0.0.1
cafile {ca}
certfile {cert}
keyfile {key}
"""
_ACL = f"""
user {USER}
topic readwrite #
user {HEARER[0]}
topic read mooring/#
user {SPEAKER[0]}
topic write mooring/#
"""


class Mosquitto(ServerProcess):
    """One server. `options` are lines of its configuration; with `dynamic`, its plug-in says who may what."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        certificate: Certificate | None = None,
        ca: str = "",
        dynamic: bool = False,
    ) -> None:
        super().__init__(folder)
        self.tls_port, self.verifying_port = free_port(), free_port()
        text = "user root\n" + _CONFIG.format(port=self.port, options="\n".join(options))
        if certificate is not None:
            names = {"ca": ca, "cert": certificate.cert, "key": certificate.key}
            text += _TLS.format(port=self.tls_port, **names)
            text += _TLS.format(port=self.verifying_port, **names) + "require_certificate true\n"
        text += self._dynamic() if dynamic else self._files()
        (folder / "mosquitto.conf").write_text(text)

    def _files(self) -> str:
        (self.folder / "acl").write_text(_ACL)
        passwords = self.folder / "passwords"
        logins = ((USER, PASSWORD), HEARER, SPEAKER)
        passwords.write_text("".join(f"{user}:{password}\n" for user, password in logins))
        subprocess.run([binary("mosquitto_passwd", "mosquitto"), "-U", str(passwords)], check=True)
        for file in (passwords, self.folder / "acl"):
            file.chmod(0o600)
        return f"password_file {passwords}\nacl_file {self.folder}/acl\n"

    def _dynamic(self) -> str:
        """Let everybody who logs in publish, and nobody subscribe."""
        salt, rounds = b"salt-of-12-b", 101
        hashed = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, rounds)
        login = {
            "username": USER,
            "password": base64.b64encode(hashed).decode(),
            "salt": base64.b64encode(salt).decode(),
            "iterations": rounds,
        }
        allowed = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False}
        document = {"defaultACLAccess": allowed, "clients": [login], "groups": [], "roles": []}
        (self.folder / "dynamic.json").write_text(json.dumps(document))
        return f"plugin {DYNAMIC}\nplugin_opt_config_file {self.folder}/dynamic.json\n"

    def command(self) -> list[str]:
        return [binary("mosquitto", "mosquitto"), "-c", str(self.folder / "mosquitto.conf")]

    def ready(self) -> bool:
        with self.client():
            return True

    @contextmanager
    def client(self, name: str = "ready") -> Iterator[socket.socket]:
        """Hold a connection that is logged in."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            fields = b"".join(
                struct.pack(">H", len(w)) + w for w in (name.encode(), USER.encode(), PASSWORD.encode())
            )
            body = b"\0\4MQTT\4\xc2\0\x3c" + fields
            sock.sendall(bytes([0x10, len(body)]) + body)
            assert sock.recv(4) == b"\x20\2\0\0"
            yield sock

    def url(self, user: str = USER, password: str | None = PASSWORD, *, port: int | None = None) -> str:
        """Return an address of this server; without a password no login is given. Other ports speak TLS."""
        login = "" if password is None else f"{user}:{password}@"
        secure = port is not None and port != self.port
        return f"mqtts://{login}localhost:{port}" if secure else f"mqtt://{login}127.0.0.1:{self.port}"

    def sessions(self) -> int:
        """Return how many clients are connected. By the kernel's books: its own are ten seconds old."""
        sockets = psutil.Process(self.pid).net_connections("tcp")
        return len([s for s in sockets if s.laddr.port == self.port and s.status == psutil.CONN_ESTABLISHED])


StartMosquitto: TypeAlias = Callable[..., AbstractContextManager[Mosquitto]]
"""`with start_mosquitto("max_connections 1") as server:`"""


@pytest.fixture(scope="session")
def start_mosquitto(certificates: Certificates) -> StartMosquitto:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(
        *options: str, certificate: Certificate | None = None, dynamic: bool = False
    ) -> Iterator[Mosquitto]:
        with (
            private_folder() as folder,
            Mosquitto(
                folder, *options, certificate=certificate, ca=certificates.ca, dynamic=dynamic
            ) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def mosquitto(start_mosquitto: StartMosquitto, certificates: Certificates) -> Iterator[Mosquitto]:
    """One server for the session; only ask it."""
    with start_mosquitto(certificate=certificates.good) as server:
        yield server
