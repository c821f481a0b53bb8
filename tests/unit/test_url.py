"""Addresses as people write them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.probes._url import HIGHEST_PORT, MOST_CHARACTERS, Url

texts = st.text(max_size=30)
hosts = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5}){0,2}", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"),
)


def mistake_in(text: str) -> str:
    """Return what is wrong with an address, or nothing."""
    try:
        Url.parse(text)
    except ValueError as error:
        return str(error)
    return ""


@given(
    st.sampled_from(["redis", "postgresql+asyncpg", "HTTP"]),
    hosts,
    st.none() | st.integers(1, HIGHEST_PORT),
    st.none() | texts,
    st.none() | texts,
    texts,
    st.dictionaries(texts, texts, max_size=3),
)
def test_parts_that_are_encoded_come_out_again(
    scheme: str,
    host: str,
    port: int | None,
    user: str | None,
    password: str | None,
    path: str,
    query: dict[str, str],
) -> None:
    """Whatever a login, path or query holds, percent-encoded it comes out as it went in."""
    login = "" if user is None else quote(user, safe="")
    login += "" if password is None else f":{quote(password, safe='')}"
    at = "@" if user is not None or password is not None else ""
    asked = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items())
    place = host if port is None else f"{host}:{port}"
    url = Url.parse(f"{scheme}://{login}{at}{place}/{quote(path, safe='')}?{asked}")
    assert (url.scheme, url.host, url.port) == (scheme.lower(), host.strip("[]"), port)
    assert url.password == password
    assert url.user == (user if user is not None else "" if password is not None else None)
    assert (url.path, url.query) == (f"/{path}", query)
    assert url.authority() == place


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_a_clear_mistake(text: str) -> None:
    """No text makes the parser fail otherwise, and what it accepts can be shown."""
    told = mistake_in(text)
    assert told.isprintable()
    if not told:
        url = Url.parse(text)
        assert url.host.isprintable()
        assert url.port is None or 1 <= url.port <= HIGHEST_PORT


@given(st.text(min_size=3, max_size=30), st.sampled_from(["/", "?", "#", "@", ":", "[", " ", "\n"]))
def test_mistake_shows_no_part_of_the_password(secret: str, sign: str) -> None:
    """A password that was not encoded breaks the address; what is said of it never quotes it."""
    marked = f"hunter{secret}{sign}hunter"
    assert "hunter" not in mistake_in(f"redis://user:{marked}@host:1/0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("orders", "an address begins with its kind, for example postgresql://host/database"),
        ("://host", "an address begins with its kind, for example postgresql://host/database"),
        ("9x://host", "an address begins with its kind, for example postgresql://host/database"),
        ("tcp://host:0", "the port has to be a number from 1 to 65535; "),
        ("tcp://host:65536", "the port has to be a number from 1 to 65535; "),
        ("tcp://host:+80", "the port has to be a number from 1 to 65535; "),
        ("tcp://host:\uff18\uff10", "the port has to be a number from 1 to 65535; "),
        ("redis://u:p/w@host", "the port has to be a number from 1 to 65535; "),
        ("tcp://[::1", "the host cannot be read; "),
        ("tcp://[x]:1", "the host cannot be read; "),
        ("tcp://a%0ab:1", "the host cannot be read; "),
        ("tcp://a%2Fb:1", "the host cannot be read; "),
        ("tcp://a%E2%80%AEb:1", "the host cannot be read; "),
        ("tcp://a b:1", "the address holds a space or a control character; "),
        ("tcp://a\tb:1", "the address holds a space or a control character; "),
        ("tcp://" + "a" * MOST_CHARACTERS, "the address has 4102 characters; at most 4096 are allowed"),
    ],
)
def test_mistake_says_what_would_be_right(text: str, message: str) -> None:
    """Each way to write an address wrongly has its own words."""
    with pytest.raises(ValueError) as caught:
        Url.parse(text)
    assert str(caught.value).startswith(message)


def test_trailing_slash_does_not_matter() -> None:
    """The name of a database is the same with and without a slash behind it."""
    assert Url.parse("redis://h/3/").name == Url.parse("redis://h/3").name == "3"
    assert Url.parse("redis://h/").name == Url.parse("redis://h").name == ""


def test_secrets_stand_in_no_repr() -> None:
    """Neither password nor query is shown by repr."""
    shown = repr(Url.parse("redis://u:hunter2@h/?token=hunter3"))
    assert "hunter" not in shown


def test_several_hosts_are_kept_as_they_are_listed() -> None:
    """A kind that knows such lists takes them apart; the login and the rest are read as ever."""
    url = Url.parse("mongodb://u:p%40w@A:1,[::1]:2,c/db?x=1")
    assert (url.host, url.port) == ("a:1,[::1]:2,c", None)
    assert (url.user, url.password, url.name, url.query) == ("u", "p@w", "db", {"x": "1"})
    assert url.authority(27017) == "a:1,[::1]:2,c"
