"""The page of the commands, read from the command line's own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from docs.generator.schema import table
from mooring.cli.main import COMMANDS, VARIABLES, parser

INTRODUCTION = """
# Commands

`mooring COMMAND --help` prints the same.

Exit status: 0 where all targets are up or degraded, 1 where at least one is down or unknown, 2 for wrong
usage or configuration (nothing was tested).
"""


def commands() -> str:
    """Return the page of all commands."""
    rows = [[f"[{each.prog}](#{each.prog.replace(' ', '-')})", each.description or ""] for each in walk()]
    overview = table(("command", "what it does"), rows)
    taken = table(("variable", "meaning"), [[f"`{name}`", words] for name, words in VARIABLES.items()])
    environment = f"## Environment\n\nBeside the [settings](configuration.md#environment):\n\n{taken}"
    return "\n\n".join([INTRODUCTION.strip(), overview, *map(_command, walk()), environment])


def walk() -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of every command that can be run; its `prog` is the whole name."""
    top = parser(*COMMANDS)
    yield from _leaves(top)


def options(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return a command's options but for --help."""
    return [
        a for a in command._actions if a.option_strings and a.help != argparse.SUPPRESS and a.dest != "help"
    ]


def arguments(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what a command takes beside its options."""
    return [a for a in command._actions if not a.option_strings and a.help != argparse.SUPPRESS]


def _leaves(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    groups = [a for a in command._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield command
    for group in groups:
        for each in group.choices.values():
            yield from _leaves(each)


def _command(command: argparse.ArgumentParser) -> str:
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    parts = [f"## {command.prog}", command.description or "", f"```text\n{usage}\n```"]
    if found := arguments(command):
        parts.append(table(("argument", "meaning"), [[f"`{_value(a)}`", _help(a)] for a in found]))
    if found := options(command):
        parts.append(table(("option", "default", "meaning"), map(_option, found)))
    if command.epilog:
        parts.append(command.epilog.strip())
    return "\n\n".join(part for part in parts if part)


def _option(action: argparse.Action) -> list[str]:
    value = "" if action.nargs == 0 else f" {_value(action)}"
    names = ", ".join(f"`{name}{value}`" for name in action.option_strings)
    plain = isinstance(action.default, (str, int, float)) and not isinstance(action.default, bool)
    return [names, f"`{action.default}`" if plain and action.default != "" else "", _help(action)]


def _value(action: argparse.Action) -> str:
    if action.metavar:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    if action.choices:
        return "|".join(map(str, action.choices))
    return action.dest.upper()


def _help(action: argparse.Action) -> str:
    values = {**vars(action), "prog": "mooring"}
    return " ".join((action.help or "").split()) % values if action.help else ""
