"""The targets that a command line names: addresses, names of the configuration, `-`, environments."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from mooring.core.failure import InputError, Problem
from mooring.core.redact import MASK, masked
from mooring.core.target import Target
from mooring.net.egress import EgressPolicy
from mooring.probes._registry import Kinds
from mooring.targets import TargetReader

DEFAULT_FILE = "mooring.toml"
LARGEST_TEXT = 10 * 1024 * 1024


@dataclass(slots=True)
class Given:
    """What is to be tested. `notes` tell of addresses that were found and cannot be tested."""

    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    egress: EgressPolicy = field(default_factory=EgressPolicy)


def config_path(args: argparse.Namespace) -> Path | None:
    """Return the configuration to read: as said, else MOORING_CONFIG, else mooring.toml if it is there."""
    said = args.config or os.environ.get("MOORING_CONFIG")
    if said:
        return Path(said)
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None


def given(args: argparse.Namespace) -> Given:
    """Return what the command line names. Raises InputError that holds every mistake."""
    return _Reading(args).result()


class _Reading:
    """Collects targets and mistakes from all sources."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._kinds = Kinds()
        self._found = Given()
        self._problems: list[Problem] = []
        self._reader = TargetReader(self._kinds)
        self._configured: dict[str, Target] | None = None

    def result(self) -> Given:
        args = self._args
        sources = [args.targets, getattr(args, "env_file", None), getattr(args, "from_env", False)]
        if args.config or not any(sources):
            self._read_config()
        if not any(sources):
            self._take_all()
        for text in _words(args.targets):
            self._take(text)
        if getattr(args, "env_file", None):
            self._discover(args.env_file, _text(Path(args.env_file)))
        if getattr(args, "from_env", False):
            self._discover("the environment", None)
        self._leave_out_passive()
        if not self._found.targets and not self._problems:
            words = "; ".join(self._found.notes) or "give an address such as redis://localhost"
            self._problems.append(Problem("", f"nothing to test: {words}"))
        if self._problems:
            raise InputError(self._problems)
        return self._with_timeout()

    def _leave_out_passive(self) -> None:
        asked = [target for target in self._found.targets if not target.probe.passive]
        for target in self._found.targets:
            if target.probe.passive:
                self._found.notes.append(f"{target.name}: waits to be reported to a server; not tested")
        self._found.targets = asked

    def _with_timeout(self) -> Given:
        seconds = getattr(self._args, "check_timeout", None)
        if seconds is not None:
            self._found.targets = [
                replace(target, schedule=replace(target.schedule, timeout=seconds))
                for target in self._found.targets
            ]
        return self._found

    def _read_config(self) -> dict[str, Target]:
        if self._configured is None:
            from mooring.config import load

            settings = load(config_path(self._args), os.environ, kinds=self._kinds)
            self._reader = TargetReader(self._kinds, settings.defaults)
            self._found.egress = settings.egress
            self._configured = {target.name: target for target in settings.targets}
        return self._configured

    def _take_all(self) -> None:
        self._found.targets += [target for target in self._read_config().values() if target.enabled]

    def _take(self, text: str) -> None:
        name, separator, url = text.partition("=")
        named = separator and "://" in url and "://" not in name
        address = url.strip() if named else text
        try:
            if "://" in address:
                target = self._reader.from_url(address, name.strip() if named else None)
            else:
                target = self._named(text)
        except InputError as error:
            shown = masked(address) if "://" in address else text if "@" not in text else MASK
            self._problems += [Problem(p.field, p.message, shown[:200]) for p in error.problems]
        else:
            self._found.targets.append(target)

    def _named(self, name: str) -> Target:
        target = self._read_config().get(name)
        if target is None:
            where = config_path(self._args)
            place = (
                f"{where} has no target of that name"
                if where
                else "there is no mooring.toml that could name it"
            )
            raise InputError(
                [Problem("", f"is no address ({place}); an address begins with its kind: tcp://host:22")]
            )
        return target

    def _discover(self, source: str, text: str | None) -> None:
        from mooring.discover import discover, from_environ

        found = from_environ(os.environ) if text is None else discover(text)
        if not found:
            self._problems.append(Problem("", f"no address found{_without_yaml(text)}", source))
        for each in found:
            if each.note is not None or each.missing:
                lacks = f"{', '.join(each.missing)} missing" if each.missing else each.note
                self._found.notes.append(
                    f"{each.name} ({masked(each.url.get_secret_value())}): {lacks}; not tested"
                )
                continue
            try:
                self._found.targets.append(self._reader.from_url(each.url.get_secret_value(), each.name))
            except InputError as error:
                self._problems += [Problem(p.field, p.message, each.source) for p in error.problems]


def _without_yaml(text: str | None) -> str:
    if text is None or find_spec("yaml") is not None:
        return ""
    return "; a Compose file can only be read with PyYAML: pip install 'mooring[server]'"


def _words(words: Iterable[str]) -> Iterator[str]:
    """Yield the targets; `-` stands for the lines of standard input."""
    for word in words:
        if word != "-":
            yield word
            continue
        for line in _decoded(sys.stdin.buffer.read(LARGEST_TEXT), "standard input").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _decoded(file.read(LARGEST_TEXT), str(path))
    except OSError as error:
        raise InputError([Problem("", f"cannot be read: {error.strerror}", str(path))]) from None


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([Problem("", "is not UTF-8 text", where)]) from None
