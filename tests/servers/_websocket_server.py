"""The process of tests/servers/websocket.py: `python _websocket_server.py PORT [CERT KEY]`."""

from __future__ import annotations

import asyncio
import http
import logging
import ssl
import sys

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TOKEN = "Bearer s3cret-of-websocket"


def answer(connection: ServerConnection, request: Request) -> Response | None:
    """Answer in plain HTTP where a path asks for that; else None, and the upgrade goes on."""
    what, _, number = request.path.strip("/").partition("/")
    if what == "books":
        return connection.respond(http.HTTPStatus.OK, f"{len(connection.server.connections)}\n")
    if what == "private" and request.headers.get("Authorization") != TOKEN:
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
    if what == "status":
        return connection.respond(http.HTTPStatus(int(number)), "no\n")
    if what == "header":
        seen = request.headers.get(number, "")
        return None if seen == "seen" else connection.respond(http.HTTPStatus.BAD_REQUEST, seen)
    return None


async def handle(connection: ServerConnection) -> None:
    """Do with an open connection what its path says; `/` greets and echoes."""
    request = connection.request
    assert request is not None
    what, _, number = request.path.strip("/").partition("/")
    if what == "close":
        await connection.close(int(number), "says the path")
    elif what == "late":
        await (await connection.ping())  # answered: the client is surely at work
        await connection.close(int(number), "says the path")
    elif what == "cut":
        connection.transport.abort()
    elif what == "mute":
        connection.transport.pause_reading()
        await asyncio.Event().wait()
    elif what == "garbage":
        connection.transport.write(b"\xff\xff no frame")
        await connection.wait_closed()
    else:
        await _echo(connection)


async def _echo(connection: ServerConnection) -> None:
    await connection.send("hello")
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        logging.getLogger("mooring-test").warning("UNCLEAN: the client left without a close message")


async def main(port: int, *files: str) -> None:
    """Serve until killed."""
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    async with serve(
        handle,
        "127.0.0.1",
        port,
        process_request=answer,
        subprotocols=["chat"],
        select_subprotocol=lambda _, offered: "chat" if "chat" in offered else None,
        ssl=context,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig()
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
