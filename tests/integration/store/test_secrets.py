"""Nothing secret stands in the database in the clear."""

from __future__ import annotations

import base64
from pathlib import Path

from mooring.core.clock import SystemClock
from mooring.store import backup, targets, tokens
from mooring.store.seal import Seal
from mooring.store.store import Store
from tests.stored import BEGAN, after, stored

SECRET = "c0rrect-horse-battery-staple"


async def test_no_file_holds_a_secret(sqlite_store_url: str, tmp_path: Path) -> None:
    """Neither the database, its log nor a backup holds a password or an API secret, in any spelling."""
    seal = Seal.from_file(tmp_path / "key")
    store = await Store.open(sqlite_store_url, clock=SystemClock(), migrate=False)
    settings = seal.seal(f'{{"url": "postgresql://u:{SECRET}@h/d"}}')
    made = await store.write(lambda conn: targets.insert(conn, stored(settings=settings)))
    token, secret = await store.write(lambda conn: tokens.create(conn, "ci", "admin", BEGAN))
    session = await store.write(lambda conn: tokens.open_session(conn, token.id, BEGAN, after(days=1)))
    code = await store.write(lambda conn: tokens.make_code(conn, token.id, after(days=1)))
    backup.backup(sqlite_store_url, tmp_path / "backup.db")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name != "key")
    names = {path.name for path in tmp_path.iterdir()}
    await store.close()
    assert {"mooring.db", "mooring.db-wal", "backup.db"} <= names
    assert settings.encode() in content
    assert seal.unseal(made.settings).count(SECRET) == 1
    for each in (SECRET, secret, secret.removeprefix("mrg_"), session.secret, code):
        assert each.encode() not in content
        assert base64.b64encode(each.encode()) not in content
