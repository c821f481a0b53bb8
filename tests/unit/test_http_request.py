"""What is asked over HTTP, and what a redirect may carry away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.net.http_request import MOST_CHARACTERS, Place, Request, demand_headers
from mooring.net.tls import TLSSettings

TLS = TLSSettings(ca="/ca.pem", cert="/me.pem", key="/me.key", server_name="shop", pin="ab" * 32)


def request(url: str, method: str = "GET", body: bytes | None = None) -> Request:
    """Return a request that holds every kind of secret."""
    return Request(
        Place.parse(url),
        method,
        (("Accept", "text/html"), ("Host", "shop.example")),
        (("Authorization", "Bearer geheim"), ("X-Api-Key", "geheim")),
        body,
        TLS,
    )


@pytest.mark.parametrize(
    ("url", "place", "authority"),
    [
        ("http://shop.example", ("http", "shop.example", 80, "/"), "shop.example"),
        ("HTTPS://Shop.Example:443/a?b=c", ("https", "shop.example", 443, "/a?b=c"), "shop.example"),
        ("http://shop.example:8080/", ("http", "shop.example", 8080, "/"), "shop.example:8080"),
        ("http://[::1]:81/x", ("http", "::1", 81, "/x"), "[::1]:81"),
        ("http://[fe80::1%25eth0]/", ("http", "fe80::1%eth0", 80, "/"), "[fe80::1]"),
        ("http://u:p%40w@h/", ("http", "h", 80, "/"), "h"),
        ("http://h/ä b?c=ü#part", ("http", "h", 80, "/%C3%A4%20b?c=%C3%BC"), "h"),
        ("http://h/a%2Fb%20c", ("http", "h", 80, "/a%2Fb%20c"), "h"),
        ("http://bücher.example/", ("http", "bücher.example", 80, "/"), "xn--bcher-kva.example"),
    ],
)
def test_address_is_taken_apart(url: str, place: tuple[str, str, int, str], authority: str) -> None:
    """An address gives scheme, host, port and request target; the fragment and the login are not sent."""
    found = Place.parse(url)
    assert (found.scheme, found.host, found.port, found.target) == place
    assert found.authority == authority


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("ftp://h/", "the address has to begin with http:// or https://"),
        ("h/path", "the address has to begin with http:// or https://"),
        ("http://", "the address names no host: http://host/path"),
        ("http://:80/", "the address names no host: http://host/path"),
        ("http://h:0/", "the port has to be a number from 1 to 65535"),
        ("http://h:99999/", "the port has to be a number from 1 to 65535"),
        ("http://h:x/", "the port has to be a number from 1 to 65535"),
        ("http://a%2Fb/", "the address names no host: http://host/path"),
        ("http://a%0d%0ab/", "the address names no host: http://host/path"),
    ],
)
def test_bad_address_is_refused(url: str, mistake: str) -> None:
    """An address that cannot be asked says what would be right."""
    with pytest.raises(ValueError, match=r"^the ") as caught:
        Place.parse(url)
    assert str(caught.value) == mistake


def test_endless_address_is_refused() -> None:
    """An address of more than 8192 characters is refused, so that no redirect can make us ask for it."""
    with pytest.raises(ValueError, match="at most 8192 are allowed"):
        Place.parse("http://h/" + "a" * MOST_CHARACTERS)


@given(st.text(max_size=200))
def test_any_location_is_followed_or_refused(location: str) -> None:
    """Whatever a Location header holds, it is an address without line breaks or a ValueError."""
    try:
        place = Place.parse("http://h/a/b?c").join(location)
    except ValueError:
        return
    data = Request(place).data
    assert data.count(b"\r\n") == len(data.split(b"\r\n")) - 1
    assert data.split(b"\r\n")[0].count(b" ") == 2


def test_request_is_serialized() -> None:
    """Request line, our headers unless others are given, theirs, the body's length, the body."""
    lines = request("http://127.0.0.1:81/a?b", "POST", "ä".encode()).data.split(b"\r\n")
    assert lines[0] == b"POST /a?b HTTP/1.1"
    assert lines[1].startswith(b"User-Agent: Mooring/")
    assert lines[2:] == [
        b"Accept-Encoding: identity",
        b"Accept: text/html",
        b"Host: shop.example",
        b"Authorization: Bearer geheim",
        b"X-Api-Key: geheim",
        b"Content-Length: 2",
        b"Connection: close",
        b"",
        b"\xc3\xa4",
    ]


def test_request_shows_no_secret() -> None:
    """The repr of a request holds neither secret headers nor its body nor its query."""
    shown = repr(request("http://h/a?key=geheim", "POST", b"geheim"))
    assert "geheim" not in shown


@pytest.mark.parametrize(
    ("location", "trusted"),
    [
        ("/other", True),
        ("http://a.example/x", True),
        ("http://a.example:80/x", True),
        ("https://a.example/x", True),
        ("https://a.example:8443/x", False),
        ("http://a.example:81/x", False),
        ("http://b.example/x", False),
        ("//b.example/x", False),
        ("http://a.example.b.example/x", False),
        ("http://a.example@b.example/x", False),
    ],
)
def test_secrets_stay_with_their_host(location: str, trusted: bool) -> None:
    """A redirect carries logins on within one origin and its move to https, and nowhere else."""
    moved = request("http://a.example/").redirected(302, location)
    assert bool(moved.secrets) is trusted
    assert (b"geheim" in moved.data) is trusted
    assert moved.tls == (TLS if trusted else TLSSettings(ca="/ca.pem"))
    assert (b"Host: shop.example" in moved.data) is trusted


def test_secrets_are_not_sent_in_plain_text_after_tls() -> None:
    """A redirect from https to http of the same host loses the login."""
    assert request("https://a.example/").redirected(302, "http://a.example/").secrets == ()


@pytest.mark.parametrize(
    ("status", "method", "after", "body"),
    [
        (301, "POST", "GET", None),
        (302, "POST", "GET", None),
        (303, "PUT", "GET", None),
        (307, "POST", "POST", b"x"),
        (308, "PUT", "PUT", b"x"),
        (302, "HEAD", "HEAD", None),
        (302, "GET", "GET", None),
    ],
)
def test_redirect_changes_the_method(status: int, method: str, after: str, body: bytes | None) -> None:
    """307 and 308 repeat the request; the others ask with GET, or HEAD where that was asked."""
    first = request("http://h/", method, b"x" if method in ("POST", "PUT") else None)
    moved = first.redirected(status, "/there")
    assert (moved.method, moved.body, moved.place.target) == (after, body, "/there")


def test_body_is_not_carried_to_another_host() -> None:
    """A 307 to another host is refused where the request has a body: it may hold a login."""
    with pytest.raises(ValueError, match="the body would have to be sent to another host"):
        request("http://h/", "POST", b"x").redirected(307, "http://elsewhere/")


@pytest.mark.parametrize(
    ("name", "value", "mistake"),
    [
        ("a b", "x", "'a b' is no header name: letters, digits and - only"),
        ("", "x", "'' is no header name: letters, digits and - only"),
        ("a\r\nb", "x", "'a\\r\\nb' is no header name: letters, digits and - only"),
        ("Connection", "x", "Connection is set by Mooring itself"),
        ("content-length", "1", "content-length is set by Mooring itself"),
    ],
)
def test_bad_header_is_refused(name: str, value: str, mistake: str) -> None:
    """A header that would break the request is refused by name."""
    with pytest.raises(ValueError, match=r"header name|set by") as caught:
        demand_headers([(name, value)])
    assert str(caught.value) == mistake


@pytest.mark.parametrize("value", ["geheim\r\nX: y", "geheim\n", "geheim\x00", "geheim €"])
def test_bad_header_value_is_refused_unseen(value: str) -> None:
    """A value with a line break, or that latin-1 cannot hold, is refused without being shown."""
    with pytest.raises(ValueError, match="the value of X-A holds") as caught:
        demand_headers([("X-A", value)])
    assert "geheim" not in str(caught.value)


def test_address_without_query_is_shown() -> None:
    """What is shown of an address has neither login nor query: both may be secret."""
    assert Place.parse("https://u:geheim@h:8443/a?key=geheim").shown == "https://h:8443/a"
    assert replace(request("http://h/a?b=geheim")).shown == "http://h/a"
