"""Which kinds there are. Asking for one imports that one alone."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules

from mooring import probes
from mooring.core.failure import InputError, Problem
from mooring.core.spelling import LONGEST_SHOWN, did_you_mean
from mooring.probes._base import Probe
from mooring.probes._url import Url

GROUP = "mooring.probes"
ENCRYPTING = ("ssl", "tls")
"""What stands behind a `+` where TLS is asked for, and is no driver's name."""

log = logging.getLogger(__name__)


class Kinds:
    """The kinds of the folder, of installed packages, and those registered by hand."""

    def __init__(self) -> None:
        self._known: dict[str, type[Probe]] = {}

    @cached_property
    def _folder(self) -> frozenset[str]:
        return frozenset(m.name for m in iter_modules(probes.__path__) if not m.name.startswith("_"))

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=GROUP)}

    def names(self) -> list[str]:
        """Return the names of all kinds, sorted."""
        return sorted(self._folder | self._installed.keys() | self._known.keys())

    def add(self, probe: type[Probe]) -> None:
        """Register a kind by hand, for programs that embed Mooring and for tests."""
        self._known[probe.kind_name()] = probe

    def get(self, name: str) -> type[Probe]:
        """Return a kind. Raises InputError: where there is none it names the nearest ones, else says why."""
        if name not in self._known:
            if name in self._folder:
                self._known[name] = _probe_in(import_module(f"{probes.__name__}.{name}"), name)
            elif name in self._installed:
                self._known[name] = _loaded(self._installed[name])
            else:
                raise InputError([Problem("kind", self._unknown("there is no kind", name))])
        return self._known[name]

    def with_address(self, name: str, url: object) -> type[Probe]:
        """Return a kind whose address this is. Raises InputError, also where it is another kind's."""
        kind = self.get(name)
        if isinstance(url, str) and kind.schemes:
            try:
                scheme = Url.parse(url).scheme
            except ValueError:
                return kind  # which says what is wrong with it
            if not _takes(kind, scheme):
                raise InputError([Problem("url", f"a {name} address begins with {_own(kind)}")])
        return kind

    def all(self) -> Iterator[type[Probe]]:
        """Yield every kind, importing all of them; an installed one that cannot be is logged and left out."""
        for name in self.names():
            try:
                yield self.get(name)
            except Exception:
                if name in self._folder:
                    raise
                log.exception("the installed kind %s cannot be loaded", name)

    def of_scheme(self, scheme: str) -> type[Probe]:
        """Return the kind that a URL scheme means. Raises InputError where none does.

        A kind named like its scheme is found without importing the others.
        """
        name = _family(scheme)
        if name in self._folder and _takes(self.get(name), scheme):
            return self.get(name)
        for kind in self.all():
            if _takes(kind, scheme):
                return kind
        raise InputError([Problem("url", self._no_kind_of(scheme))])

    def _no_kind_of(self, scheme: str) -> str:
        family, _, word = scheme.partition("+")
        for kind in self.all():
            if family == kind.kind_name() or family in kind.schemes:
                said = f"an address of {kind.kind_name()} begins with {_own(kind)}"
                secure = {f"{each}s" for each in kind.schemes} & set(kind.schemes)
                by_setting = word in ENCRYPTING and not secure and "tls" in kind.model_fields
                return f"{said}; `tls` asks for encryption" if by_setting else said
        known = [each for kind in self.all() for each in kind.schemes]
        return self._unknown("no kind of address", f"{scheme}://", known)

    def _unknown(self, what: str, given: str, schemes: Iterable[str] = ()) -> str:
        plain = given.removesuffix("://")
        guess = did_you_mean(plain, self.names()) or did_you_mean(plain, schemes)
        return f"{what} {given[:LONGEST_SHOWN]!r}; {guess}`mooring kinds` lists {', '.join(self.names())}"


def _own(kind: type[Probe]) -> str:
    return " or ".join(f"{each}://" for each in kind.schemes)


def _family(scheme: str) -> str:
    return scheme.partition("+")[0]


def _takes(kind: type[Probe], scheme: str) -> bool:
    """Whether a scheme means a kind. What stands behind a `+` may ask for TLS: it is seldom passed over."""
    whole = scheme in kind.schemes or scheme.startswith(_families(kind))
    family, _, driver = scheme.partition("+")
    return whole or (kind.drivers and family in kind.schemes and driver not in ENCRYPTING)


def _families(kind: type[Probe]) -> tuple[str, ...]:
    """Return the beginnings of the schemes that a kind takes with anything behind, such as `sqlalchemy+`."""
    return tuple(scheme[:-1] for scheme in kind.schemes if scheme.endswith("+*"))


def _loaded(point: EntryPoint) -> type[Probe]:
    """Return an installed kind. Raises InputError: others' code may fail in any way as it is imported."""
    try:
        found = _imported(point)
    except Exception as error:
        why = f"{point.name} cannot be loaded: {type(error).__name__}: {error}"
        raise InputError([Problem("kind", why)]) from error
    return found


def _imported(point: EntryPoint) -> type[Probe]:
    try:
        found = point.load()
    except SystemExit as error:  # a program that runs as it is imported: it must not end ours
        raise ImportError(f"{point.value} ends the program as it is imported") from error
    if not (inspect.isclass(found) and issubclass(found, Probe)):
        raise TypeError(f"{point.value} is no Probe")
    return found


def _probe_in(module: object, name: str) -> type[Probe]:
    for _, member in inspect.getmembers(module, inspect.isclass):
        if issubclass(member, Probe) and member.model_fields["kind"].default == name:
            return member
    raise LookupError(f"probes/{name}.py has no Probe whose kind is {name!r}")
