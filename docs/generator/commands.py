"""The page of the commands, read from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from mooring.cli.main import app
from typer.main import get_command

from docs.generator.schema import table

INTRODUCTION = """
# Commands

`mooring COMMAND --help` prints the same.

Exit status: 0 where all targets are up or degraded, 1 where at least one is down or unknown, 2 for wrong
usage or configuration (nothing was tested).
"""


def commands() -> str:
    """Return the page of all commands."""
    return "\n\n".join([INTRODUCTION.strip(), *(_command(path, each) for path, each in walk())])


def walk() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be run, with its whole name: `targets add`."""
    yield from _below("", get_command(app))


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            if not each.hidden:
                yield from _below(f"{path} {name}".strip(), each)


def _command(path: str, command: click.Command) -> str:
    help_text = inspect.cleandoc(command.help or "").replace("\b\n", "").replace("\f", "")
    parts = [f"## mooring {path}".strip(), f"`{usage(path, command)}`", help_text]
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    described = [[f"`{_metavar(a)}`", getattr(a, "help", None) or ""] for a in arguments]
    if any(text for _, text in described):
        parts.append(table(("argument", "meaning"), described))
    if options:
        parts.append(table(("option", "default", "meaning"), map(_option, options)))
    return "\n\n".join(part for part in parts if part)


def usage(path: str, command: click.Command) -> str:
    """Return how a command is called."""
    arguments = [_metavar(p) for p in command.params if isinstance(p, click.Argument)]
    return " ".join(word for word in ("mooring", path, "[OPTIONS]", *arguments) if word)


def _metavar(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    name = f"{name.strip('[]').removesuffix('...')}{'...' if argument.nargs == -1 else ''}"
    return name if argument.required else f"[{name}]"


def _option(option: click.Option) -> list[str]:
    names = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag else f" {option.metavar or (option.name or '').upper()}"
    shown = option.default if isinstance(option.default, (str, int, float)) else None
    default = "" if shown in (None, False, True) else f"`{shown}`"
    return [", ".join(f"`{name}{value}`" for name in names), default, " ".join((option.help or "").split())]
