"""`mooring targets`: what is watched and how it stands; add, change and remove it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mooring.cli.listing import listed, shown
from mooring.cli.logs import log_to_stderr
from mooring.cli.stored import ANSWER_ONLY, InDatabase, Targets, find, opened
from mooring.cli.terminal import Palette, safe
from mooring.cli.toml import written
from mooring.config import load
from mooring.core.failure import InputError, Problem

Do = Callable[[argparse.Namespace, Targets], Awaitable[int]]

ACTIONS: Mapping[str, str] = {
    "list": "List the targets and how each stands.",
    "show": "Show all that is known of targets.",
    "add": "Add a target; it is tested at once.",
    "remove": "Remove targets and their history.",
    "pause": "Stop testing targets.",
    "resume": "Test targets again.",
    "export": "Print the targets as a configuration file.",
    "apply": "Make the stored targets those of a configuration file.",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, headline in ACTIONS.items():
        action = actions.add_parser(name, help=headline, description=headline)
        _OPTIONS[name](action)
        _where(action)


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server", metavar="URL", help="a running server; else MOORING_SERVER, else the database"
    )
    parser.add_argument("--token", metavar="TOKEN", help="token for the server; better in MOORING_TOKEN")
    parser.add_argument("-c", "--config", metavar="FILE", help="the configuration that names the database")
    parser.add_argument(
        "--database", metavar="URL", help="the database itself: sqlite:///FILE or postgresql://..."
    )


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="a target's name, or its id")


def _list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, as GET /api/v1/targets answers")


def _show_options(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    _list_options(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what people call it")
    parser.add_argument("url", nargs="?", metavar="URL", help="its address; - reads it from standard input")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the target or a setting of its kind, as in the configuration: --set interval=60 "
        "--set tls.ca=/etc/ca.pem; may be repeated",
    )


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reveal", action="store_true", help="with the secrets; only from the database itself"
    )


def _apply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="a configuration file or folder; only [[targets]] are taken"
    )
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--prune", action="store_true", help="remove targets that the file does not name")


_OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "list": _list_options,
    "show": _show_options,
    "add": _add_options,
    "remove": _names,
    "pause": _names,
    "resume": _names,
    "export": _export_options,
    "apply": _apply_options,
}


def run(args: argparse.Namespace) -> int:
    """Do what was asked for, on a server or on the database."""
    log_to_stderr()
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    keys = _keys(args) if args.action == "add" else {}
    async with opened(args) as targets:
        if args.action == "add":
            return await _add(targets, keys)
        return await _DO[args.action](args, targets)


async def _list(args: argparse.Namespace, targets: Targets) -> int:
    items = await targets.all()
    if args.json:
        print(json.dumps({"items": items, "next": None}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(listed(items, Palette(sys.stdout))))
    return 0


async def _show(args: argparse.Namespace, targets: Targets) -> int:
    for target in await find(targets, args.names):
        print(
            json.dumps(target, indent=2, ensure_ascii=False)
            if args.json
            else "\n".join([*shown(target, Palette(sys.stdout)), ""])
        )
    return 0


async def _add(targets: Targets, keys: Mapping[str, Any]) -> int:
    added = await targets.add(keys)
    print(f"added {safe(added['name'])} ({added['kind']}, {safe(added['address'])}), id {added['id']}")
    return 0


async def _remove(args: argparse.Namespace, targets: Targets) -> int:
    for target in await find(targets, args.names):
        await targets.remove(target["id"])
        print(f"removed {safe(target['name'])}")
    return 0


async def _enable(args: argparse.Namespace, targets: Targets) -> int:
    for target in await find(targets, args.names):
        await targets.edit(target["id"], {"enabled": args.action == "resume"})
        print(f"{args.action}d {safe(target['name'])}")
    return 0


async def _export(args: argparse.Namespace, targets: Targets) -> int:
    if args.reveal and not isinstance(targets, InDatabase):
        raise InputError(
            [Problem("--reveal", "a server never gives secrets away; name its database instead")]
        )
    for target in await targets.all():
        keys = {key: value for key, value in target.items() if key not in ANSWER_ONLY}
        if args.reveal and isinstance(targets, InDatabase):
            keys = dict(targets.revealed(target["id"]))
        print("[[targets]]", *written(keys, escape=args.reveal), "", sep="\n")
    return 0


async def _apply(args: argparse.Namespace, targets: Targets) -> int:
    wanted = load(args.file, os.environ).targets
    planned = await targets.apply(wanted, prune=args.prune, plan=args.plan)
    marks = {"+": planned.add, "~": planned.change, "-": planned.remove, "=": planned.keep}
    for mark, names in marks.items():
        for name in names:
            print(f"{mark} {safe(name)}")
    for name in planned.unsure:
        print(f"~ {safe(name)} (its secrets cannot be compared)")
    if args.plan:
        print("nothing was changed; this is what would be done")
    return 0


_DO: Mapping[str, Do] = {
    "list": _list,
    "show": _show,
    "remove": _remove,
    "pause": _enable,
    "resume": _enable,
    "export": _export,
    "apply": _apply,
}


def _keys(args: argparse.Namespace) -> dict[str, Any]:
    """Return the keys that `targets add` was given. Raises InputError."""
    keys: dict[str, Any] = {"name": args.name}
    if args.url is not None:
        keys["url"] = sys.stdin.readline().strip() if args.url == "-" else args.url
    for text in args.set:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError([Problem("--set", "has to be KEY=VALUE")])
        *path, last = key.strip().split(".")
        place = keys
        for step in path:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise InputError([Problem(f"--set {key}", f"{step} is no table")])
        place[last] = _value(value.strip())
    return keys


def _value(text: str) -> Any:
    """Return a value as TOML reads it; what is no TOML is text, so that quotes are seldom needed."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except ValueError:
        return text
