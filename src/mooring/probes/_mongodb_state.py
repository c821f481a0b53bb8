"""What a member says of itself, and whether that is what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.trail import Trail

WRITABLE = ("primary", "standalone", "mongos")
READABLE = (*WRITABLE, "secondary")
_WANTED = {"primary": WRITABLE, "secondary": ("secondary",), None: READABLE}


def role_of(hello: Mapping[str, Any]) -> str:
    """Return what a member is, in the words of MongoDB."""
    if hello.get("msg") == "isdbgrid":
        return "mongos"
    if "setName" not in hello:
        return "uninitialised" if hello.get("isreplicaset") else "standalone"
    if hello.get("isWritablePrimary", hello.get("ismaster")):
        return "primary"
    if hello.get("secondary"):
        return "secondary"
    return "arbiter" if hello.get("arbiterOnly") else "recovering"


def demand_set(hello: Mapping[str, Any], wanted: str | None) -> None:
    """Raise CheckError where the member is of another replica set than the address says."""
    found = hello.get("setName")
    if wanted and wanted != found and role_of(hello) != "mongos":
        raise CheckError(
            Reason.ASSERTION,
            f"the replica set is {found}, not {wanted}" if found else f"there is no replica set {wanted}",
            code="WRONG_REPLICA_SET",
            hint=Prose("Correct replicaSet= in the address, or the host."),
        )


def demand_role(hello: Mapping[str, Any], wanted: str | None, trail: Trail) -> None:
    """Raise CheckError where the replica set is in no state to be used, or not as it is asked for."""
    role = role_of(hello)
    if role not in READABLE:
        raise CheckError(
            Reason.UNAVAILABLE,
            Prose("the member is {role} and takes no reads", role=role),
            code="NOT_READABLE",
            hint=Prose("Look at rs.status(): how far it is, and whether it is to be a member at all."),
        )
    if role == "secondary" and not hello.get("primary"):
        _miss_primary(wanted, trail)
    if role not in _WANTED[wanted]:
        raise CheckError(
            Reason.ASSERTION,
            Prose("the server is a {role}, not a {wanted}", role=role, wanted=wanted),
            code="WRONG_ROLE",
            hint=Prose("Name every member in the address; else change this target's role."),
        )


def _miss_primary(wanted: str | None, trail: Trail) -> None:
    if wanted != "primary":
        trail.warn(Prose("the replica set has no primary: nothing can be written"), Stage.FUNCTION)
        return
    raise CheckError(
        Reason.UNAVAILABLE,
        Prose("the replica set has no primary"),
        code="NO_PRIMARY",
        hint=Prose("A majority of members has to see each other to choose one: see rs.status()."),
    )
