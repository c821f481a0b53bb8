"""Targets as strangers write them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from mooring.core.failure import InputError
from mooring.core.target import Schedule
from mooring.probes import KindDefaults, Observation, Probe, TLSSettings, Trail
from mooring.probes._registry import Kinds
from mooring.targets import LONGEST_NAME, TargetReader, keys_of

READER = TargetReader(Kinds())
SCHEMES = [
    (kind.kind_name(), scheme)
    for kind in Kinds().all()
    for scheme in kind.schemes
    if not scheme.endswith("+*")
]
ONE_HOST = [(kind, scheme) for kind, scheme in SCHEMES if not READER.kinds.get(kind).several_hosts]
GOOD: dict[str, Any] = {"name": "mail", "url": "tcp://mail.example:25"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "tcp": {"url": "tcp://h:1", "send": "a", "expect": "b"},
    "tls": {"url": "tls://h", "tls": {"pin": "ab" * 32, "server_name": "x"}, "warn_days": 7},
    "dns": {"url": "dns://[::1]:5353/x.example?type=MX", "expect": ["10 mx.example"]},
    "http": {"url": "https://u:hunter2@h/p?x=1"},
    "redis": {"url": "rediss://u:hunter2@h:1/2", "tls": {"verify": False}, "role": "replica"},
    "postgresql": {"url": "postgresql://u:hunter2@h:1/db"},
    "mysql": {"url": "mysql://u:hunter2@h:1/db"},
    "sqlite": {"url": "sqlite:////tmp/a.db", "query": "SELECT 1", "expect": 1},
    "process": {"url": "process://My%20Program", "max_count": 3},
    "icmp": {"url": "icmp://h", "count": 5},
    "push": {"token": "hunter2hunter2hunter2", "grace": 60},
    "websocket": {"url": "wss://u:hunter2@h/p"},
}


@pytest.mark.parametrize(
    ("kind", "url", "message"),
    [
        ("redis", "http://h", "a redis address begins with redis:// or rediss:// or valkey:// or valkeys://"),
        ("tls", "https://hunter2@h", "a tls address begins with tls://"),
        ("postgresql", "mysql+pymysql://u:hunter2@h/db", None),
    ],
)
def test_an_address_of_another_kind_is_refused(kind: str, url: str, message: str | None) -> None:
    """It would be asked in the wrong language, which is never what was meant."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "kind": kind, "url": url})
    [problem] = caught.value.problems
    assert problem.field == "url"
    assert "hunter2" not in problem.message
    assert message in (None, problem.message)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgresql", "postgresql+asyncpg://u:p@h/db"),
        ("postgresql", "jdbc:postgresql://u:p@h/db"),
        ("redis", "VALKEY://h"),
        ("http", "https://h"),
    ],
)
def test_every_spelling_of_a_kind_is_its_own(kind: str, url: str) -> None:
    """Drivers, frameworks' words and capitals in an address do not make it another kind's."""
    assert READER.read({"name": "x", "kind": kind, "url": url}).probe.kind == kind


@pytest.mark.parametrize("text", ["\\u20ac", "ends with \\", "\\x"])
def test_text_to_send_is_judged_beforehand(text: str) -> None:
    """An escape that means no byte is a mistake in the settings, not a fault at every check."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "url": "tcp://h:1", "send": text})
    [problem] = caught.value.problems
    assert (problem.field, problem.message) == (
        "send",
        "holds a backslash that begins nothing known; a plain one is written twice",
    )


@pytest.mark.parametrize(
    ("tls", "field", "message"),
    [
        (
            {"verify": "maybe"},
            "tls.verify",
            "has to be true or false, or 'ca'",
        ),
        (
            {"verfy": True},
            "tls.verfy",
            "is not a known setting; `mooring kinds KIND` lists the settings of a kind",
        ),
    ],
)
def test_a_mistake_in_tls_settings_is_one_sentence(tls: dict[str, Any], field: str, message: str) -> None:
    """A setting that takes several types is told once, in the words of the file and not of its types."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "url": "tls://h", "tls": tls})
    assert [(problem.field, problem.message) for problem in caught.value.problems] == [(field, message)]


class Fancy(Probe):
    """Fancy: a kind with settings of every shape."""

    kind: Literal["fancy"] = "fancy"
    defaults = KindDefaults(interval=3600, timeout=50, retry=False)
    schemes = ("fancy", "fancier", "fancy+*")

    url: SecretStr = SecretStr("fancy://")
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    tls: TLSSettings = Field(default_factory=TLSSettings)
    codes: tuple[int, ...] = ()
    deep: dict[str, Any] = Field(default_factory=dict)

    async def check(self, trail: Trail) -> Observation:
        return Observation()


def problems_of(keys: Mapping[str, Any], reader: TargetReader = READER) -> dict[str, str]:
    """Return what is wrong with a target, by field."""
    with pytest.raises(InputError) as caught:
        reader.read(keys)
    return {problem.field: problem.message for problem in caught.value.problems}


def with_fancy() -> TargetReader:
    """Return a reader that knows the kind above."""
    kinds = Kinds()
    kinds.add(Fancy)
    return TargetReader(kinds)


def test_all_mistakes_are_told_at_once() -> None:
    """What is wrong with the settings, with the target's own keys and with their types comes together."""
    told = problems_of(
        {
            "name": "a\nb",
            "url": "tcp://mail.example:25",
            "interval": "soon",
            "timeout": -1,
            "failures_before_down": True,
            "labels": {"team": 7},
            "enabled": "perhaps",
            "intervall": 30,
            "send": ["x"],
            "quorum": 0,
        }
    )
    assert told == {
        "intervall": "is not a known setting; did you mean interval? "
        "`mooring kinds KIND` lists the settings of a kind",
        "send": "has to be text",
        "interval": "has to be a number",
        "timeout": "has to be at least 0.1",
        "failures_before_down": "has to be a number",
        "name": "holds U+000A; control, invisible and bidirectional characters are refused",
        "labels.team": "has to be text",
        "enabled": "has to be true or false",
        "quorum": "has to be at least 1",
    }


@pytest.mark.parametrize("kind", [kind.kind_name() for kind in Kinds().all() if "url" in kind.model_fields])
@pytest.mark.parametrize("url", ["http://a b/", "x://[::1", "x://h:99999"])
def test_an_address_that_cannot_be_read_is_the_addresss_mistake(kind: str, url: str) -> None:
    """Whatever the kind, what is wrong with how an address is written stands at `url`."""
    if kind == "process":  # the name of a program is what it is
        return
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "kind": kind, "url": url})
    assert {problem.field for problem in caught.value.problems} == {"url"}


def test_no_mistake_is_told_in_a_programmers_words() -> None:
    """Types, bounds and choices are told as what would be right."""
    told = problems_of(
        {
            "name": "x",
            "url": "https://shop.example/",
            "method": "TAKE",
            "headers": "x",
            "expect_status": [],
            "expect_body": "",
            "body_limit": 1.5,
            "regions": "here",
            "degraded_above": 0,
            "tls": 7,
        }
    )
    assert told == {
        "method": "has to be 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE' or 'OPTIONS'",
        "headers": "has to be a table: keys with their values",
        "expect_status": "has to hold at least 1",
        "expect_body": "has to have at least 1 characters",
        "body_limit": "has to be a whole number",
        "regions": "has to be a list",
        "degraded_above": "has to be more than 0",
        "tls": "has to be a table: keys with their values",
    }


def test_a_mistake_stands_at_the_key_that_was_written() -> None:
    """The names of types are no part of the place, and a key that is called like one is."""
    told = problems_of(
        {
            "name": "x",
            "url": "https://shop.example/",
            "headers": {"Authorization": 5},
            "labels": {"int": 5, "team": 6},
        }
    )
    assert told == {
        "headers.Authorization": "has to be text",
        "labels.int": "has to be text",
        "labels.team": "has to be text",
    }


def test_mistake_says_where_it_stands() -> None:
    """A problem carries the place that the caller names."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "kind": "tcp"}, where="mooring.toml: targets[3]")
    assert str(caught.value) == "mooring.toml: targets[3]: url: is missing"


@pytest.mark.parametrize("kind", ["tpc", "postgres", "postgrsql", "sqllite"])
def test_unknown_kind_names_the_nearest(kind: str) -> None:
    """A kind that does not exist is answered by one that does."""
    near = {"tpc": "tcp", "postgres": "postgresql", "postgrsql": "postgresql", "sqllite": "sqlite"}[kind]
    message = problems_of({"name": "x", "kind": kind, "url": "x://y"})["kind"]
    assert message.startswith(f"there is no kind {kind!r}; did you mean {near}")


def test_unknown_address_names_the_nearest() -> None:
    """So is an address whose kind does not exist."""
    message = problems_of({"name": "x", "url": "rediz://h"})["url"]
    assert message.startswith("no kind of address 'rediz://'; did you mean redis?")


@pytest.mark.parametrize(
    "kind", ["../tcp", "_session", "os", "tcp.py", "x" * 10_000, "\u202etcp", 7, ["tcp"], {}]
)
def test_hostile_kind_is_refused(kind: Any) -> None:
    """A kind is one of the list, never a path or a module, and is repeated cut short."""
    message = problems_of({"name": "x", "kind": kind})["kind"]
    assert message.isprintable()
    assert len(message) < 500


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "has to hold something that can be read"),
        (" \u3000", "has to hold something that can be read"),
        ("x" * 10_000, "has 10000 characters; at most 200 are allowed"),
        ("a\x00b", "holds U+0000; control, invisible and bidirectional characters are refused"),
        ("a\x1b[31m", "holds U+001B; control, invisible and bidirectional characters are refused"),
        ("a\x85b", "holds U+0085; control, invisible and bidirectional characters are refused"),
        ("a\u202eb", "holds U+202E; control, invisible and bidirectional characters are refused"),
        ("a\u2066b", "holds U+2066; control, invisible and bidirectional characters are refused"),
        ("a\u2028b", "holds U+2028; control, invisible and bidirectional characters are refused"),
        ("a\ud800b", "holds U+D800; control, invisible and bidirectional characters are refused"),
        ("a\ue000b", "holds U+E000; control, invisible and bidirectional characters are refused"),
        *[
            (
                f"a{each}b",
                f"holds U+{ord(each):04X}; control, invisible and bidirectional characters are refused",
            )
            for each in "\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u180e\u3164\u2800\u034f\U000e0041"
        ],
        ("\U0001f469\u200d", "holds U+200D; control, invisible and bidirectional characters are refused"),
        ("\u200d\U0001f680", "holds U+200D; control, invisible and bidirectional characters are refused"),
    ],
)
def test_name_that_cannot_be_shown_is_refused(name: str, message: str) -> None:
    """Names with control, invisible, bidirectional or private characters, empty or endless, are refused."""
    assert problems_of({**GOOD, "name": name}) == {"name": message}


def test_every_name_has_to_be_seen() -> None:
    """Labels, dependencies and regions are held to the same, each mistake naming its field."""
    message = "holds U+200B; control, invisible and bidirectional characters are refused"
    keys = {
        "labels": {"te\u200bam": "a", "env": "pr\u200bod"},
        "depends_on": ["d\u200bb"],
        "regions": ["local", "\u200bx"],
    }
    assert problems_of({**GOOD, **keys}) == {
        "labels.'te\\u200bam'": f"the key itself {message}",
        "labels.env": message,
        "depends_on.0": message,
        "regions.1": message,
    }


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "'; DROP TABLE targets; --",
        "\U0001f469\u200d\U0001f680 \u00fcber",
        "\U0001f468\U0001f3fd\u200d\U0001f469 and \u2764\ufe0f\u200d\U0001f525",
        "\U0001fae9 newer than this Python",
        "\u65e5\u672c\u8a9e",
        "x" * LONGEST_NAME,
        "${HOME}",
    ],
)
def test_name_that_can_be_shown_is_text(name: str) -> None:
    """Names that look dangerous are text like any other."""
    assert READER.read({**GOOD, "name": name}).name == name


def test_hostile_key_is_repeated_cut_short_and_quoted() -> None:
    """An unknown key of 10,000 characters or with control characters does not fill or colour the message."""
    told = problems_of({**GOOD, "x" * 10_000: 1, "\x1b[31m": 2})
    assert all(field.isprintable() and len(field) < 70 for field in told)
    assert len(told) == 2


@pytest.mark.parametrize("interval", [0, 0.5, 604_801, float("nan"), float("inf"), -1, "soon", [30]])
def test_interval_out_of_range_is_refused(interval: Any) -> None:
    """From a second to a week; no NaN and no infinity."""
    assert problems_of({**GOOD, "interval": interval}).keys() == {"interval"}


def test_timeout_longer_than_the_interval_is_refused() -> None:
    """It is told together with a quorum of more regions than there are."""
    told = problems_of({**GOOD, "interval": 10, "timeout": 20, "regions": ["a", "a"], "quorum": 2})
    assert told == {
        "timeout": "is 20 s, longer than the interval of 10 s",
        "quorum": "is 2, more than the regions that test it (1)",
    }


def test_default_timeout_gives_way_to_a_short_interval() -> None:
    """Where only the interval was written, the timeout of the defaults is cut to it."""
    assert READER.read({**GOOD, "interval": 2}).schedule.timeout == 2


def test_defaults_stand_below_the_kind_and_the_kind_below_the_target() -> None:
    """[defaults], then the kind's own, then the target's keys."""
    reader = with_fancy()
    low = TargetReader(reader.kinds, Schedule(interval=77, timeout=7, failures_before_down=9))
    schedule = low.read({"name": "x", "kind": "fancy", "timeout": 20}).schedule
    assert (schedule.interval, schedule.timeout, schedule.retry) == (3600, 20, False)
    assert (schedule.failures_before_down, schedule.successes_before_up) == (9, 1)
    assert low.read(GOOD).schedule.interval == 77


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "redis://u:hunter2@h:x/0"},
        {"url": "redis://u:hunter2@[h/0"},
        {"url": "redis://u:hunter2@h/zero"},
        {"url": "redis://u:hunter2@h/0", "role": "hunter2"},
        {"url": "redis://u:hunter2@h/0", "hunter": "hunter2"},
        {"url": "hunter2"},
        {"url": ["hunter2"]},
        {"kind": "push", "token": "hunter2"},
        {"kind": "http", "url": "http://h/", "headers": {"x": ["hunter2"]}},
        {"url": "tls://h", "tls": {"pin": "hunter2"}},
        {"url": "tls://h", "tls": {"verify": "hunter2"}},
    ],
)
def test_mistake_never_shows_a_secret(keys: dict[str, Any]) -> None:
    """What was refused is described and never repeated: it may be a secret."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", **keys})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.problems)
    assert caught.value.__cause__ is None


def test_tls_settings_are_checked_where_they_are_written() -> None:
    """A pin that can be none, and a key without its certificate, are mistakes of the target."""
    assert problems_of({"name": "x", "url": "tls://h", "tls": {"pin": "abc"}}) == {
        "tls.pin": "has to be a certificate's SHA-256, 64 hexadecimal digits"
    }
    assert problems_of({"name": "x", "url": "tls://h", "tls": {"key": "/k"}}) == {
        "tls.key": "is of no use without tls.cert, the certificate that it belongs to"
    }
    assert problems_of({"name": "x", "url": "tls://h", "tls": {"cafile": "/k"}}).keys() == {"tls.cafile"}


@pytest.mark.parametrize("kind", EXAMPLES)  # the contract suite asks the same of every kind there is
def test_target_survives_being_written_and_read(kind: str) -> None:
    """keys_of(read(x)), read again, is the same target."""
    keys = {"name": "x", "kind": kind, **EXAMPLES[kind], "labels": {"team": "shop"}, "depends_on": ["vpn"]}
    target = READER.read(keys)
    written = json.loads(json.dumps(keys_of(target, reveal=True)))
    again = READER.read(written)
    assert again == target
    assert keys_of(again, reveal=True) == written


@pytest.mark.parametrize("kind", EXAMPLES)
def test_keys_show_no_secret_unless_asked(kind: str) -> None:
    """Keys as they are shown hold no password, and the probe tells the redactor of it."""
    target = READER.read({"name": "x", "kind": kind, **EXAMPLES[kind]})
    assert "hunter2" not in json.dumps(keys_of(target))
    assert "hunter2" not in repr(target)
    if "hunter2" in json.dumps(EXAMPLES[kind]):
        assert any("hunter2" in secret for secret in target.probe.secrets())


def test_settings_of_every_shape_survive() -> None:
    """Secrets in mappings, tuples and nested values are written whole and masked."""
    reader = with_fancy()
    settings = {
        "url": "fancy://u:hunter2@h/x?y=z",
        "headers": {"Authorization": "hunter2"},
        "tls": {"verify": "ca", "ca": "/ca.pem"},
        "codes": [1, 2],
        "deep": {"a": [{"b": None}]},
    }
    target = reader.read({"name": "x", "kind": "fancy", **settings})
    assert keys_of(target)["url"] == "fancy://u:***@h/x"
    assert keys_of(target)["headers"] == {"Authorization": "***"}
    assert reader.read(keys_of(target, reveal=True)) == target


@given(
    st.dictionaries(st.text(max_size=20), st.text() | st.integers() | st.none() | st.booleans(), max_size=5)
)
def test_any_keys_are_a_target_or_a_clear_mistake(keys: dict[str, Any]) -> None:
    """No keys make the reader fail otherwise, and what is said of them can be shown."""
    try:
        READER.read({"name": "x", "kind": "tcp", **keys})
    except InputError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(str(problem).isprintable() for problem in problems)


def test_address_alone_names_a_target() -> None:
    """Without a name a target is called by its address; further keys are settings."""
    target = READER.from_url("redis://u:pw@cache.example/1", role="master", timeout=3)
    assert (target.name, target.probe.kind) == ("cache.example:6379/1", "redis")
    assert (target.probe.role, target.schedule.timeout) == ("master", 3)
    assert READER.from_url("tcp://h:1", name="mine").name == "mine"


def test_address_may_leave_to_the_settings_what_it_does_not_say() -> None:
    """An address that is not enough by itself becomes one with further keys."""
    assert READER.from_url("dns://9.9.9.9", query="x.example").name == "9.9.9.9/x.example A"


def test_comma_of_a_program_is_none_of_hosts() -> None:
    """What stands in a process's address is a name, which may hold a comma."""
    assert READER.from_url("process://a,b").probe.address == "a,b"


# The list of kinds


def test_scheme_that_means_a_kind_of_another_name_is_found() -> None:
    """A kind is found by each of its schemes, also by those that only begin like one."""
    kinds = with_fancy().kinds
    assert {kinds.of_scheme(scheme) for scheme in ("fancy", "fancier", "fancy+anything")} == {Fancy}
    assert kinds.of_scheme("rediss").kind_name() == "redis"


@pytest.mark.parametrize(("kind", "scheme"), SCHEMES)
def test_word_behind_a_scheme_is_a_driver_or_a_mistake(kind: str, scheme: str) -> None:
    """SQLAlchemy's drivers are passed over; elsewhere the word may ask for TLS, and is never dropped."""
    kinds = Kinds()
    if kinds.get(kind).drivers:
        assert kinds.of_scheme(f"{scheme}+x").kind_name() == kind
        assert kinds.with_address(kind, f"{scheme}+x://h/db").kind_name() == kind
    for word in ("ssl", "tls") if kinds.get(kind).drivers else ("ssl", "tls", "x"):
        for ask in (kinds.of_scheme, lambda given: kinds.with_address(kind, f"{given}://h")):
            with pytest.raises(InputError) as caught:
                ask(f"{scheme}+{word}")
            [problem] = caught.value.problems
            assert (problem.field, f"{scheme}://" in problem.message) == ("url", True)


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("smtp+ssl", "an address of smtp begins with smtp:// or smtps://"),
        ("nats+tls", "an address of nats begins with nats://; `tls` asks for encryption"),
        ("rabbitmq", "an address of rabbitmq begins with amqp:// or amqps://"),
        ("dicomweb", "an address of dicomweb begins with dicomweb+http:// or dicomweb+https://"),
        ("datahub", "an address of datahub begins with datahub+https:// or datahub+http://"),
        ("pyamqp", "no kind of address 'pyamqp://'; did you mean amqp or amqps? `mooring kinds` lists "),
    ],
)
def test_scheme_that_is_none_is_told_with_the_right_one(scheme: str, message: str) -> None:
    """Who names the kind, or a scheme that is nearly right, is told which one is."""
    with pytest.raises(InputError) as caught:
        Kinds().of_scheme(scheme)
    [problem] = caught.value.problems
    assert problem.message.startswith(message)


@pytest.mark.parametrize(("kind", "scheme"), ONE_HOST)
def test_list_of_hosts_is_told_where_one_is_taken(kind: str, scheme: str) -> None:
    """Several hosts in an address are a mistake in it, and no name that cannot be resolved."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "x", "kind": kind, "url": f"{scheme}://u:hunter2@a:1,b:2/x"})
    told = [str(problem) for problem in caught.value.problems]
    assert told == ["url: names several hosts; a target is one, so make a target of each"]


BROKEN = {
    "no_such_module:Kind": "ModuleNotFoundError: No module named 'no_such_module'",
    "broken_kind:Kind": "AttributeError: module 'broken_kind' has no attribute 'Kind'",
    "broken_kind:Thing": "TypeError: broken_kind:Thing is no Probe",
    "ending_kind:Kind": "ImportError: ending_kind:Kind ends the program as it is imported",
}


@pytest.mark.parametrize(("place", "why"), BROKEN.items())
def test_broken_installed_kind_costs_only_itself(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    place: str,
    why: str,
) -> None:
    """A package whose kind cannot be used is logged, and the others work on; asked for, it is told why."""
    (tmp_path / "broken_kind.py").write_text("class Thing: pass")
    (tmp_path / "ending_kind.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    kinds = Kinds()
    vars(kinds)["_installed"] = {"broken": EntryPoint("broken", place, "mooring.probes")}
    with caplog.at_level(logging.ERROR):
        assert kinds.of_scheme("rediss").kind_name() == "redis"
    assert "the installed kind broken cannot be loaded" in caplog.text
    with pytest.raises(InputError) as caught:
        TargetReader(kinds).read({"name": "x", "kind": "broken"})
    assert [str(each) for each in caught.value.problems] == [f"kind: broken cannot be loaded: {why}"]
