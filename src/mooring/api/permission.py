"""What may be said of a target over HTTP: masked secrets, references to this machine, local kinds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from mooring.api.errors import Refused
from mooring.api.guard import Caller, Role
from mooring.core.failure import InputError, Problem
from mooring.core.redact import MASK
from mooring.core.target import Target
from mooring.probes import Probe
from mooring.references import FILE, References
from mooring.targets import TargetKeys, settings_of

_REFERENCE = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
_FILES = frozenset({"ca", "cert", "key"})
_OWN = frozenset(TargetKeys.model_fields)
_HIDDEN = (
    f"holds {MASK}, which stands for a hidden secret: "
    "send the value exactly as it came to keep it, or the whole new one"
)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What an admin may name of this machine: `env:NAME`, `file:/path`, `kind:NAME`, each with `*`.

    Operators may name nothing of it: whoever may test an address of their own could read every
    variable and file there.
    """

    allow: tuple[str, ...]
    environ: Mapping[str, str]

    def resolved(self, keys: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Return the keys with their references resolved. Raises InputError naming each that is refused."""
        problems = [
            Problem(field, self._words(what, caller))
            for field, what in _mentions(keys, "")
            if not self._allows(what, caller)
        ]
        if problems:
            raise InputError(problems)
        references = References(self.environ)
        made = {key: references.resolve(value, key) for key, value in keys.items()}
        if references.problems:
            raise InputError(references.problems)
        return made

    def demand_kind(self, probe: Probe, caller: Caller) -> None:
        """Refuse a kind that reads this machine, unless an admin names it and the configuration allows it."""
        what = f"kind:{probe.kind}"
        if probe.reads_machine and not self._allows(what, caller):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"The kind {probe.kind} reads the server's own machine.",
                errors=[Problem("kind", self._words(what, caller))],
            )

    def _allows(self, what: str, caller: Caller) -> bool:
        return caller.role is Role.ADMIN and any(fnmatchcase(what, entry) for entry in self.allow)

    @staticmethod
    def _words(what: str, caller: Caller) -> str:
        if caller.role is not Role.ADMIN:
            return f"names {what} of the server's machine, which only the configuration file or an admin may"
        return (
            f"needs {what} of the server's machine, which its configuration does not allow yet: add it to "
            "reference_allow under [server] in mooring.toml, or put this target there"
        )


def _mentions(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """Yield each variable and file that a value names, with the field where it stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{field}.{key}" if field else str(key)
            names_file = (field == "tls" and key in _FILES) or (not field and str(key).endswith("_file"))
            if names_file and isinstance(item, str) and item:
                yield inner, f"file:{os.path.realpath(item.removeprefix('file://'))}"
            else:
                yield from _mentions(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mentions(item, f"{field}.{index}")
    elif isinstance(value, str):
        if value.startswith(FILE):
            yield field, f"file:{os.path.realpath(value.removeprefix('file://'))}"
        else:
            yield from ((field, f"env:{name[:100]}") for name in _REFERENCE.findall(value))


def refuse_masks(probe_type: type[Probe], keys: Mapping[str, Any]) -> None:
    """Raise InputError where a secret of a new target is a mask: nothing stands behind it."""
    _restored(keys, {}, {}, _secret_fields(probe_type))


def with_secrets(target: Target, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes with the stored secret where its mask came back. Raises InputError for others."""
    probe: Probe = target.probe
    if changes.get("kind", probe.kind) != probe.kind:
        return _restored(changes, {}, {}, None)
    shown, real = settings_of(probe), settings_of(probe, reveal=True)
    return _restored(changes, shown, real, _secret_fields(type(probe)))


def refuse_rerouting(old: Target, new: Target, changes: Mapping[str, Any]) -> None:
    """Raise InputError where a stored secret would be sent to another host than the one it was given for.

    Else whoever may edit a target could read its password, by pointing it at a server of their own.
    """
    known = set(map(_authority, old.probe.destinations))
    elsewhere = [each for each in new.probe.destinations if _authority(each) not in known]
    if _authority(old.probe.address) != _authority(new.probe.address):
        elsewhere.insert(0, new.probe.address)
    if not elsewhere:
        return
    shown, real = settings_of(old.probe), settings_of(old.probe, reveal=True)
    hidden = [key for key in real if shown.get(key) != real[key]]
    if any(key not in changes or any(MASK in text for text in _texts(changes[key])) for key in hidden):
        words = f"leads to another host, {elsewhere[0]}; give the secret again with it"
        raise InputError([Problem("url", words)])


def _restored(
    keys: Mapping[str, Any], shown: Mapping[str, Any], real: Mapping[str, Any], secret: frozenset[str] | None
) -> dict[str, Any]:
    problems: list[Problem] = []
    made = {}
    for key, value in keys.items():
        guarded = key not in _OWN and (secret is None or key in secret)
        made[key] = _unmask(value, shown.get(key), real.get(key), key, problems) if guarded else value
    if problems:
        raise InputError(problems)
    return made


def _unmask(value: Any, shown: Any, real: Any, field: str, problems: list[Problem]) -> Any:
    if value == shown and shown is not None:
        return real
    if isinstance(value, Mapping):
        shown, real = (each if isinstance(each, Mapping) else {} for each in (shown, real))
        return {
            key: _unmask(item, shown.get(key), real.get(key), f"{field}.{key}", problems)
            for key, item in value.items()
        }
    if isinstance(value, list):
        pairs = [_same(item, index, shown, real) for index, item in enumerate(value)]
        return [
            _unmask(item, *pairs[index], f"{field}.{index}", problems) for index, item in enumerate(value)
        ]
    if isinstance(value, str) and MASK in value:
        problems.append(Problem(field, _HIDDEN))
    return value


def _same(item: Any, index: int, shown: Any, real: Any) -> tuple[Any, Any]:
    """Return what stood in a list and leads where this one does, best at its place: else nothing."""
    if not isinstance(item, Mapping) or not isinstance(shown, list) or not isinstance(real, list):
        return None, None
    pairs = list(zip(shown, real, strict=False))
    for there in (*pairs[index : index + 1], *pairs):
        if isinstance(there[0], Mapping) and there[0].get("url") == item.get("url"):
            return there
    return None, None


def _secret_fields(probe_type: type[Probe]) -> frozenset[str]:
    fields = probe_type.model_fields
    return frozenset(name for name in fields if _mentions_secret(fields[name].annotation))


def _mentions_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_mentions_secret(field.annotation) for field in annotation.model_fields.values())
    return annotation is SecretStr or any(map(_mentions_secret, get_args(annotation)))


def _authority(address: str) -> tuple[str, str]:
    """Return scheme and host: http:// is another port than https://, and everybody on the way reads it."""
    scheme, _, rest = address.rpartition("://")
    return scheme, rest.partition("/")[0].lower()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
