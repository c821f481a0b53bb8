"""A real RabbitMQ, in the clear and over TLS.

It takes seconds to start: `rabbitmq` is one server for the whole session. Only ask it, and clear the
alarm that you raise.

    mon      PASSWORD, everything in / and in the virtual host `shop`
    reader   READER, may enter `shop` and do nothing there       lonely   LONELY, may enter no virtual host
    full     FULL, has no room for one connection                `crowded` is a virtual host without room

`shop` holds the queue `orders` and the exchange `events`. In ODD_VHOST are ODD_QUEUE and ODD_EXCHANGE.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import psutil
import pytest
from pamqp import base as frames
from pamqp import commands, frame, header

from tests.servers.process import ServerProcess, binary, dying_with_us, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

USER, PASSWORD = "mon", "s3cret-of-rabbit"
READER = ("reader", "s3cret-of-reader")
LONELY = ("lonely", "s3cret-of-lonely")
FULL = ("full", "s3cret-of-full")
QUEUE, EXCHANGE = "orders", "events"
ODD_VHOST, ODD_QUEUE, ODD_EXCHANGE = "é" * 127, "für $|(é)" + "ü" * 120, "störung|(neu)"

_LIBRARY = "/usr/lib/rabbitmq/bin"  # what is on the PATH changes to the user rabbitmq
_CONFIG = """
listeners.tcp.1 = 127.0.0.1:{port}
listeners.ssl.1 = 127.0.0.1:{tls_port}
ssl_options.cacertfile = {ca}
ssl_options.certfile = {cert}
ssl_options.keyfile = {key}
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
load_definitions = {folder}/definitions.json
log.console = true
log.console.level = warning
log.file = false
"""


class RabbitMQ(ServerProcess):
    """One server with a port mapper of its own, which would otherwise outlive it."""

    def __init__(self, folder: Path, certificate: Certificate, ca: str) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        self._dist_port, self._mapper_port = free_port(), free_port()
        self._mapper: subprocess.Popen[bytes] | None = None
        (folder / "home").mkdir()
        (folder / "enabled_plugins").write_text("[].")
        (folder / "definitions.json").write_text(json.dumps(_definitions()))
        (folder / "rabbitmq.conf").write_text(
            _CONFIG.format(
                port=self.port,
                tls_port=self.tls_port,
                ca=ca,
                cert=certificate.cert,
                key=certificate.key,
                folder=folder,
            )
        )

    @property
    def _environment(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder / "home"),
            "RABBITMQ_NODENAME": f"rabbit{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RUNNING_UNDER_SYSTEMD": "true",  # the start script becomes the server: one process to kill
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def command(self) -> list[str]:
        words = [f"{name}={value}" for name, value in self._environment.items()]
        return ["env", *words, binary(f"{_LIBRARY}/rabbitmq-server", "rabbitmq-server")]

    def spawn(self) -> None:
        # A port mapper that is there already is not started: that one would outlive us.
        command = dying_with_us([binary("epmd", "erlang-base"), "-address", "127.0.0.1"])
        self._mapper = subprocess.Popen([*command, "-port", str(self._mapper_port)], stdin=subprocess.DEVNULL)
        super().spawn()

    def kill(self) -> None:
        super().kill()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
            self._mapper = None

    def ready(self) -> bool:
        with self.client():
            return True

    @contextmanager
    def client(self, vhost: str = "shop") -> Iterator[Client]:
        """Hold a connection of the administrator with one channel."""
        place = ("127.0.0.1", self.port)
        with socket.create_connection(place, timeout=5) as sock, sock.makefile("rb") as file:
            client = Client(sock, file)
            client.log_in(vhost)
            yield client

    def url(
        self,
        user: str = USER,
        password: str | None = PASSWORD,
        *,
        vhost: str = "shop",
        scheme: str = "amqp",
    ) -> str:
        """Return an address of this server; without a password no login is given."""
        login = "" if password is None else f"{user}:{password}@"
        host, port = ("localhost", self.tls_port) if scheme == "amqps" else ("127.0.0.1", self.port)
        return f"{scheme}://{login}{host}:{port}/{quote(vhost, safe='')}"

    def sessions(self) -> int:
        """Return how many clients are connected. By the kernel's books: to ask the server takes a second."""
        sockets = psutil.Process(self.pid).net_connections("tcp")
        return len([s for s in sockets if s.laddr.port == self.port and s.status == psutil.CONN_ESTABLISHED])

    @contextmanager
    def alarm(self) -> Iterator[None]:
        """Have the server run out of memory, as it sees it."""
        self._evaluate("rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).")
        try:
            yield
        finally:
            self._evaluate("rabbit_alarm:clear_alarm({resource_limit, memory, node()}).")

    def _evaluate(self, expression: str) -> None:
        words = [f"{name}={value}" for name, value in self._environment.items()]
        program = binary(f"{_LIBRARY}/rabbitmqctl", "rabbitmq-server")
        subprocess.run(["env", *words, program, "-q", "eval", expression], check=True, capture_output=True)


class Client:
    """One connection that waits for each answer."""

    def __init__(self, sock: socket.socket, file: BinaryIO) -> None:
        self._sock = sock
        self._file = file

    def log_in(self, vhost: str) -> None:
        """Log in and open channel 1."""
        self._sock.sendall(header.ProtocolHeader().marshal())
        self.expect(commands.Connection.Start)
        login = commands.Connection.StartOk({}, "PLAIN", f"\0{USER}\0{PASSWORD}")
        self.ask(login, commands.Connection.Tune, channel=0)
        self._send(commands.Connection.TuneOk(8, 131072, 0), 0)
        self.ask(commands.Connection.Open(vhost), commands.Connection.OpenOk, channel=0)
        self.ask(commands.Channel.Open(), commands.Channel.OpenOk)

    def ask(self, request: frames.Frame, answer: type[frames.Frame], channel: int = 1) -> None:
        """Send a request and wait for its answer."""
        self._send(request, channel)
        self.expect(answer)

    def publish(self, exchange: str, routing_key: str) -> None:
        """Send an empty message, and wait until the server has it."""
        self._send(commands.Basic.Publish(exchange=exchange, routing_key=routing_key), 1)
        self._send(header.ContentHeader(body_size=0, properties=commands.Basic.Properties()), 1)
        self.ask(commands.Basic.Qos(prefetch_count=1), commands.Basic.QosOk)

    def take(self, queue: str) -> tuple[bool | None, int | None]:
        """Take a message; return whether it was taken before, and how many are left."""
        self._send(commands.Basic.Get(queue=queue, no_ack=True), 1)
        found = self._read()
        assert isinstance(found, commands.Basic.GetOk), found
        self.expect(header.ContentHeader)
        return found.redelivered, found.message_count

    def expect(self, answer: type[object]) -> None:
        """Read a frame, which has to be this one."""
        found = self._read()
        assert isinstance(found, answer), found

    def _read(self) -> object:
        start = self._file.read(7)
        _, _, size = frame.frame_parts(start)
        assert size is not None
        return frame.unmarshal(start + self._file.read(size + 1))[2]

    def _send(self, request: frames.Frame | header.ContentHeader, channel: int) -> None:
        self._sock.sendall(frame.marshal(request, channel))


def _definitions() -> Mapping[str, Any]:
    """Return what the server holds from the start."""
    logins = ((USER, PASSWORD), READER, LONELY, FULL)
    allowed = [(USER, "/", ".*"), (USER, "shop", ".*"), (USER, "crowded", ".*"), (USER, ODD_VHOST, ".*")]
    allowed += [(READER[0], "shop", "^$"), (FULL[0], "shop", ".*")]
    return {
        "users": [
            {
                "name": name,
                "password_hash": _hashed(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
                "limits": {"max-connections": 0} if name == FULL[0] else {},
            }
            for name, password in logins
        ],
        "vhosts": [{"name": name} for name in ("/", "shop", "crowded", ODD_VHOST)],
        "permissions": [
            {"user": user, "vhost": vhost, "configure": what, "write": what, "read": what}
            for user, vhost, what in allowed
        ],
        "parameters": [
            {
                "component": "vhost-limits",
                "vhost": "crowded",
                "name": "limits",
                "value": {"max-connections": 0},
            }
        ],
        "queues": [
            {"name": name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": {}}
            for vhost, name in (("shop", QUEUE), (ODD_VHOST, ODD_QUEUE))
        ],
        "exchanges": [
            {
                "name": name,
                "vhost": vhost,
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
            for vhost, name in (("shop", EXCHANGE), (ODD_VHOST, ODD_EXCHANGE))
        ],
    }


def _hashed(password: str) -> str:
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


@pytest.fixture(scope="session")
def rabbitmq(certificates: Certificates) -> Iterator[RabbitMQ]:
    """One server for the session; only ask it."""
    with private_folder() as folder, RabbitMQ(folder, certificates.good, certificates.ca) as server:
        yield server
