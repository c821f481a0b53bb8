"""`mooring serve`: keep testing, remember, and tell by HTTP."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shlex
from functools import partial
from typing import TYPE_CHECKING

from mooring.cli.given import config_path
from mooring.cli.logs import log_to_stderr
from mooring.cli.terminal import safe
from mooring.config import load
from mooring.core.redact import masked
from mooring.core.status import Status
from mooring.core.target import Origin, Target

if TYPE_CHECKING:  # the server is an extra
    from mooring.app import App

DEMO = "demo"

log = logging.getLogger("mooring.health")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--host", metavar="HOST", help="address to listen on (127.0.0.1)")
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="port to listen on (8321); 0 takes any that is free"
    )
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="the configuration, a file or a folder of them"
    )
    parser.add_argument(
        "--database", metavar="URL", help="where to keep results: sqlite:///FILE or postgresql://..."
    )
    parser.add_argument("--base-path", metavar="PATH", help="where a proxy in front has put Mooring (/)")
    parser.add_argument("--demo", action="store_true", help="watch the server's own port too, as an example")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    log_to_stderr(chatty="mooring.health")
    from mooring.api.serve import serve
    from mooring.app import App

    path = config_path(args)
    settings = load(
        path, os.environ, host=args.host, port=args.port, base_path=args.base_path, database=args.database
    )

    async def serving() -> None:
        app = App(settings)
        app.on("transition", partial(tell, app))
        async with app:
            await serve(
                app,
                announce=partial(print, flush=True),
                ready=partial(begin, app, demo=args.demo),
                given=_same_database(args),
            )

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serving())
    return 0


def _same_database(args: argparse.Namespace) -> str:
    """Return the options with which another command finds the same database, a password masked."""
    given = (("-c", args.config), ("--database", args.database and masked(args.database)))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in given if value)


def tell(app: App, target: Target, old: Status, new: Status) -> None:
    """Log a change of health, with its cause."""
    last = app.catalogue.health[target.id or 0].last
    failure = last.failure if last is not None and not new.works else None
    cause = f": {failure.stage or failure.reason}: {failure.message}" if failure is not None else ""
    log.info("%s is %s, was %s%s", safe(target.name), new, old, safe(cause))


async def begin(app: App, url: str, *, demo: bool) -> None:
    """Watch Mooring's own parts, so that the first screen is never empty, and the examples where wanted."""
    from mooring.engine.collector import settle_down

    await app.add_own_parts(url)
    if demo:
        await _show(app, url)
    settle_down()


async def _show(app: App, url: str) -> None:
    """Watch the server's own port, labelled as an example."""
    address = url.partition("://")[2].partition("/")[0]
    example = app.reader.read(
        {"name": "Example: a port", "url": f"tcp://{address}", "labels": {"mooring": DEMO}},
        origin=Origin.FILE,
    )
    taken = any(t.name == example.name and not _is_example(t) for t in app.catalogue.targets.values())
    await app.catalogue.apply([] if taken else [example], among=_is_example)


def _is_example(target: Target) -> bool:
    return target.origin is Origin.FILE and target.labels.get("mooring") == DEMO


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:  # Windows
        return None
    return uvloop.Loop
