"""The page of the closed sets: statuses, reasons, stages."""

from __future__ import annotations

from docs.generator.schema import table
from mooring.api.reasons import MEANINGS
from mooring.core.reason import Reason
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status

STATUSES = {
    Status.UP: "The last check passed and nothing was found to warn about.",
    Status.DEGRADED: "It works, with a warning: slow, little room left, a certificate near its end.",
    Status.DOWN: "It does not work. The failure says at which stage and why.",
    Status.UNKNOWN: "It was not tested yet, or could not be: the cause is on Mooring's side and is told.",
}
STAGES = {
    Stage.DNS: "The name resolves to an address that may be connected.",
    Stage.TCP: "Something accepts connections on the port.",
    Stage.TLS: "The handshake works and the certificate is trusted.",
    Stage.PROTOCOL: "What answers speaks the expected protocol.",
    Stage.AUTH: "The login is accepted.",
    Stage.PERMISSION: "What is needed is granted.",
    Stage.FUNCTION: "A real operation succeeds.",
}
STAGE_STATUSES = {
    StageStatus.PASSED: "It worked. Without a time where a driver passed it on its own.",
    StageStatus.WARNING: "It worked and something was seen that degrades the target.",
    StageStatus.FAILED: "This is the stage that failed; the failure tells why.",
    StageStatus.SKIPPED: "The check did not come that far, or had nothing to do here.",
}

PERMANENT = """Every failure has exactly one. Permanent means that trying again soon cannot help: a person
has to change something first, so it turns a target down at once, and `mooring wait` gives up on it."""
ORDER = """In the order in which most protocols pass them; some speak before TLS. What each proves for a kind
stands on the [kinds](kinds.md) page."""


def reasons() -> str:
    """Return the page of the closed sets. A new member without a meaning is a KeyError here."""
    groups = {
        "Nobody useful answered": [r for r in Reason if r.unreachable],
        "Somebody answered, and it is yours to fix": [r for r in Reason if not r.unreachable and not r.ours],
        "Mooring's own side: it could not test": [r for r in Reason if r.ours],
    }
    parts = [
        "# Statuses, reasons and stages",
        "All of these are closed sets: a program may rely on there being no others.",
        "## Status",
        table(("status", "meaning"), [[f"`{each}`", STATUSES[each]] for each in Status]),
        "## Reason",
        PERMANENT,
    ]
    for title, members in groups.items():
        parts += [
            f"### {title}",
            table(("reason", "makes", "permanent", "meaning", "what to do"), map(_reason, members)),
        ]
    parts += [
        "## Stage",
        ORDER,
        table(("stage", "what it proves"), [[f"`{each}`", STAGES[each]] for each in Stage]),
        table(("status of a stage", "meaning"), [[f"`{s}`", STAGE_STATUSES[s]] for s in StageStatus]),
    ]
    return "\n\n".join(parts)


def _reason(reason: Reason) -> list[str]:
    meaning, remedy = MEANINGS[reason]
    return [f"`{reason}`", f"`{reason.status}`", "yes" if reason.permanent else "", meaning, remedy]
