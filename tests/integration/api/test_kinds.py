"""What forms are drawn from: every setting of every kind says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.probes._form import title_of
from mooring.probes._registry import Kinds
from mooring.targets import ScheduleKeys, TargetKeys
from tests.http_api import Api

KINDS = [kind.described() for kind in Kinds().all()]


def fields_of(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield each field that a form shows, with its definition where it refers to one."""
    definitions = schema.get("$defs", {})
    for each in (schema, *definitions.values()):
        for name, field in each.get("properties", {}).items():
            if name != "kind":
                yield name, field, _meant(field, definitions)


def _meant(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    for each in (field, *field.get("anyOf", ())):
        if "$ref" in each:
            found: dict[str, Any] = definitions[each["$ref"].rpartition("/")[2]]
            return found
    return field


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["name"])
def test_every_setting_can_be_a_field(kind: dict[str, Any]) -> None:
    """Each has a title in sentence case, a description that is a sentence, and a type or a choice."""
    for name, field, meant in fields_of(kind["settings"]):
        assert field["title"][0].isupper(), name
        assert field["title"] == title_of(name), name
        assert field["description"], name
        assert {"type", "enum", "anyOf", "properties"} & meant.keys(), name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["name"])
def test_the_address_comes_first_and_has_an_example(kind: dict[str, Any]) -> None:
    """Where a kind has an address, it is the first field, and one shows how it is written."""
    names = [name for name in kind["settings"]["properties"] if name != "kind"]
    if "url" in names:
        assert names[0] == "url"
        example = kind["settings"]["properties"]["url"]["examples"][0]
        assert any(fnmatchcase(example.partition(":")[0], scheme) for scheme in kind["schemes"])
    if "tls" in names:
        assert names.index("tls") == len(kind["settings"]["properties"]) - 2


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["name"])
def test_an_example_is_accepted(kind: dict[str, Any]) -> None:
    """An address that a form shows as its example makes a target."""
    for example in kind["settings"]["properties"].get("url", {}).get("examples", ()):
        assert Kinds().get(kind["name"]).from_url(example).kind == kind["name"]


@pytest.mark.integration
async def test_what_all_targets_have_is_told_beside_the_kinds(api: Api) -> None:
    """`common` is the schema of all target keys but the kind, in JSON Schema's words, the name first."""
    common = (await api.viewer.get("/api/v1/kinds")).json()["common"]
    assert list(common["properties"])[:3] == ["name", "interval", "timeout"]
    assert common["properties"].keys() == TargetKeys.model_fields.keys() - {"kind"}
    assert common["required"] == ["name"]
    assert common["properties"]["interval"]["anyOf"][0] == {
        "type": "number",
        "minimum": 1,
        "maximum": 604800,
    }
    assert all(field["description"] and field["title"] for field in common["properties"].values())


@pytest.mark.integration
async def test_the_defaults_told_are_those_that_hold(api: Api) -> None:
    """A target that says nothing of its schedule has what its kind is told to have by default."""
    kinds = {each["name"]: each for each in (await api.viewer.get("/api/v1/kinds")).json()["items"]}
    for kind, interval in (("tcp", 30), ("tls", 300)):
        keys = {"name": kind, "url": f"{kind}://127.0.0.1:1", "enabled": False}
        target = (await api.admin.post("/api/v1/targets", json=keys)).json()
        told = kinds[kind]["defaults"]
        assert told.keys() == ScheduleKeys.model_fields.keys()
        assert told["interval"] == interval
        assert {key: target[key] for key in told} == told


@pytest.mark.integration
async def test_every_reason_is_explained(api: Api) -> None:
    """`reasons` tells of each what it means, what to do, and whether waiting can help."""
    reasons = (await api.viewer.get("/api/v1/kinds")).json()["reasons"]
    assert [each["name"] for each in reasons] == list(Reason)
    assert next(each for each in reasons if each["name"] == "auth") == {
        "name": "auth",
        "meaning": "The login was rejected.",
        "advice": "Correct user, password or token.",
        "permanent": True,
        "status": "down",
    }
