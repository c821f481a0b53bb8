"""Addresses in what people paste."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.core.result import Observation
from mooring.discover import Found, discover, from_environ, look
from mooring.probes import Probe, Trail
from mooring.probes._registry import Kinds


def seen(found: list[Found]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what tells findings apart: name, address, what is missing."""
    return [(each.name, each.url.get_secret_value(), each.missing) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://a:1\ntcp://b:2\n", [("a:1", "tcp://a:1", ()), ("b:2", "tcp://b:2", ())]),
        ("the shop = tcp://a:1", [("the shop", "tcp://a:1", ())]),
        ("# tcp://a:1", []),
        ("  - tcp://a:1,\n  - 'tcp://b:2'", [("a:1", "tcp://a:1", ()), ("b:2", "tcp://b:2", ())]),
        ('{"url": "tcp://a:1", "x": 3}', [("a:1", "tcp://a:1", ())]),
        ("tcp://a:1\ntcp://a:1/", [("a:1", "tcp://a:1", ())]),
        ("A_URL=tcp://a:1\nA_DSN=tcp://b:1", [("a", "tcp://a:1", ()), ("a-2", "tcp://b:1", ())]),
        ("postgresql://h/db?sslmode=require", [("h", "postgresql://h/db?sslmode=require", ())]),
        ("see file:///etc/passwd and rpc://", []),
    ],
)
def test_list_gives_its_addresses(text: str, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    """Addresses are found line by line, named where a name stands before them, each once."""
    assert seen(discover(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ORDERS_DATABASE_URL=tcp://a:1", [("orders", "tcp://a:1", ())]),
        ("DATABASE_URL=tcp://a:1", [("database", "tcp://a:1", ())]),
        ("export REDIS_URL='tcp://a:1' # the cache", [("redis", "tcp://a:1", ())]),
        ('H=db\nX_URL="tcp://${H}:1"', [("x", "tcp://db:1", ())]),
        ("H='db'\nX_URL=tcp://$H:1", [("x", "tcp://db:1", ())]),
        ("X_URL='tcp://${H}:1'", [("x", "tcp://${H}:1", ("H",))]),
        ("X_URL=tcp://${H:-db}:1", [("x", "tcp://db:1", ())]),
        ("X_URL=tcp://u:<password>@h:1", [("x", "tcp://u:<password>@h:1", ("password",))]),
        ("HTTPS_PROXY=http://proxy:3128", []),
        ("SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T0/B0/s3cret", []),
        ("KEY=value\nEMPTY=\n=x\nPATH=/bin", []),
        ("DATABASE_URL=postgis://u:p@h/db", [("database", "postgresql://u:p@h/db", ())]),
        ("DATABASE_URL=pgsql://u:p@h/db", [("database", "postgresql://u:p@h/db", ())]),
        ("JDBC_URL=jdbc:postgresql://h:5432/db", [("jdbc", "postgresql://h:5432/db", ())]),
        ("CELERY_BROKER_URL=pyamqp://u:p@mq//", [("celery-broker", "amqp://u:p@mq//", ())]),
        (
            "CELERY_RESULT_BACKEND=db+postgresql://u:p@h/r",
            [("celery-result-backend", "postgresql://u:p@h/r", ())],
        ),
        ("BROKER_URL=sqla+sqlite:///celery.db", [("broker", "sqlite:///celery.db", ())]),
    ],
)
def test_env_file_gives_its_addresses(text: str, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    """Quotes, export, comments, references and frameworks' spellings are understood."""
    assert seen(discover(text)) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"PGHOST": "db", "PGPORT": "5433", "PGUSER": "me", "PGPASSWORD": "p@ss/w", "PGDATABASE": "x"},
            [("postgresql", "postgresql://me:p%40ss%2Fw@db:5433/x", ())],
        ),
        ({"PGHOST": "db"}, [("postgresql", "postgresql://db", ("user", "password"))]),
        (
            {"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "pw", "POSTGRES_DB": "x"},
            [("postgres", "postgresql://me:pw@/x", ("host",))],
        ),
        (
            {"MYSQL_HOST": "db:3307", "MYSQL_ROOT_PASSWORD": "pw", "MYSQL_DATABASE": "x"},
            [("mysql", "mysql://root:pw@db:3307/x", ())],
        ),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "6380"}, [("redis", "redis://cache:6380", ())]),
        ({"REDIS_HOST": "::1", "REDIS_PASSWORD": "pw"}, [("redis", "redis://:pw@[::1]", ())]),
        (
            {
                "DB_CONNECTION": "pgsql",
                "DB_HOST": "h",
                "DB_USERNAME": "u",
                "DB_PASSWORD": "p",
                "DB_DATABASE": "d",
            },
            [("db", "postgresql://u:p@h/d", ())],
        ),
        (
            {"SHOP_DB_ENGINE": "django.db.backends.mysql", "SHOP_DB_HOST": "h", "SHOP_DB_USER": "u"},
            [("shop-db", "mysql://u@h", ("password",))],
        ),
        (
            {"REDIS_PORT": "tcp://10.0.0.1:6379", "REDIS_PORT_6379_TCP_ADDR": "10.0.0.1"},
            [("redis-port", "tcp://10.0.0.1:6379", ())],
        ),
        ({"API_HOST": "h", "USER": "root", "HOSTNAME": "box", "SSH_CONNECTION": "1 2 3"}, []),
        (
            {"REDIS_URL": "redis://a", "REDIS_HOST": "redis://a"},
            [("redis", "redis://a", ()), ("redis-host", "redis://a", ())][:1],
        ),
    ],
)
def test_variables_that_belong_together_make_an_address(
    variables: dict[str, str], expected: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    """libpq's, the images' and the frameworks' parts are put together; what is missing is named."""
    assert seen(from_environ(variables)) == expected


COMPOSE = """
x-env: &env
  POSTGRES_PASSWORD: ${PW:-secret}
services:
  db:
    image: "registry.example:5000/library/postgres:16"
    environment: {<<: *env, POSTGRES_DB: shop}
    ports: ["127.0.0.1:5433:5432"]
  other:
    image: postgis/postgis
    environment: [POSTGRES_USER=me, "POSTGRES_PASSWORD=${MISSING}"]
  maria:
    image: mariadb:11
    environment: {MARIADB_ROOT_PASSWORD: a$$b}
    ports: [{target: 3306, published: 3307, host_ip: "::1"}]
  cache:
    image: redis:7-alpine
    command: redis-server --requirepass pw
    ports: ["${P:-6380}:6379"]
  mq:
    image: rabbitmq:3-management
    environment: {RABBITMQ_DEFAULT_USER: u, RABBITMQ_DEFAULT_PASS: p}
    ports: ["15672:15672", "5672:5672/tcp"]
  web:
    image: shop
    environment:
      API_URL: http://api:8000/
      N: 3
"""


def test_compose_file_gives_its_services() -> None:
    """Services with a known image become addresses on their published ports; others give their variables."""
    assert seen(discover(COMPOSE)) == [
        ("db", "postgresql://postgres:secret@127.0.0.1:5433/shop", ()),
        (
            "other",
            "postgresql://me@other:5432",
            ("a published port (the service listens on 5432)", "password"),
        ),
        ("maria", "mysql://root:a%24b@[::1]:3307", ()),
        ("cache", "redis://:pw@localhost:6380", ()),
        ("mq", "amqp://u:p@localhost:5672", ()),
        ("api", "http://api:8000/", ()),
    ]
    assert [each.source for each in discover(COMPOSE)][-2:] == ["service mq", "service web: API_URL"]


def test_kind_that_is_not_there_yet_is_told() -> None:
    """An address of a kind that this version lacks is reported and says so."""
    (found,) = discover("kafka://mq")
    assert (found.kind, found.note) == (None, "kafka is not supported yet")


def test_address_that_the_kind_refuses_says_why() -> None:
    """An address that cannot be used carries the kind's own words."""
    (found,) = discover("tcp://nowhere")
    assert (found.kind, found.missing) == ("tcp", ())
    assert found.note is not None
    assert found.note.endswith("a tcp address names a host and a port: tcp://host:port")


class Parrot(Probe):
    """Parrot: repeats."""

    schemes = ("parrot",)

    kind: str = "parrot"
    url: str

    async def check(self, trail: Trail) -> Observation:
        """Say nothing."""
        return Observation()


def test_kinds_of_one_s_own_are_known() -> None:
    """Whoever brings kinds gets their addresses recognised."""
    kinds = Kinds()
    kinds.add(Parrot)
    (found,) = discover("parrot://x", kinds)
    assert (found.kind, found.note) == ("parrot", None)


def test_secrets_are_not_printed() -> None:
    """The repr of a finding hides the address."""
    assert "hunter2" not in repr(discover("tcp://u:hunter2@h:1"))


def test_references_that_double_do_not_explode() -> None:
    """Thirty lines that each name the one above twice stay small."""
    text = "A0=xxxxxxxxxxxxxxxx\n" + "".join(f"A{n}=${{A{n - 1}}}${{A{n - 1}}}\n" for n in range(1, 60))
    assert discover(text) == []


_PIECES = st.sampled_from(
    [
        *(
            "services: \n",
            "  ",
            "- ",
            "image: postgres",
            "environment:",
            "ports:",
            ": ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
        ),
        *(
            "*a",
            "<<",
            "${",
            "$A",
            "A=",
            "_HOST=",
            "_URL=",
            "REDIS",
            "://",
            "postgres",
            "tcp",
            "@",
            ":",
            "/",
            "'",
        ),
        *(
            '"',
            "\\",
            "#",
            "=",
            "::1",
            "\x00",
            "\u202e",
            "\ud800",
            "é",
            "5432",
            "export ",
            "%zz",
            "?a=b",
            "\n",
        ),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=300))
@settings(max_examples=400)
def test_any_text_is_survived(text: str) -> None:
    """Whatever is pasted, the answer is a list whose names differ."""
    names = [each.name for each in discover(text)]
    assert len(names) == len(set(names))


@given(st.dictionaries(st.text("ABPGHOST_URLDI", max_size=12), st.text(max_size=30) | _PIECES, max_size=6))
@settings(max_examples=300)
def test_any_environment_is_survived(environ: dict[str, str]) -> None:
    """Whatever the variables hold, the answer is a list."""
    assert isinstance(from_environ(environ), list)


def notes(text: str) -> list[str]:
    """Return what is told of a text beside its addresses."""
    return list(look(text).notes)


def test_nothing_is_told_of_a_text_that_is_all_addresses() -> None:
    """Blank lines, comments and variables that make an address together are nothing that was passed over."""
    assert notes("# ours\n\ntcp://a:1\nDB_ENGINE=mysql\nDB_HOST=h\nDB_USER=u\nDB_PASSWORD=p\n") == []


def test_lines_and_variables_without_an_address_are_counted() -> None:
    """A line that holds none is told of, and so is a variable that is no part of one."""
    text = "tcp://a:1\nb:5432\nsome words\nDEBUG=1\nORDERS_URL=postgresql//typo\nX_URL=tcp://b:2\n"
    assert notes(text) == ["2 lines held no address to test.", "2 variables held no address to test."]
    assert notes("one:1\n") == ["1 line held no address to test."]


def test_a_repeated_address_is_told() -> None:
    """It is listed once, and where it stood again is said."""
    looked = look("tcp://a:1\nredis://b\ntcp://a:1/\nA_URL=redis://b\n")
    assert [each.source for each in looked.found] == ["line 1", "line 2"]
    assert looked.notes == ("2 addresses stood there before and are listed once: line 3, A_URL.",)


def test_a_broken_compose_file_is_told_by_its_place_alone() -> None:
    """Where the YAML breaks is said and not what stands there; its lines are read all the same."""
    secret = "s3cret-of-the-orders"
    text = f"services:\n  web:\n    image: x\n    URL: redis://h:1\n    pass: *{secret}\n"
    looked = look(text)
    assert [each.source for each in looked.found] == ["line 4"]
    broken = "The Compose file is no valid YAML: line 5, column 11, so its lines were read one by one."
    assert looked.notes == (broken, "4 lines held no address to test.")
    assert (
        notes("services: []\n")[0] == "The Compose file names no services, so its lines were read one by one."
    )


def test_services_without_an_address_are_named() -> None:
    """What a Compose file runs beside databases is no address, which is said."""
    text = "services:\n  web: {build: .}\n  db: {image: redis, ports: ['1:6379']}\n  job: {image: shop}\n"
    assert notes(text) == ["2 services held no address to test: web, job."]
