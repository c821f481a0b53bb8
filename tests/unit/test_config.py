"""The configuration: what is read, what stands above what, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooring.config import load
from mooring.core.failure import InputError
from mooring.core.target import Origin
from mooring.settings import ServerSettings, StoreSettings
from mooring.targets import TargetKeys

TARGET = '[[targets]]\nname = "port"\nurl = "tcp://127.0.0.1:22"\n'


def written(folder: Path, text: str | bytes, name: str = "mooring.toml") -> Path:
    """Write a file of the folder and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(path: Path, environ: dict[str, str] | None = None, **overrides: object) -> list[str]:
    """Load and return every mistake, the folder's name taken out."""
    with pytest.raises(InputError) as caught:
        load(path, environ or {}, **overrides)
    folder = path if path.is_dir() else path.parent
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_without_a_file_there_are_defaults() -> None:
    """No file and no variables give the documented defaults."""
    loaded = load(None, {})
    assert (loaded.server.host, loaded.server.port, loaded.server.base_path) == ("127.0.0.1", 8321, "/")
    assert loaded.store.url.get_secret_value() == "sqlite:///mooring.db"
    assert (loaded.store.raw_hours, loaded.store.rollup_10min_days, loaded.store.rollup_hour_days) == (
        6,
        7,
        90,
    )
    assert tuple(loaded.egress.deny) == ("link-local", "cloud-metadata")
    assert (loaded.defaults.interval, loaded.defaults.timeout) == (30, 5)
    assert loaded.secret_key_file == Path("mooring.key")
    assert loaded.targets == ()


def test_file_gives_every_section(tmp_path: Path) -> None:
    """Every section of the file arrives, and targets are of origin `file` with the defaults below them."""
    path = written(
        tmp_path,
        """
        [server]
        host = "0.0.0.0"
        port = 9000
        base_path = "/mooring/"
        public_paths = ["/metrics"]
        secret_key_file = "keys/it.key"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        [store]
        url = "sqlite:///data/m.db"
        raw_hours = 12
        [egress]
        allow = ["169.254.10.0/24"]
        deny = ["link-local", "private"]
        [defaults]
        interval = 60
        failures_before_down = 5
        [[targets]]
        name = "a"
        kind = "tcp"
        url = "tcp://127.0.0.1:22"
        timeout = 2
        labels = { team = "shop" }
        depends_on = ["vpn"]
        """,
    )
    loaded = load(path, {})
    assert (loaded.server.host, loaded.server.port, loaded.server.base_path) == ("0.0.0.0", 9000, "/mooring")
    assert loaded.server.public_paths == ("/metrics",)
    assert loaded.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert loaded.secret_key_file == tmp_path / "keys/it.key"
    assert loaded.store.url.get_secret_value() == f"sqlite:///{tmp_path}/data/m.db"
    assert loaded.store.raw_hours == 12
    assert loaded.egress.refuses("10.1.1.1") == "private"
    (target,) = loaded.targets
    assert (target.name, target.origin, target.labels, target.depends_on) == (
        "a",
        Origin.FILE,
        {"team": "shop"},
        ("vpn",),
    )
    assert (target.schedule.interval, target.schedule.timeout) == (60, 2)
    assert target.schedule.failures_before_down == 5


def test_command_line_stands_above_environment_above_file(tmp_path: Path) -> None:
    """The same key is taken from the nearest to the person who starts it."""
    path = written(tmp_path, "[server]\nport = 1\nhost = 'file'\nbase_path = '/file'\n")
    loaded = load(path, {"MOORING_PORT": "2", "MOORING_HOST": "environ"}, port=3)
    assert (loaded.server.port, loaded.server.host, loaded.server.base_path) == (3, "environ", "/file")


def test_lists_in_the_environment_are_separated_by_commas() -> None:
    """A variable that stands for a list takes commas."""
    loaded = load(None, {"MOORING_EGRESS_DENY": "private, 192.0.2.1", "MOORING_PUBLIC_PATHS": "/metrics"})
    assert loaded.egress.deny == ("private", "192.0.2.1")
    assert loaded.server.public_paths == ("/metrics",)


def test_pools_are_set_in_their_section(tmp_path: Path) -> None:
    """[pools] has the limits of a pool, and how long its past is kept."""
    path = written(
        tmp_path, "[pools]\nwarning = 0.5\ncritical = 0.6\nstale_after = 60\nretention_hours = 48\n"
    )
    loaded = load(path, {}).pools
    assert (loaded.warning, loaded.critical, loaded.stale_after, loaded.retention_hours) == (0.5, 0.6, 60, 48)
    assert (loaded.cooldown, loaded.cleanup_interval, loaded.report_interval) == (300, 30, 30)


def test_a_pool_warns_before_it_is_critical(tmp_path: Path) -> None:
    """Limits in the wrong order are told, naming the one to change."""
    path = written(tmp_path, "[pools]\nwarning = 0.97\n")
    assert mistakes(path) == ["mooring.toml: pools.warning: is 0.97, more than critical (0.95)"]


def test_programs_are_asked_for_what_they_obey(tmp_path: Path) -> None:
    """Programs report every 1 to 300 seconds whatever they are asked for: nothing else can be set."""
    for wrong in ("301", "0.5"):
        path = written(tmp_path, f"[pools]\nreport_interval = {wrong}\n")
        assert mistakes(path) == [
            f"mooring.toml: pools.report_interval: is {wrong} s; programs report every 1 to 300 s"
        ]
    for right in ("1", "300"):
        path = written(tmp_path, f"[pools]\nreport_interval = {right}\n")
        assert load(path, {}).pools.report_interval == float(right)
    with pytest.raises(InputError, match="METRICS_COLLECTION_INTERVAL: is 600 s; programs report every 1 to"):
        load(None, {"METRICS_COLLECTION_INTERVAL": "600000"})


def test_collection_interval_comes_in_milliseconds() -> None:
    """METRICS_COLLECTION_INTERVAL, which other programs know, is in milliseconds."""
    assert load(None, {"METRICS_COLLECTION_INTERVAL": "15000"}).pools.report_interval == 15
    with pytest.raises(InputError, match="METRICS_COLLECTION_INTERVAL: has to be a number"):
        load(None, {"METRICS_COLLECTION_INTERVAL": "soon"})


def test_retention_comes_in_hours() -> None:
    """METRICS_RETENTION_HOURS is how long samples of pools are kept."""
    assert load(None, {"METRICS_RETENTION_HOURS": "72"}).pools.retention_hours == 72


def test_secret_key_stands_beside_the_database(tmp_path: Path) -> None:
    """Without a setting the key's file is beside SQLite's, else beside the configuration."""
    beside = load(None, {}, database=f"sqlite:///{tmp_path}/deep/m.db")
    assert beside.secret_key_file == tmp_path / "deep/mooring.key"
    path = written(tmp_path, "[store]\nurl = 'postgresql://u:p@db/m'\n")
    assert load(path, {}).secret_key_file == tmp_path / "mooring.key"


def test_folder_is_read_as_one(tmp_path: Path) -> None:
    """All *.toml of a folder count, in order of name; other files do not."""
    written(tmp_path, TARGET.replace("port", "second"), "b.toml")
    written(tmp_path, "[server]\nport = 1\n" + TARGET.replace("port", "first", 1), "a.toml")
    written(tmp_path, "this is no TOML", "c.toml.bak")
    loaded = load(tmp_path, {})
    assert [target.name for target in loaded.targets] == ["first", "second"]


def test_folder_tells_what_clashes_between_files(tmp_path: Path) -> None:
    """One key or name in two files is a mistake that names both files."""
    written(tmp_path, "[server]\nport = 1\n" + TARGET, "a.toml")
    written(tmp_path, "[server]\nport = 2\n" + TARGET, "b.toml")
    assert mistakes(tmp_path) == [
        f"b.toml: server.port: is already set in {tmp_path}/a.toml".replace(f"{tmp_path}/", ""),
        "b.toml: targets[0].name: 'port' is already the name of targets[0] of a.toml",
    ]


def test_references_are_resolved(tmp_path: Path) -> None:
    """${VAR} is replaced anywhere in a text, file:/// by what the file holds, and $${ stays a plain ${."""
    secret = written(tmp_path, "tcp://127.0.0.1:23\n", "secret")
    path = written(
        tmp_path,
        f"""
        [[targets]]
        name = "a ${{WHO}} $${{WHO}}"
        url = "tcp://${{HOST}}:22"
        [[targets]]
        name = "b"
        url = "file://{secret}"
        """,
    )
    first, second = load(path, {"WHO": "me", "HOST": "127.0.0.1"}).targets
    assert first.name == "a me ${WHO}"
    assert first.probe.address == "127.0.0.1:22"
    assert second.probe.address == "127.0.0.1:23"


def test_reference_that_cannot_be_resolved_is_told_once(tmp_path: Path) -> None:
    """A missing variable is one mistake, not a second one about the value it would have had."""
    path = written(
        tmp_path,
        """
        [server]
        port = "${PORT}"
        [[targets]]
        name = "a"
        url = "${URL}"
        intervall = 3
        [[targets]]
        name = "b"
        kind = "tcp"
        url = "file:///no/such/secret"
        [[targets]]
        name = "c"
        url = "tcp://h:${1}"
        """,
    )
    assert mistakes(path) == [
        "mooring.toml: server.port: the environment variable PORT is not set",
        "mooring.toml: targets[0].url: the environment variable URL is not set",
        "mooring.toml: targets[1].url: file:///no/such/secret cannot be read: No such file or directory",
        "mooring.toml: targets[2].url: '${1}' names no environment variable; a plain ${ is written $${",
    ]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """All mistakes of a file come in one error, each with its file and key path."""
    path = written(
        tmp_path,
        """
        [server]
        port = 70000
        hots = "x"
        host_names = ["https://m.example"]
        reference_allow = ["*"]
        base_path = "mooring"
        trusted_proxies = ["10.0.0.0/99"]
        [store]
        url = "mysql://u:hunter2@db/m"
        raw_hours = 0
        [egress]
        deny = ["everything"]
        [defaults]
        interval = 1
        timeout = 5
        [severs]
        [[targets]]
        name = "a"
        url = "tcp://127.0.0.1:22"
        interval = "often"
        labels = { team = 3 }
        [[targets]]
        name = "a"
        kind = "tpc"
        [[targets]]
        url = "nonsense"
        [[targets]]
        name = "ok\\u202E"
        url = "tcp://127.0.0.1:22"
        depends_in = []
        """,
    )
    told = mistakes(path)
    assert "mooring.toml: server.port: has to be at most 65535" in told
    assert (
        "mooring.toml: server.hots: is not known here; did you mean host? known are "
        "host, port, base_path, public_paths, host_names, reference_allow, secret_key_file, trusted_proxies"
        in told
    )
    assert "mooring.toml: server.base_path: has to begin with a slash, for example /mooring" in told
    assert (
        "mooring.toml: server.trusted_proxies.0: '10.0.0.0/99' is no address "
        "and no network such as 10.0.0.0/8" in told
    )
    assert (
        "mooring.toml: store.url: has to be sqlite:///path or postgresql://user:password@host/database"
        in told
    )
    assert "mooring.toml: store.raw_hours: has to be at least 1" in told
    assert any(line.startswith("mooring.toml: egress.deny: 'everything' is no group") for line in told)
    assert "mooring.toml: defaults.timeout: is 5 s, longer than the interval of 1 s" in told
    assert any(
        line.startswith("mooring.toml: severs: is not known here; did you mean server?") for line in told
    )
    assert any(line.startswith("mooring.toml: targets[0].interval: has to be a number") for line in told)
    assert "mooring.toml: targets[0].labels.team: has to be text" in told
    assert "mooring.toml: targets[1].name: 'a' is already the name of targets[0]" in told
    assert any(
        line.startswith("mooring.toml: targets[1].kind: there is no kind 'tpc'; did you mean tcp")
        for line in told
    )
    assert any(
        line.startswith("mooring.toml: targets[2].url: an address begins with its kind") for line in told
    )
    assert "mooring.toml: targets[2].name: is missing" in told
    assert any(line.startswith("mooring.toml: targets[3].name: holds U+202E") for line in told)
    assert any(
        line.startswith("mooring.toml: targets[3].depends_in: is not a known setting") for line in told
    )
    assert (
        "mooring.toml: server.host_names.0: 'https://m.example' is no host name; "
        "it stands without scheme and port" in told
    )
    assert "mooring.toml: server.reference_allow.0: '*' has to begin with env:, file:/ or kind:" in told
    assert len(told) == 19
    assert "hunter2" not in "".join(told)


def test_name_that_cannot_be_seen_is_told_with_its_place(tmp_path: Path) -> None:
    """What the API refuses as a name is refused in a file too."""
    path = written(tmp_path, '[[targets]]\nname = "po\u200brt"\nurl = "tcp://127.0.0.1:22"\n')
    message = "holds U+200B; control, invisible and bidirectional characters are refused"
    assert mistakes(path) == [f"mooring.toml: targets[0].name: {message}"]


@pytest.mark.parametrize("section", ["[[channels]]", "[[alert_rules]]", "[export.influxdb]"])
def test_section_of_a_later_version_is_refused(tmp_path: Path, section: str) -> None:
    """What this version cannot do is refused: an alert rule that is ignored would never ring."""
    name = section.strip("[]").partition(".")[0]
    assert mistakes(written(tmp_path, section)) == [
        f"mooring.toml: {name}: is not supported by this version of Mooring; take it out"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[server\n", "mooring.toml: Expected ']' at the end of a table declaration (at line 1, column 8)"),
        (b"[server]\n# \xff\n", "mooring.toml: is not UTF-8 text: line 2 holds the byte 0xff"),
        (b"#" * (10 * 1024 * 1024 + 1), "mooring.toml: is larger than 10 MB"),
        (b"x = " + b"[" * 5000, "mooring.toml: is nested too deeply"),
        (b"server = 3", "mooring.toml: server: has to be a table, written [server]"),
        (b"[targets]", "mooring.toml: targets: has to be an array of tables, each written [[targets]]"),
        (b"targets = [1]", "mooring.toml: targets[0]: has to be a table, written [[targets]]"),
    ],
)
def test_file_that_cannot_be_used_is_told(tmp_path: Path, content: bytes, expected: str) -> None:
    """A file that is no configuration at all says where and why."""
    assert mistakes(written(tmp_path, content)) == [expected]


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing file and an empty folder are mistakes that name them."""
    assert mistakes(tmp_path / "mooring.toml") == ["mooring.toml: cannot be read: No such file or directory"]
    with pytest.raises(InputError) as caught:
        load(tmp_path, {})
    assert str(caught.value) == f"{tmp_path}: the folder holds no file that ends in .toml"


def test_mistakes_outside_the_file_name_their_place() -> None:
    """A wrong variable is told by its own name, a wrong option by its."""
    with pytest.raises(InputError) as caught:
        load(None, {"MOORING_PORT": "many"}, base_path="x")
    assert [str(problem) for problem in caught.value.problems] == [
        "environment: MOORING_PORT: has to be a whole number",
        "base_path: has to begin with a slash, for example /x",
    ]


def test_settings_never_print_a_secret(tmp_path: Path) -> None:
    """Neither repr nor str nor a dump shows the password of the store."""
    loaded = load(written(tmp_path, "[store]\nurl = 'postgresql://me:hunter2@db/m'\n"), {})
    assert "hunter2" not in f"{loaded!r} {loaded} {loaded.store!r} {loaded.model_dump()}"
    assert "postgresql://me:***@db/m" in repr(loaded)


def test_relative_paths_are_taken_from_the_file(tmp_path: Path) -> None:
    """A target's sqlite address stands relative to the configuration, an absolute one as it is."""
    path = written(tmp_path, "[store]\nurl = 'sqlite:///m.db?x=1'\n")
    assert load(path, {}).store.file == tmp_path / "m.db"
    path = written(tmp_path, "[store]\nurl = 'sqlite:////var/m.db'\n")
    assert load(path, {}).store.file == Path("/var/m.db")


_VALUES = st.recursive(
    st.none().map(lambda _: "''")
    | st.integers().map(str)
    | st.floats(allow_nan=True).map(lambda x: repr(x) if "e" not in repr(x) else "1.5")
    | st.booleans().map(lambda b: str(b).lower())
    | st.sampled_from(
        ["'${X}'", "'tcp://h:1'", "'tcp'", "'file:///proc/self/mem'", "2026-01-01", "'\\u0000'"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["ca", "x", "verify", "0"]), inner, max_size=2).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=5,
)
_KEYS = st.sampled_from([*TargetKeys.model_fields, *ServerSettings.model_fields, *StoreSettings.model_fields])
_TABLES = st.builds(
    lambda head, keys: "\n".join([head, *(f"{key} = {value}" for key, value in keys.items())]),
    st.sampled_from(
        ["[[targets]]", "[[targets]]", "[server]", "[store]", "[egress]", "[defaults]", "[pools]"]
    ),
    st.dictionaries(_KEYS, _VALUES, max_size=5),
)


def _loads_or_tells(path: Path) -> None:
    problems = None
    try:
        load(path, {})
    except InputError as error:
        problems = error.problems
    assert problems is None or {problem.where for problem in problems} == {str(path)}


@given(st.lists(_TABLES, max_size=4).map("\n".join))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tables_load_or_are_told(tmp_path: Path, text: str) -> None:
    """Whatever values stand under whatever keys, the answer is settings or a list of mistakes."""
    _loads_or_tells(written(tmp_path, text))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_load_or_are_told(tmp_path: Path, content: bytes) -> None:
    """Whatever bytes a file holds, the answer is settings or a list of mistakes."""
    _loads_or_tells(written(tmp_path, content))
