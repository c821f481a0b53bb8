"""mooring.toml, or a folder of them, and the environment: read into Settings, every mistake told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mooring.core.failure import InputError, Problem
from mooring.core.spelling import did_you_mean
from mooring.core.target import Origin, Schedule, Target
from mooring.environment import ENVIRONMENT, given_by
from mooring.mistakes import problems_of
from mooring.net.egress import EgressPolicy
from mooring.probes._registry import Kinds
from mooring.references import References
from mooring.settings import EgressSettings, PoolSettings, ServerSettings, Settings, StoreSettings
from mooring.targets import ScheduleKeys, TargetReader

__all__ = ["DEFAULT_FILE", "ENVIRONMENT", "Settings", "beside", "load"]

DEFAULT_FILE = "mooring.toml"
LARGEST_FILE = 10 * 1024 * 1024
LATER = frozenset({"channels", "alert_rules", "export"})
"""Sections that other versions know. Ignoring them would mean alerts that are never sent."""

OVERRIDES: Mapping[str, str] = {
    "host": "server.host",
    "port": "server.port",
    "base_path": "server.base_path",
    "secret_key_file": "server.secret_key_file",
    "database": "store.url",
}
_SQLITE = "sqlite:///"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Given:
    """One value, where it was written, and under which name."""

    value: Any
    where: str | None
    field: str


@dataclass(slots=True)
class _Draft:
    """What was read so far, and every mistake in it."""

    references: References
    sections: dict[str, dict[str, _Given]] = field(default_factory=lambda: {s: {} for s in Settings.sections})
    targets: list[_Given] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, field: str, message: str, where: str | None = None) -> None:
        self.problems.append(Problem(field, message, where))


def load(
    path: Path | str | None,
    environ: Mapping[str, str],
    *,
    kinds: Kinds | None = None,
    **overrides: Any,
) -> Settings:
    """Return the effective settings: `overrides` above `environ` above the file above the defaults.

    `path` is a file or a folder, of which every *.toml is read in order of name; without one there
    are only environment and defaults. Overrides are host, port, base_path, secret_key_file and
    database; None means not given. Raises InputError that holds every mistake.
    """
    draft = _Draft(References(environ))
    root = None if path is None else Path(path)
    for file in _files(root, draft):
        _read_file(file, draft)
    draft.problems += draft.references.problems
    _read_environment(environ, draft)
    for name, value in overrides.items():
        if value is not None:
            section, _, key = OVERRIDES[name].partition(".")
            draft.sections[section][key] = _Given(value, None, name)
    settings = _settle(draft, root, kinds or Kinds())
    if draft.problems:
        raise InputError(draft.problems)
    return settings


def _files(root: Path | None, draft: _Draft) -> list[Path]:
    if root is None:
        return []
    try:
        if not root.is_dir():
            return [root]
        files = sorted(file for file in root.iterdir() if file.suffix == ".toml")
    except (OSError, ValueError) as error:
        draft.wrong("", f"cannot be read: {getattr(error, 'strerror', None) or error}", str(root))
        return []
    if not files:
        draft.wrong("", "the folder holds no file that ends in .toml", str(root))
    return files


def _read_file(path: Path, draft: _Draft) -> None:
    try:
        document = tomllib.loads(_text(path))
    except OSError as error:
        draft.wrong("", f"cannot be read: {error.strerror or error}", str(path))
    except RecursionError:
        draft.wrong("", "is nested too deeply", str(path))
    except ValueError as error:
        draft.wrong("", str(error), str(path))
    else:
        _take(document, path, draft)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"is larger than {LARGEST_FILE // 1024 // 1024} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"is not UTF-8 text: line {line} holds the byte 0x{content[error.start]:02x}"
        ) from None


def _take(document: Mapping[str, Any], path: Path, draft: _Draft) -> None:
    """Sort a file's sections into the draft."""
    where = str(path)
    for name, content in document.items():
        if name in LATER:
            draft.wrong(name, "is not supported by this version of Mooring; take it out", where)
        elif name == "targets":
            _take_targets(content, path, draft)
        elif name not in draft.sections:
            draft.wrong(name, _unknown(name, [*Settings.sections, "targets"]), where)
        elif not isinstance(content, Mapping):
            draft.wrong(name, f"has to be a table, written [{name}]", where)
        else:
            _take_section(name, content, path, draft)


def _take_section(name: str, content: Mapping[str, Any], path: Path, draft: _Draft) -> None:
    section, where = draft.sections[name], str(path)
    for key, value in content.items():
        if key in section:
            draft.wrong(f"{name}.{key}", f"is already set in {section[key].where}", where)
            continue
        resolved = draft.references.resolve(value, f"{name}.{key}", where)
        section[key] = _Given(beside(path, key, resolved), where, f"{name}.{key}")


def _take_targets(content: Any, path: Path, draft: _Draft) -> None:
    if not isinstance(content, list):
        draft.wrong("targets", "has to be an array of tables, each written [[targets]]", str(path))
        return
    for index, keys in enumerate(content):
        field = f"targets[{index}]"
        if not isinstance(keys, Mapping):
            draft.wrong(field, "has to be a table, written [[targets]]", str(path))
            continue
        resolved = draft.references.resolve(keys, field, str(path))
        here = {key: beside(path, key, value) for key, value in resolved.items()}
        draft.targets.append(_Given(here, str(path), field))


def beside(config: Path, key: str, value: Any) -> Any:
    """Return a key's value, its relative paths taken from the folder in which `config` stands."""
    if key == "tls" and isinstance(value, Mapping):
        return {k: _absolute(config, v) if k in ("ca", "cert", "key") else v for k, v in value.items()}
    if key.endswith("_file"):
        return _absolute(config, value)
    if key == "url" and isinstance(value, str) and value.startswith(_SQLITE):
        path = value.removeprefix(_SQLITE)
        return value if path.startswith(("/", ":", "?")) or not path else _SQLITE + _absolute(config, path)
    return value


def _absolute(config: Path, value: Any) -> Any:
    return str(config.absolute().parent / value) if isinstance(value, str) and value else value


def _read_environment(environ: Mapping[str, str], draft: _Draft) -> None:
    for variable, key, value in given_by(environ):
        section, _, name = key.partition(".")
        draft.sections[section][name] = _Given(value, "environment", variable)


def _settle(draft: _Draft, root: Path | None, kinds: Kinds) -> Settings:
    """Judge everything that was read. What cannot be used is left at its default and told."""
    defaults = _defaults(draft)
    return Settings(
        server=_section("server", ServerSettings, draft) or ServerSettings(),
        store=_section("store", StoreSettings, draft) or StoreSettings(),
        egress=_egress(draft),
        defaults=defaults,
        pools=_section("pools", PoolSettings, draft) or PoolSettings(),
        targets=tuple(_targets(draft, TargetReader(kinds, defaults))),
        path=root,
    )


def _section(name: str, model: type[Model], draft: _Draft) -> Model | None:
    given = draft.sections[name]
    try:
        return model.model_validate({key: each.value for key, each in given.items()})
    except ValidationError as error:
        _tell(name, given, model, problems_of(error), draft)
        return None


def _tell(
    name: str, given: Mapping[str, _Given], model: type[BaseModel], problems: Iterable[Problem], draft: _Draft
) -> None:
    for problem in problems:
        key, dot, rest = problem.field.partition(".")
        written = given.get(key) or _Given(None, None, f"{name}.{key}")
        unknown = key not in model.model_fields
        message = _unknown(key, list(model.model_fields)) if unknown else problem.message
        if (written.where, written.field) not in draft.references.spoiled:
            draft.wrong(written.field + dot + rest, message, written.where)


def _egress(draft: _Draft) -> EgressPolicy:
    section = _section("egress", EgressSettings, draft)
    if section is None:
        return EgressPolicy()
    try:
        return EgressPolicy(section.allow, section.deny)
    except InputError as error:
        problems = [Problem(p.field.removeprefix("egress."), p.message) for p in error.problems]
        _tell("egress", draft.sections["egress"], EgressSettings, problems, draft)
        return EgressPolicy()


def _defaults(draft: _Draft) -> Schedule:
    section = _section("defaults", ScheduleKeys, draft)
    schedule = Schedule(**section.model_dump(exclude_none=True)) if section else Schedule()
    if schedule.timeout <= schedule.interval:
        return schedule
    message = f"is {schedule.timeout:g} s, longer than the interval of {schedule.interval:g} s"
    _tell("defaults", draft.sections["defaults"], ScheduleKeys, [Problem("timeout", message)], draft)
    return Schedule()


def _targets(draft: _Draft, reader: TargetReader) -> Iterator[Target]:
    names: dict[str, _Given] = {}
    for given in draft.targets:
        name = given.value.get("name")
        first = names.setdefault(name, given) if isinstance(name, str) else given
        if first is not given:
            place = first.field if first.where == given.where else f"{first.field} of {first.where}"
            draft.wrong(f"{given.field}.name", f"{name[:80]!r} is already the name of {place}", given.where)
        try:
            yield reader.read(given.value, origin=Origin.FILE)
        except InputError as error:
            _tell_target(given, error.problems, draft)


def _tell_target(given: _Given, problems: Iterable[Problem], draft: _Draft) -> None:
    """Tell a target's mistakes, but for what only follows from a reference that could not be resolved."""
    spoiled = [f for where, f in draft.references.spoiled if where == given.where]
    for problem in problems:
        field = f"{given.field}.{problem.field}" if problem.field else given.field
        follows = any(s == field or s.startswith(f"{field}.") or field.startswith(f"{s}.") for s in spoiled)
        if not follows:
            draft.wrong(field, problem.message, given.where)


def _unknown(key: str, known: list[str]) -> str:
    return f"is not known here; {did_you_mean(key, known)}known are {', '.join(known)}"
