"""`mooring db`: bring the store up to date, look at it, back it up, restore it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mooring.cli.given import config_path
from mooring.cli.logs import log_to_stderr
from mooring.config import load
from mooring.core.redact import masked

ACTIONS: Mapping[str, str] = {
    "upgrade": "Bring the database up to date: PostgreSQL asks for it, SQLite does it by itself on serve.",
    "check": "Say whether the database is sound and up to date.",
    "backup": "Write a backup to a new file, also while a server runs.",
    "restore": "Make the database what a backup says; stop the server before.",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, headline in ACTIONS.items():
        action = actions.add_parser(name, help=headline, description=headline)
        if name in ("backup", "restore"):
            action.add_argument("file", metavar="FILE", help="the backup")
        if name == "restore":
            action.add_argument("--force", action="store_true", help="replace the targets that are there")
        action.add_argument(
            "-c", "--config", metavar="FILE", help="the configuration that names the database"
        )
        action.add_argument(
            "--database", metavar="URL", help="the database: sqlite:///FILE or postgresql://..."
        )


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    log_to_stderr()
    settings = load(config_path(args), os.environ, database=args.database)
    return _DO[args.action](settings.store.url.get_secret_value(), args)


def _upgrade(url: str, _: argparse.Namespace) -> int:
    from mooring.store.engines import create_file, file_of, store_url
    from mooring.store.upgrade import State, upgrade

    parsed = store_url(url)
    path = file_of(parsed)
    if path is not None:
        create_file(path)
    before = upgrade(parsed)
    print(f"{masked(url)} {'was' if before is State.CURRENT else 'is now'} up to date")
    return 0


def _check(url: str, _: argparse.Namespace) -> int:
    from sqlalchemy import text

    from mooring.store.engines import file_of, opened, store_url
    from mooring.store.errors import explained
    from mooring.store.upgrade import State, state

    parsed = store_url(url)
    path = file_of(parsed)
    if path is not None and not path.exists():
        print(f"{masked(url)} is not there yet; `mooring serve` makes it")
        return 1
    with explained(parsed), opened(parsed) as engine, engine.connect() as conn:
        found = state(conn)
        sound = conn.execute(text("PRAGMA integrity_check")).scalar_one() if path is not None else "ok"
    print(f"{masked(url)} {found.advice if sound == 'ok' else f'is damaged: {sound}; restore a backup'}")
    return 0 if found is State.CURRENT and sound == "ok" else 1


def _backup(url: str, args: argparse.Namespace) -> int:
    from mooring.store.backup import backup

    backup(url, Path(args.file))
    print(f"wrote {args.file}; its secrets are sealed: keep the key file too")
    return 0


def _restore(url: str, args: argparse.Namespace) -> int:
    from mooring.store.backup import restore

    restore(url, Path(args.file), force=args.force)
    print(f"{masked(url)} is now what {args.file} says")
    return 0


_DO: Mapping[str, Callable[[str, argparse.Namespace], int]] = {
    "upgrade": _upgrade,
    "check": _check,
    "backup": _backup,
    "restore": _restore,
}
