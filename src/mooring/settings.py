"""What an installation is told: values, each with its default and its limits."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    SkipValidation,
    model_validator,
)

from mooring.core.redact import masked
from mooring.core.target import Schedule, Target
from mooring.net.egress import DEFAULT_DENY, EgressPolicy
from mooring.pools.line import LONGEST, SHORTEST

SECRET_KEY = "mooring.key"  # noqa: S105  the name of a file, which stands beside the database

TOKEN = "mooring.token"  # noqa: S105  likewise


def _is_path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"has to begin with a slash, for example /{path[:80]}")
    return path


def _is_network(entry: str) -> str:
    try:
        ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{entry[:80]!r} is no address and no network such as 10.0.0.0/8") from None
    return entry


def _is_host_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,253}", name):
        raise ValueError(f"{name[:80]!r} is no host name; it stands without scheme and port")
    return name


def _is_reference(entry: str) -> str:
    if not entry.startswith(("env:", "file:/", "kind:")):
        raise ValueError(f"{entry[:80]!r} has to begin with env:, file:/ or kind:")
    return entry


def _is_store(url: SecretStr) -> SecretStr:
    scheme, separator, rest = url.get_secret_value().partition("://")
    if not separator or scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("has to be sqlite:///path or postgresql://user:password@host/database")
    if scheme.startswith("sqlite") and rest and not rest.startswith("/"):
        raise ValueError("a SQLite address has three slashes before a relative path: sqlite:///mooring.db")
    return url


_Path = Annotated[str, AfterValidator(_is_path)]
_Name = Annotated[str, AfterValidator(_is_host_name)]
_Reference = Annotated[str, AfterValidator(_is_reference)]
_Network = Annotated[str, AfterValidator(_is_network)]


class Section(BaseModel):
    """A table of the configuration. Unknown keys are refused; what was refused is never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServerSettings(Section):
    """How the server is reached."""

    host: str = Field("127.0.0.1", min_length=1, max_length=255, description="Address to listen on.")
    port: int = Field(8321, ge=0, le=65535, description="Port to listen on; 0 takes any that is free.")
    base_path: Annotated[_Path, AfterValidator(lambda path: path.rstrip("/") or "/")] = Field(
        "/", description="Where a proxy in front has put Mooring, for example /mooring."
    )
    public_paths: tuple[_Path, ...] = Field(
        (), description="Paths that are answered without signing in, for example /metrics."
    )
    host_names: tuple[_Name, ...] = Field(
        (), description="Names beside localhost and this machine's under which the server answers."
    )
    reference_allow: tuple[_Reference, ...] = Field(
        (),
        description="What of the server's machine admins may name over the API: "
        "env:NAME, file:/path, kind:NAME; * stands for anything.",
    )
    secret_key_file: Path | None = Field(
        None,
        description="Key that seals stored secrets; made where it is missing. Default: beside the database.",
    )
    trusted_proxies: tuple[_Network, ...] = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded headers are believed."
    )


class StoreSettings(Section):
    """Where results are kept, and for how long."""

    url: Annotated[SecretStr, AfterValidator(_is_store)] = Field(
        SecretStr("sqlite:///mooring.db"),
        description="sqlite:///path or postgresql://user:password@host/database.",
    )
    raw_hours: int = Field(6, ge=1, le=8760, description="Hours that single results are kept.")
    rollup_10min_days: int = Field(7, ge=1, le=3650, description="Days that 10-minute roll-ups are kept.")
    rollup_hour_days: int = Field(90, ge=1, le=36500, description="Days that hourly roll-ups are kept.")

    @property
    def file(self) -> Path | None:
        """The database's file; None for a database in memory or on a server."""
        scheme, _, rest = self.url.get_secret_value().partition(":///")
        path = rest.partition("?")[0]
        return Path(path) if scheme.startswith("sqlite") and path not in ("", ":memory:") else None


def _obeyed(interval: Any) -> Any:
    """Name the unit of what programs would not obey: a variable may have given it in another."""
    if isinstance(interval, (int, float)) and not SHORTEST <= interval <= LONGEST:
        raise ValueError(f"is {interval:g} s; programs report every {SHORTEST:g} to {LONGEST:g} s")
    return interval


class PoolSettings(Section):
    """The pools that programs report: when they are too full, and how long their past is kept."""

    warning: float = Field(
        0.80, gt=0, le=1, allow_inf_nan=False, description="Share of the limit in use that degrades a pool."
    )
    critical: float = Field(
        0.95, gt=0, le=1, allow_inf_nan=False, description="Share of the limit in use that makes it down."
    )
    stale_after: float = Field(
        300, ge=1, le=604800, description="Seconds without a report after which a pool is told as inactive."
    )
    cooldown: float = Field(
        300, ge=0, le=604800, description="Seconds within which the same alert of a pool is told once."
    )
    cleanup_interval: float = Field(
        30, ge=1, le=3600, description="Seconds between two looks for silent processes, and two samples."
    )
    report_interval: Annotated[float, BeforeValidator(_obeyed)] = Field(
        30, ge=SHORTEST, le=LONGEST, description="Seconds between two reports that programs are asked for."
    )
    retention_hours: int = Field(
        24, ge=1, le=8760, description="Hours that single samples are kept; 10-minute roll-ups: 7 days."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warning > self.critical:
            raise ValueError(f"warning: is {self.warning:g}, more than critical ({self.critical:g})")
        return self


class EgressSettings(Section):
    """Where checks may connect to, as groups (any, loopback, private, ...), networks or addresses."""

    allow: tuple[str, ...] = Field((), description="What may be connected although `deny` names it.")
    deny: tuple[str, ...] = Field(DEFAULT_DENY, description="What no check may connect to.")


class Settings(BaseModel):
    """Everything an installation is told. Printing it shows no secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    sections: ClassVar[tuple[str, ...]] = ("server", "store", "egress", "defaults", "pools")

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    egress: SkipValidation[EgressPolicy] = EgressPolicy()
    defaults: SkipValidation[Schedule] = Schedule()
    pools: PoolSettings = PoolSettings()
    targets: SkipValidation[tuple[Target, ...]] = ()
    path: Path | None = None
    """The file or folder that was read."""

    @property
    def secret_key_file(self) -> Path:
        """The key's file: as set, else beside the database, else beside the configuration."""
        if self.server.secret_key_file is not None:
            return self.server.secret_key_file
        beside = self.store.file or (self.path / "x" if self.path and self.path.is_dir() else self.path)
        return (beside.parent if beside else Path()) / SECRET_KEY

    @property
    def token_file(self) -> Path:
        """Where the first start keeps its admin token: beside the database."""
        return (self.store.file or self.secret_key_file).parent / TOKEN

    def __repr__(self) -> str:
        """Name what there is; the settings themselves may hold secrets."""
        store = masked(self.store.url.get_secret_value())
        return f"Settings(path={self.path}, store={store}, {len(self.targets)} targets)"

    __str__ = __repr__
