"""`mooring token`: who may use the API."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from mooring.cli.given import config_path
from mooring.cli.logs import log_to_stderr
from mooring.config import Settings, load
from mooring.core.clock import SystemClock
from mooring.core.failure import InputError, Problem
from mooring.targets import printable

if TYPE_CHECKING:  # the store is an extra
    from sqlalchemy import Connection

T = TypeVar("T")
ROLES = ("reporter", "viewer", "operator", "admin")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    headline = "Make a token and print it, once, alone on the last line."
    create = actions.add_parser("create", help=headline, description=headline)
    create.add_argument(
        "--role",
        choices=ROLES,
        required=True,
        help="reporter sends pools' reports and reads nothing; viewer reads; operator tests and edits; "
        "admin does everything",
    )
    create.add_argument("--name", required=True, metavar="N", help="whom or what it is for")
    create.add_argument("-c", "--config", metavar="FILE", help="the configuration that names the database")
    create.add_argument(
        "--database", metavar="URL", help="the database itself: sqlite:///FILE or postgresql://..."
    )


def run(args: argparse.Namespace) -> int:
    """Make a token."""
    log_to_stderr()
    try:
        name = printable(args.name)
    except ValueError as error:
        raise InputError([Problem("--name", str(error))]) from None
    from mooring.store import tokens

    settings = load(config_path(args), os.environ, database=args.database)
    made, secret = asyncio.run(
        _write(settings, lambda conn: tokens.create(conn, name, args.role, datetime.now(UTC)))
    )
    print(f"token {made.id} for {name}, role {made.role}; it is shown only now:", file=sys.stderr)
    print(secret)
    return 0


async def _write(settings: Settings, work: Callable[[Connection], T]) -> T:
    from mooring.store.store import Store

    url = settings.store.url.get_secret_value()
    store = await Store.open(url, clock=SystemClock(), migrate=url.startswith("sqlite"))
    try:
        return await store.write(work)
    finally:
        await store.close()
