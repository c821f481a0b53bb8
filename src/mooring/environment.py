"""The environment's variables: which setting each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ENVIRONMENT: Mapping[str, str] = {
    "MOORING_HOST": "server.host",
    "MOORING_PORT": "server.port",
    "MOORING_BASE_PATH": "server.base_path",
    "MOORING_PUBLIC_PATHS": "server.public_paths",
    "MOORING_HOST_NAMES": "server.host_names",
    "MOORING_REFERENCE_ALLOW": "server.reference_allow",
    "MOORING_SECRET_KEY_FILE": "server.secret_key_file",
    "MOORING_TRUSTED_PROXIES": "server.trusted_proxies",
    "MOORING_DATABASE_URL": "store.url",
    "MOORING_EGRESS_ALLOW": "egress.allow",
    "MOORING_EGRESS_DENY": "egress.deny",
    "METRICS_COLLECTION_INTERVAL": "pools.report_interval",
    "METRICS_RETENTION_HOURS": "pools.retention_hours",
}
"""Variables stand above the file and below the command line. Lists are separated by commas."""
IN_MILLISECONDS = frozenset({"METRICS_COLLECTION_INTERVAL"})
"""Variables that other programs know, too, and count in milliseconds what the setting has in seconds."""
_LISTS = frozenset({"public_paths", "host_names", "reference_allow", "trusted_proxies", "allow", "deny"})


def given_by(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Yield each variable that is set, its setting, and the value as that takes it."""
    for variable, key in ENVIRONMENT.items():
        if variable not in environ:
            continue
        value: Any = environ[variable]
        if key.rpartition(".")[2] in _LISTS:
            value = [entry.strip() for entry in value.split(",") if entry.strip()]
        elif variable in IN_MILLISECONDS:
            value = _seconds(value)
        yield variable, key, value


def _seconds(milliseconds: str) -> float | str:
    """Return milliseconds as seconds; what is no number stays, and is told as such."""
    try:
        return float(milliseconds) / 1000
    except ValueError:
        return milliseconds
