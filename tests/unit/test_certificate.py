"""Reading certificates, compared with what `cryptography` reads."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.net.certificate import MOST_NAMES, read

KEY = ec.generate_private_key(ec.SECP256R1())
names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=16)
dns_names = st.from_regex(r"[a-z]{1,20}(\.[a-z]{2,5}){1,3}", fullmatch=True)
# To 2049 certificates carry a UTCTime, from 2050 on a GeneralizedTime (RFC 5280).
times = st.datetimes(datetime(1951, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - asked for
    lambda at: at.replace(microsecond=0)
)


def make(
    subject: x509.Name,
    issuer: x509.Name,
    *,
    begins: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    ends: datetime = datetime(2030, 1, 1, tzinfo=UTC),
    alternatives: list[x509.GeneralName] | None = None,
) -> bytes:
    """Return a DER certificate."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .serial_number(x509.random_serial_number())
        .public_key(KEY.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def common_name(text: str) -> x509.Name:
    """Return a distinguished name that is only a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@given(names, names, st.lists(times, min_size=2, max_size=2).map(sorted))
def test_names_and_times_are_read(subject: str, issuer: str, span: list[datetime]) -> None:
    """Subject, issuer and both times are what was put in, whatever their encoding."""
    begins, ends = span
    seen = read(make(common_name(subject), common_name(issuer), begins=begins, ends=ends))
    assert seen is not None
    assert seen.not_before == begins
    assert seen.not_after == ends
    assert (len(seen.subject), len(seen.issuer)) == (len(subject), len(issuer))
    assert all(a == b or not b.isprintable() for a, b in zip(seen.subject, subject, strict=True))
    assert seen.subject.isprintable()


@given(st.lists(dns_names, max_size=5), st.lists(st.ip_addresses(), max_size=3))
def test_alternative_names_are_read(hosts: list[str], addresses: list[str]) -> None:
    """Host names and addresses are read in their order; other kinds of names are passed over."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    alternatives += [x509.IPAddress(ip_address(str(address))) for address in addresses]
    alternatives += [x509.RFC822Name("ops@example.com"), x509.UniformResourceIdentifier("spiffe://a/b")]
    seen = read(make(common_name("x"), common_name("y"), alternatives=alternatives))
    assert seen is not None
    assert seen.names == (*hosts, *map(str, addresses))


@pytest.mark.parametrize("year", [1999, 2049, 2050, 2999])
def test_year_is_read_from_both_forms_of_time(year: int) -> None:
    """The two-digit years of UTCTime end in 2049; later ones stand as GeneralizedTime."""
    ends = datetime(year, 6, 1, tzinfo=UTC)
    begins = datetime(1970, 1, 1, tzinfo=UTC)
    seen = read(make(common_name("x"), common_name("y"), begins=begins, ends=ends))
    assert seen is not None
    assert seen.not_after == ends


def test_dates_inside_a_name_are_not_taken_for_the_validity() -> None:
    """An issuer whose name looks like two times does not fool the reader."""
    fake = "\x17\r400101000000Z\x17\r490101000000Z"
    seen = read(make(common_name("x"), common_name(fake)))
    assert seen is not None
    assert seen.not_after == datetime(2030, 1, 1, tzinfo=UTC)


def test_organization_stands_in_for_a_missing_common_name() -> None:
    """An issuer without a common name is called by its organization."""
    organization = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust")])
    seen = read(make(common_name("x"), organization))
    assert seen is not None
    assert seen.issuer == "Example Trust"


def test_many_names_are_cut() -> None:
    """A certificate with a thousand names does not fill the results."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(f"h{number}.example") for number in range(1000)]
    seen = read(make(common_name("x"), common_name("y"), alternatives=alternatives))
    assert seen is not None
    assert len(seen.names) == MOST_NAMES


@given(st.binary(max_size=300))
def test_noise_is_no_certificate(noise: bytes) -> None:
    """Bytes that are no certificate are none, and make nothing fail."""
    assert read(noise) is None


WHOLE = make(common_name("x"), common_name("y"), alternatives=[x509.DNSName("a.example")])


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_damaged_certificate_makes_nothing_fail(at: int, byte: int) -> None:
    """A certificate that was cut or changed anywhere is read, or is none."""
    assert read(WHOLE[:at]) is None
    read(WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :])
