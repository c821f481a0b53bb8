"""What the API answers and takes, as OpenAPI declares it.

Answers are built by `export/json.py` and by the routes as plain values; these models describe them.
A test holds every answer against its model.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    RootModel,
    field_validator,
)
from pydantic_core import CoreSchema

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.core.target import Origin
from mooring.probes._form import readable
from mooring.targets import TargetKeys

Item = TypeVar("Item")
HIGHEST_ID = 2**53 - 1
"""The highest integer that every JSON reader keeps exactly."""
DEEPEST = 20
"""Levels of lists and objects in a setting; no kind has more than three, and Python gives up at hundreds."""

Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]


class Answer(BaseModel):
    """An answer: every key is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Request(BaseModel):
    """A body or query: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Page(Answer, Generic[Item]):
    """A part of a list. `next` is the cursor of the part that follows, null at the end."""

    items: list[Item]
    next: str | None


class TargetRefAnswer(Answer):
    """What a result says of its target. `id` is null where it is not stored."""

    id: int | None
    name: str
    kind: str
    address: str = Field(description="Where it is, without any secret.")


class FailureAnswer(Answer):
    """Why a check failed and what to do about it."""

    reason: Reason
    stage: Stage | None
    code: str
    message: str
    hint: str | None
    fix: str | None = Field(
        description="What can be pasted as it stands: a statement, a command, a line of a configuration file."
    )


class StageAnswer(Answer):
    """One step of a check. `seconds` is null where it was skipped or has no time of its own."""

    name: Stage
    status: StageStatus
    seconds: float | None


class ResultAnswer(Answer):
    """One run of a check."""

    target: TargetRefAnswer
    status: Status
    failure: FailureAnswer | None
    stages: list[StageAnswer]
    details: dict[str, Any]
    numbers: dict[str, float | None]
    warnings: list[str]
    started_at: datetime
    seconds: float
    region: str
    trigger: Trigger


class Summary(Answer):
    """How many there are of each status."""

    up: int
    degraded: int
    down: int
    unknown: int
    paused: int


class ReportAnswer(Answer):
    """What a check or several found."""

    summary: Summary
    results: list[ResultAnswer]


class HealthAnswer(Answer):
    """Where a target stands now."""

    status: Status
    since: datetime | None
    checking: bool
    confirming: list[int] | None = Field(
        description="[n, m]: n of the m equal results in a row that it takes are in; null otherwise."
    )
    last: ResultAnswer | None
    next_check_at: datetime | None
    calm: bool = Field(
        description="Whether so many logins were rejected in a row that one is tried once an hour, until "
        "its settings change or a person tests it: so no account is locked."
    )


class TargetAnswer(Answer):
    """A target: its keys, beside them the settings of its kind (secrets masked by `***`), and its health."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=True)

    id: int
    origin: Origin = Field(description="file: from the configuration file, and edited there.")
    version: int = Field(description="Counts its edits; send it back with an edit so that none is lost.")
    changed_at: datetime | None = Field(description="When it was last edited.")
    address: str = Field(description="Where it is, without any secret.")
    health: HealthAnswer
    name: str
    kind: str
    interval: float
    timeout: float
    retry: bool
    retry_delay: float
    failures_before_down: int
    successes_before_up: int
    degraded_above: float | None = None
    labels: dict[str, str]
    enabled: bool
    depends_on: list[str]
    regions: list[str]
    quorum: int


class NewTargetAnswer(TargetAnswer):
    """A target just stored or changed."""

    report_to: str | None = Field(
        description="Of the kind push, when its token is new: the path to report to. It is shown this once."
    )


class _Flat(RootModel[dict[str, Any]]):
    """Flat keys, which `TargetReader` reads: it alone knows the kinds and tells every mistake at once."""

    more: ClassVar[dict[str, Any]] = {}
    required: ClassVar[list[str]] = []

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        keys = readable(TargetKeys.model_json_schema())["properties"]
        return {
            "type": "object",
            "description": cls.__doc__ or "",
            "properties": {**keys, "url": _URL, **cls.more},
            "required": cls.required,
            "additionalProperties": _SETTING,
        }

    @field_validator("root")
    @classmethod
    def _text(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """Refuse what no database and no other program can hold: half a surrogate pair, a bottomless nest."""
        for key, value in keys.items():
            try:
                (key + _texts(value, DEEPEST)).encode()
            except UnicodeEncodeError:
                raise ValueError(f"{key!a} holds half of a surrogate pair, which is no character") from None
        return keys


def _texts(value: Any, deepest: int) -> str:
    """Return every text in a value, joined. Raises ValueError where it is nested more than that deep."""
    if not isinstance(value, (dict, list)):
        return value if isinstance(value, str) else ""
    if not deepest:
        raise ValueError(f"a value is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        return "".join(f"{key}{_texts(item, deepest - 1)}" for key, item in value.items())
    return "".join(_texts(item, deepest - 1) for item in value)


_URL = {
    "type": "string",
    "writeOnly": True,
    "maxLength": 4096,
    "description": "The address; it also says the kind where that is left out. Comes back masked.",
}
_FOUND = {"type": "string", "description": "What POST /api/v1/discover gave; it holds the secret."}
_VERSION = {"type": "integer", "minimum": 1, "description": "The version that this edit is based on."}
_ID = {"type": "integer", "minimum": 1, "description": "A stored target, whose masked secrets are meant."}
_SETTING = {"description": "A setting of the kind; GET /api/v1/kinds has the schema of each."}


class TargetInput(_Flat):
    """A target to be stored: the keys of a `[[targets]]` table, flat."""

    more: ClassVar = {"found": _FOUND}
    required: ClassVar = ["name"]


class TargetPatch(_Flat):
    """What is to change of a target. A secret sent back masked, as it came, stays; null removes a setting."""

    more: ClassVar = {"version": _VERSION}


class CheckInput(_Flat):
    """A target to be tested before it is stored: an address alone, or all its keys."""

    more: ClassVar = {"id": _ID, "found": _FOUND}


class TransitionAnswer(Answer):
    """One change of health."""

    target_id: int | None
    old: Status
    new: Status
    at: datetime
    failure: FailureAnswer | None
    note: str | None


class MonitoringAnswer(Answer):
    """Whether Mooring itself works."""

    active: bool
    last_tick: datetime | None
    lag: float | None = Field(description="Seconds by which checks start later than planned.")
    last_write: datetime | None
    store_error: str | None
