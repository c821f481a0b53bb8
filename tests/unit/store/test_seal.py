"""Secrets at rest."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import InputError
from mooring.store.seal import Seal

KEY = b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER = b"OTk5OTk5OTk5OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@given(st.text(st.characters(codec=None), max_size=200))
def test_seal_of_any_text(text: str) -> None:
    """What was sealed comes back."""
    assert Seal(KEY).unseal(Seal(KEY).seal(text)) == text


def test_seal_of_the_same_text_twice() -> None:
    """Equal secrets cannot be told by their sealed form."""
    assert Seal(KEY).seal("pw") != Seal(KEY).seal("pw")


def test_unseal_with_another_key() -> None:
    """The wrong key is refused, naming what to put back."""
    with pytest.raises(InputError) as caught:
        Seal(OTHER).unseal(Seal(KEY).seal("pw"))
    assert str(caught.value) == (
        "server.secret_key_file: is not the key that sealed this database's secrets; "
        "put the right key file back"
    )


def test_unseal_of_something_tampered_with() -> None:
    """A sealed text that was changed is refused."""
    with pytest.raises(InputError):
        Seal(KEY).unseal(Seal(KEY).seal("pw")[:-4] + "AAAA")


def test_from_file_where_there_is_none(tmp_path: Path) -> None:
    """A key file is made that only its owner can read, and used from then on."""
    path = tmp_path / "state" / "key"
    sealed = Seal.from_file(path).seal("pw")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Seal.from_file(path).unseal(sealed) == "pw"
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_from_file_by_many_at_once(tmp_path: Path) -> None:
    """Who starts at the same time gets the same key."""
    with ThreadPoolExecutor(8) as threads:
        seals = list(threads.map(lambda _: Seal.from_file(tmp_path / "key"), range(16)))
    assert {seal.unseal(seals[0].seal("pw")) for seal in seals} == {"pw"}


def test_from_file_that_holds_no_key(tmp_path: Path) -> None:
    """A file that holds something else is refused and left alone."""
    path = tmp_path / "key"
    path.write_text("no key")
    with pytest.raises(InputError) as caught:
        Seal.from_file(path)
    assert str(caught.value) == (
        "server.secret_key_file: is no key of Mooring's; it has to be the file that sealed this database"
    )
    assert path.read_text() == "no key"


def test_from_file_in_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """A place that cannot be used is named."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        Seal.from_file(tmp_path / "file" / "key")
    assert str(tmp_path / "file" / "key") in str(caught.value)


def test_repr_shows_no_key() -> None:
    """A seal never shows its key."""
    assert repr(Seal(KEY)) == "Seal(***)"
