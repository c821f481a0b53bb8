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
        """Return a kind. Raises InputError naming the nearest ones where there is no such kind."""
        if name not in self._known:
            if name in self._folder:
                self._known[name] = _probe_in(import_module(f"{probes.__name__}.{name}"), name)
            elif name in self._installed:
                self._known[name] = self._installed[name].load()
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
            if not any(_takes(kind, spelling) for spelling in _spellings(scheme)):
                own = " or ".join(f"{each}://" for each in kind.schemes)
                raise InputError([Problem("url", f"a {name} address begins with {own}")])
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

        A kind named like its scheme is found without importing the others. A driver after a `+`, as in
        SQLAlchemy's postgresql+asyncpg, is passed over where the whole scheme means nothing.
        """
        for candidate in _spellings(scheme):
            if candidate in self._folder and candidate in self.get(candidate).schemes:
                return self.get(candidate)
            for kind in self.all():
                if _takes(kind, candidate):
                    return kind
        raise InputError([Problem("url", self._unknown("no kind of address", f"{scheme}://"))])

    def _unknown(self, what: str, given: str) -> str:
        guess = did_you_mean(given.removesuffix("://"), self.names())
        return f"{what} {given[:LONGEST_SHOWN]!r}; {guess}`mooring kinds` lists {', '.join(self.names())}"


def _spellings(scheme: str) -> Iterable[str]:
    """Return a scheme, and what stands before a driver in it."""
    return dict.fromkeys((scheme, scheme.partition("+")[0]))


def _takes(kind: type[Probe], scheme: str) -> bool:
    return scheme in kind.schemes or scheme.startswith(_families(kind))


def _families(kind: type[Probe]) -> tuple[str, ...]:
    """Return the beginnings of the schemes that a kind takes with anything behind, such as `sqlalchemy+`."""
    return tuple(scheme[:-1] for scheme in kind.schemes if scheme.endswith("+*"))


def _probe_in(module: object, name: str) -> type[Probe]:
    for _, member in inspect.getmembers(module, inspect.isclass):
        if issubclass(member, Probe) and member.model_fields["kind"].default == name:
            return member
    raise LookupError(f"probes/{name}.py has no Probe whose kind is {name!r}")
