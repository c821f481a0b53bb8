"""`mooring config check`: the effective settings with secrets hidden, or every mistake at once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from mooring.cli.given import config_path
from mooring.cli.toml import written
from mooring.config import load
from mooring.core.redact import masked
from mooring.settings import Settings
from mooring.targets import keys_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    headline = "Print the effective settings, secrets hidden, or every mistake."
    check = actions.add_parser("check", help=headline, description=headline)
    check.add_argument("-c", "--config", metavar="FILE", help="the configuration, a file or a folder of them")
    check.add_argument(
        "--database", metavar="URL", help="the store's address, instead of the configuration's"
    )


def run(args: argparse.Namespace) -> int:
    """Print the settings as TOML. Raises InputError that holds every mistake."""
    settings = load(config_path(args), os.environ, database=args.database)
    print(f"# {settings.path or 'no file: defaults and environment'}")
    print("\n".join(_toml(settings)))
    return 0


def _toml(settings: Settings) -> Iterator[str]:
    server = settings.server.model_dump(mode="json") | {"secret_key_file": str(settings.secret_key_file)}
    store = settings.store.model_dump() | {"url": masked(settings.store.url.get_secret_value())}
    egress = {"allow": list(settings.egress.allow), "deny": list(settings.egress.deny)}
    defaults = {
        name: getattr(settings.defaults, name) for name in settings.defaults.__slots__ if name != "quorum"
    }
    sections = {
        "server": server,
        "store": store,
        "egress": egress,
        "defaults": defaults,
        "pools": settings.pools.model_dump(),
    }
    for name, section in sections.items():
        yield f"[{name}]"
        yield from written(section)
        yield ""
    for target in settings.targets:
        yield "[[targets]]"
        yield from written(keys_of(target))
        yield ""
    yield f"# {len(settings.targets)} targets; nothing is wrong"
