"""What `mooring` and its packages promise by `__all__` is really there, and nothing hides beside it."""

from __future__ import annotations

import ast
from importlib import import_module

import pytest

import mooring
from tests.sources import ROOT


def test_mooring_exports_what_the_interface_names() -> None:
    """The public names are the App, check, instrument and the version, and each can be had."""
    assert sorted(mooring.__all__) == ["App", "__version__", "check", "instrument"]
    for name in mooring.__all__:
        assert getattr(mooring, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading does not hide a misspelt name."""
    with pytest.raises(AttributeError, match="module 'mooring' has no attribute 'chekc'"):
        mooring.chekc  # noqa: B018  the access is what is tested


@pytest.mark.parametrize("package", ["mooring.pools", "mooring.probes", "mooring.testing"])
def test_packages_for_other_people_export_what_exists(package: str) -> None:
    """Each name in `__all__` of a package that others import from is there, once, in order."""
    module = import_module(package)
    assert list(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_version_is_written_once() -> None:
    """The distribution's version is that of the package; pyproject.toml holds none of its own."""
    from importlib.metadata import version

    assert version("mooring") == mooring.__version__
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


def test_the_typing_file_covers_every_public_name() -> None:
    """Each public name is used in the file that only mypy reads."""
    tree = ast.parse((ROOT / "tests" / "typing" / "api.py").read_text())
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert set(mooring.__all__) - {"__version__"} <= used
