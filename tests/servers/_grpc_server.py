"""The process of tests/servers/grpc_server.py: `_grpc_server.py PORT HEALTH [CERT KEY [CLIENT_CA]]`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

TOKEN = "Bearer s3cret-of-grpc"
LIMITED = "Bearer s3cret-of-limited"
STATUS = health_pb2.HealthCheckResponse
FAILING = {
    "shop.Full": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "shop.Away": grpc.StatusCode.UNAVAILABLE,
    "shop.Broken": grpc.StatusCode.INTERNAL,
    "shop.Slow": grpc.StatusCode.DEADLINE_EXCEEDED,
}
SAYING = {
    "shop.Proxied": (
        grpc.StatusCode.UNAVAILABLE,
        "upstream connect error or disconnect/reset before headers. reset reason: connection refused",
    ),
    "shop.Rejecting": (grpc.StatusCode.UNKNOWN, "invalid token for endpoint /grpc.health.v1.Health/Check"),
}
"""What Envoy, and a service that fails at a login, say: words of lost connections in a whole answer."""


class Health(health.HealthServicer):
    """The real health service, behind a login."""

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - gRPC names it so
        """Answer for a service, or fail as its name says."""
        login = dict(context.invocation_metadata()).get("authorization")
        if request.service.startswith("private.") and login not in (TOKEN, LIMITED):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "a token is needed")
        if request.service == "private.Payments" and login == LIMITED:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not for you")
        if request.service in FAILING:
            context.abort(FAILING[request.service], "as its name says")
        if request.service in SAYING:
            context.abort(*SAYING[request.service])
        return super().Check(request, context)


def main(port: str, with_health: str, *files: str) -> None:
    """Serve until killed."""
    server = grpc.server(ThreadPoolExecutor(8))
    if with_health == "health":
        servicer = Health()
        for name in ("", "shop.Orders", "private.Orders", "private.Payments"):
            servicer.set(name, STATUS.SERVING)
        servicer.set("shop.Stopping", STATUS.NOT_SERVING)
        servicer.set("shop.Starting", STATUS.UNKNOWN)
        servicer.set("shop.Odd", STATUS.SERVICE_UNKNOWN)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    read = [Path(file).read_bytes() for file in files]
    if read:
        ca = read[2] if len(files) > len(("cert", "key")) else None
        pair = [(read[1], read[0])]
        credentials = grpc.ssl_server_credentials(pair, ca, require_client_auth=ca is not None)
        server.add_secure_port(f"127.0.0.1:{port}", credentials)
    else:
        server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
