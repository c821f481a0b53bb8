"""Whose a DataHub token is, what it may do, and how a missing right is granted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._datahub import POLICIES, SOURCES
from mooring.probes._datahub_answer import Answer, found

CORP_USER = "urn:li:corpuser:"


_BY_LINE = Prose(
    "Grant {actor} the platform privilege {titles}, under Settings > Permissions > Policies or by this line "
    "in /api/graphiql; or leave out of `permissions` what is not needed."
)
_BY_HAND = Prose(
    "Make sure that {actor} is whose token this is: only DataHub says so. Then grant it the platform "
    "privilege {titles}, under Settings > Permissions > Policies; or leave out of `permissions` what is "
    "not needed."
)


class Privilege(NamedTuple):
    """What a token may be demanded to do: what is asked for, and what DataHub calls the right to it."""

    field: str
    document: str
    flag: str
    name: str
    title: Prose
    deed: Prose


PRIVILEGES: Mapping[str, Privilege] = {
    "policies": Privilege(
        "listPolicies",
        POLICIES,
        "managePolicies",
        "MANAGE_POLICIES",
        Prose('"Manage Policies"'),
        Prose("list policies"),
    ),
    "ingestion_sources": Privilege(
        "listIngestionSources",
        SOURCES,
        "manageIngestion",
        "MANAGE_INGESTION",
        Prose('"Manage Metadata Ingestion"'),
        Prose("list ingestion sources"),
    ),
}


class Actor(NamedTuple):
    """Who we are, as DataHub sees it."""

    urn: str
    username: str
    may: Mapping[str, Any]
    """What `platformPrivileges` says."""
    version: str | None
    tokens_count: bool
    """Whether DataHub says that it looks at tokens at all."""

    @classmethod
    def of(cls, answer: Answer) -> Actor:
        """Read the answer to ME. Raises CheckError where it names nobody."""
        me = answer.part("me")
        urn = found(me, "corpUser", "urn")
        if not isinstance(urn, str):
            raise CheckError(Reason.PROTOCOL, Prose("DataHub does not say who we are"), code="NO_DATA")
        config, may = answer.data.get("appConfig"), found(me, "platformPrivileges")
        return cls(
            urn,
            str(found(me, "corpUser", "username") or urn.removeprefix(CORP_USER)),
            may if isinstance(may, dict) else {},
            found(config, "appVersion"),
            found(config, "authConfig", "tokenAuthEnabled") is True,
        )

    def called(self, name: str) -> bool:
        """Whether this is the actor of that name or urn."""
        return name in (self.urn, self.username)

    def proved_by(self, name: str | None) -> bool:
        """Whether somebody but the server, which may call a user as it likes, says that we are this actor."""
        return name is not None and self.urn in (name, CORP_USER + name)


def lacking(actor: str, missing: Sequence[Privilege], *, proved: bool) -> CheckError:
    """Return the error for privileges that are missing, with the line that grants them.

    `proved`: that we are this actor is not the server's word alone, which could name anybody.
    """
    titles, deeds = missing[0].title, missing[0].deed
    for each in missing[1:]:
        titles = Prose("{those} and {this}", those=titles, this=each.title)
        deeds = Prose("{those} nor {this}", those=deeds, this=each.deed)
    return CheckError(
        Reason.PERMISSION,
        Prose("{actor} may not {deeds}: it lacks {titles}", actor=actor, deeds=deeds, titles=titles),
        code=missing[0].name if len(missing) == 1 else "PRIVILEGES_MISSING",
        hint=(_BY_LINE if proved else _BY_HAND).filled(actor=actor, titles=titles),
        fix=_policy(actor, [each.name for each in missing]) if proved else None,
    )


def _policy(actor: str, names: Sequence[str]) -> str:
    """Return the mutation that an administrator can paste. JSON's strings and lists are GraphQL's too."""
    return (
        'mutation { createPolicy(input: {type: PLATFORM, name: "Mooring", state: ACTIVE, '
        'description: "What Mooring checks", '
        f"privileges: {json.dumps(names)}, actors: {{users: {json.dumps([actor])}, groups: [], "
        "resourceOwners: false, allUsers: false, allGroups: false}}) }"
    )
