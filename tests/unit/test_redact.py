"""Keeping secrets out of what is shown."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mooring.core.redact import MASK, SHORTEST_SECRET, Redactor, cut, masked

secrets = st.text(min_size=SHORTEST_SECRET, max_size=40)


@given(secrets)
@example("p/w@d")
@example("\u00fc\"'\\n%")
def test_known_secret_is_masked_in_every_spelling(secret: str) -> None:
    """Plain, percent-encoded, quoted by Python or JSON, or in base64: a known secret does not get out."""
    quoted = quote(secret, safe="")
    forms = [secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quoted, quote_plus(secret)]
    forms.append(re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted))
    forms.append(base64.b64encode(secret.encode()).decode())
    redact = Redactor([secret])
    assert {redact(f"<{form}>") for form in forms} == {f"<{MASK}>"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach postgresql://app:pw@db/orders", "cannot reach postgresql://***@db/orders"),
        ("redis://:p@ss@h:1/0 failed", "redis://***@h:1/0 failed"),
        ("sent Authorization: Bearer abc.DEF-123", "sent Authorization: Bearer ***"),
        ("sent Basic dXNlcjpwYXNzd29yZA==", "sent Basic ***"),
        ("the server offers Basic authentication", "the server offers Basic authentication"),
        ("GET /x?api_key=abcdef&page=2", "GET /x?api_key=***&page=2"),
        ("dsn is host=db password='s3cret' user=app", "dsn is host=db password=*** user=app"),
        ("client_secret = hunter2, next", "client_secret = ***, next"),
        ("http://h/path?x=a@b", "http://h/path?x=a@b"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    """Logins in addresses, credentials and keys are masked where nobody named them as secrets."""
    assert Redactor()(text) == shown


def test_longer_secret_is_masked_whole() -> None:
    """Where one secret begins like another, no end of the longer one stays."""
    assert Redactor(["abc", "abcdef"])("x abcdef y abc") == "x *** y ***"


def test_short_secret_does_not_hide_the_message() -> None:
    """Secrets of one or two letters are masked in addresses only."""
    assert Redactor(["a"])("a banana at redis://:a@h") == "a banana at redis://***@h"


@given(secrets, st.text())
def test_redacting_twice_changes_nothing(secret: str, text: str) -> None:
    """What was redacted stays as it is."""
    redact = Redactor()
    assert redact(redact(text + secret)) == redact(text + secret)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("postgresql://app:pw@db:5432/orders?sslmode=disable", "postgresql://app:***@db:5432/orders"),
        ("redis://:pw@h/0", "redis://:***@h/0"),
        ("redis://h/0?password=s@cret", "redis://h/0"),
        ("http://h/a@b", "http://h/a@b"),
        ("sqlite:///app.db", "sqlite:///app.db"),
        ("redis://:p/w@h", "redis://***"),
        ("redis://:p?w@h", "redis://***"),
        ("redis://:pw#x@h", "redis://***"),
        ("plain-secret", "***"),
        ("p://w", "p://w"),
        ("jdbc:postgresql://app:pw@db/orders?password=pw", "jdbc:postgresql://app:***@db/orders"),
        ("db+mysql://app:p/w@db", "db+mysql://***"),
        ("datahub+https://token@h:1/gms", "datahub+https://***@h:1/gms"),
        ("nats://token@h:4222", "nats://***@h:4222"),
        ("nats://user:pw@h:4222", "nats://user:***@h:4222"),
        ("datahub+http://:token@h", "datahub+http://:***@h"),
        ("dicomweb+http://user:pw@h/x", "dicomweb+http://user:***@h/x"),
    ],
)
def test_secret_address_is_shown_without_its_secrets(secret: str, shown: str) -> None:
    """Of an address all but password and query is shown; what cannot be taken apart is hidden whole."""
    assert masked(secret) == shown


@given(st.text(), st.text(min_size=1))
def test_password_of_an_address_is_never_shown(user: str, password: str) -> None:
    """However user and password are made up, encoded as they have to be, the password is masked."""
    address = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@host/0"
    assert masked(address) == f"redis://{quote(user, safe='')}:{MASK}@host/0"


@pytest.mark.parametrize(
    ("known", "more"), [("geheim", "andres"), ("geheim", "ungeheimes"), ("ungeheimes", "geheim")]
)
def test_more_secrets_are_masked_whole(known: str, more: str) -> None:
    """What a check was given on the way is masked beside what was known, also where one holds the other."""
    redact = Redactor([known]).also([more])
    assert redact(f"{known}, {more}!") == "***, ***!"
    assert redact.within([more, {"a": known}]) == ["***", {"a": "***"}]


def test_no_part_of_json_with_an_address_in_it_is_shown() -> None:
    """A secret that is no address is hidden whole, even where one stands in it."""
    assert masked('{"key": "geheim", "uri": "https://host/"}') == "***"


@given(
    st.binary(max_size=20), st.binary(max_size=20), st.sampled_from(["hunter2secret", "p\u00e4ssw\u00f6rd"])
)
@example(b"\0app\0", b"", "hunter2secret")
def test_secret_inside_base64_is_masked(before: bytes, behind: bytes, secret: str) -> None:
    """A login in base64 shows of the password at most bits of its first and its last byte."""
    told = Redactor([secret])(base64.b64encode(before + secret.encode() + behind).decode())
    assert MASK in told
    assert len(told.partition(MASK)[0]) <= -(-len(before) * 8 // 6)


@pytest.mark.parametrize("length", range(20, 40))
def test_secret_in_two_is_masked(length: int) -> None:
    """A text that was cut before it was redacted shows at most three letters of the secret that it cut."""
    redact = Redactor(["hunter2secret"])
    text = cut("the server echoes: hunter2secret, and more", length)
    for shown in (f"it begins with {text!r}", f"it begins with {text!r}, not so", text):
        assert "hunt" not in redact(shown)


def test_words_that_begin_a_secret_stay() -> None:
    """Where nothing was cut, a word is shown with which a secret happens to begin."""
    assert Redactor(["admin123"])('no such user "admin"') == 'no such user "admin"'


def test_long_word_takes_no_time() -> None:
    """Looking for addresses takes a time that grows with the text, not with its square."""
    text = "a" * 500_000 + " ://"
    assert Redactor(["hunter2secret"])(text) == text
