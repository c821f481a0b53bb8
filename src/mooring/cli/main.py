"""The program `mooring`: finds the command, runs it, and turns what goes wrong into an exit status.

A command is a module with `arguments(parser)` and `run(args) -> int`. Only the one that was asked for
is imported: `mooring check` answers before a framework for options would be loaded
(docs/decisions/0010-command-line.md).
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from mooring.core.failure import InputError, MooringError
from mooring.core.redact import Redactor

COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": (
        "mooring.cli.check",
        "Test connections once and say at which stage they fail, why, and what to do.",
    ),
    "wait": ("mooring.cli.wait", "Wait until connections work."),
    "serve": ("mooring.cli.serve", "Keep testing, remember, and tell by HTTP."),
    "targets": ("mooring.cli.targets", "List and change what is watched, on a server or in its database."),
    "kinds": ("mooring.cli.kinds", "List the kinds, or one kind's settings and what its stages prove."),
    "db": ("mooring.cli.db", "Upgrade, check, back up and restore the database."),
    "token": ("mooring.cli.token", "Make tokens for the API."),
    "config": ("mooring.cli.config", "Look at the configuration."),
}
VARIABLES: Mapping[str, str] = {
    "MOORING_CONFIG": "the configuration where -c does not name it; else mooring.toml where it is",
    "MOORING_LOG": "what is logged to standard error: debug, info, warning or error",
    "MOORING_SERVER": "the server that `mooring targets` speaks to",
    "MOORING_TOKEN": "the token for it; on the server's machine the first start's token file does as well",
    "NO_COLOR": "anything: no colours on a terminal",
}
"""What the commands take from the environment, beside the settings of `config.ENVIRONMENT`."""
USAGE, INTERRUPTED, FAILED = 2, 130, 1


class Parser(argparse.ArgumentParser):
    """argparse without guessing at shortened options, and without repeating passwords in its errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str) -> NoReturn:
        super().error(Redactor()(message))


def parser(*commands: str) -> Parser:
    """Return the parser. Only these commands get their options; the others are just listed."""
    from mooring import __version__

    top = Parser(
        prog="mooring",
        description="Tells whether every connection you depend on really works.",
        epilog="\n".join(["environment:", *(f"  {name:15} {words}" for name, words in VARIABLES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mooring {__version__}")
    listed = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, (module, headline) in COMMANDS.items():
        command = listed.add_parser(name, help=headline, description=headline)
        if name in commands:
            import_module(module).arguments(command)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0 all well, 1 not, 2 wrong usage or configuration."""
    argv = sys.argv[1:] if argv is None else argv
    _open_closed_streams()
    # Threads of grpcio else write into our log, each in its own way. A check never changes this by itself.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # always a TextIOWrapper here
    try:
        args, module = _imported(argv)
        status = module.run(args)
        sys.stdout.flush()
    except InputError as error:
        for problem in error.problems:
            print(f"mooring: {problem}", file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "mooring":
            raise
        extra = "store-postgresql" if error.name.startswith("psycopg") else "server"
        print(f"mooring: {error.name} is not installed; pip install 'mooring[{extra}]'", file=sys.stderr)
        return USAGE
    except MooringError as error:
        print(f"mooring: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("mooring: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail too
        if not isinstance(error, BrokenPipeError):  # who read our output has had enough
            print(f"mooring: {error.strerror or error}", file=sys.stderr)
        return FAILED
    return int(status)


def _open_closed_streams() -> None:
    """Open what we were started without: Python has None in its place, and a socket could get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as we run


def _imported(argv: Sequence[str]) -> tuple[argparse.Namespace, ModuleType]:
    """Return the options and the command's module.

    Imports make much and drop little: collecting garbage meanwhile is a tenth of a cold start.
    """
    gc.disable()
    try:
        command = argv[0] if argv else ""
        return parser(command).parse_args(argv), import_module(COMMANDS[command][0])
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
