"""What the words of an address make of TLS, in the spelling of any driver."""

from __future__ import annotations

import pytest

from mooring.net.tls import TLSSettings
from mooring.probes._encryption import Encryption, encryption

UNVERIFIED = TLSSettings(verify=False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Encryption(UNVERIFIED, required=False, unverified=True)),
        ({"sslmode": "disable"}, Encryption(None, required=False)),
        ({"ssl": "false"}, Encryption(None, required=False)),
        ({"ssl-mode": "DISABLED"}, Encryption(None, required=False)),
        ({"sslmode": "allow"}, Encryption(UNVERIFIED, required=False, unverified=True)),
        ({"sslmode": "prefer"}, Encryption(UNVERIFIED, required=False, unverified=True)),
        ({"sslmode": "require"}, Encryption(UNVERIFIED, required=True, unverified=True)),
        ({"ssl": "true"}, Encryption(UNVERIFIED, required=True, unverified=True)),
        ({"sslmode": "verify-ca"}, Encryption(TLSSettings(verify="ca"), required=True)),
        ({"sslmode": "verify-full"}, Encryption(TLSSettings(), required=True)),
        ({"ssl_mode": "VERIFY_IDENTITY"}, Encryption(TLSSettings(), required=True)),
        (
            {"sslmode": "require", "sslrootcert": "/ca"},
            Encryption(TLSSettings(verify="ca", ca="/ca"), required=True),
        ),
        (
            {"sslmode": "verify-full", "sslrootcert": "system"},
            Encryption(TLSSettings(), required=True),
        ),
        ({"ssl_ca": "/ca"}, Encryption(TLSSettings(ca="/ca"), required=True)),
        (
            {"ssl_ca": "/ca", "ssl_check_hostname": "false"},
            Encryption(TLSSettings(verify="ca", ca="/ca"), required=True),
        ),
        (
            {"sslmode": "verify-full", "sslcert": "/cert", "sslkey": "/key"},
            Encryption(TLSSettings(cert="/cert", key="/key"), required=True),
        ),
    ],
    ids=str,
)
def test_words_of_an_address(query: dict[str, str], expected: Encryption) -> None:
    """Each word means what its own driver means by it."""
    assert encryption(query, None) == expected


def test_settings_come_before_the_address() -> None:
    """`tls` settings decide; the address only adds files that they do not name."""
    found = encryption({"sslmode": "prefer", "sslrootcert": "/theirs"}, TLSSettings(ca="/ours"))
    assert found == Encryption(TLSSettings(ca="/ours"), required=True)
    assert encryption({"sslrootcert": "/theirs"}, TLSSettings()).tls == TLSSettings(ca="/theirs")


def test_settings_that_contradict_the_address() -> None:
    """TLS settings and an address that switches TLS off do not go together."""
    with pytest.raises(ValueError, match=r"^tls: contradicts the address, which switches TLS off$"):
        encryption({"sslmode": "disable"}, TLSSettings())


def test_word_that_means_nothing() -> None:
    """An unknown mode is refused with those that are known."""
    with pytest.raises(ValueError, match=r"^url: sslmode=maybe is not one of disable, prefer, require"):
        encryption({"sslmode": "maybe"}, None)
