"""Errors as people and programs can read them: what is refused, with which words, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.http_api import Api

pytestmark = pytest.mark.integration
JSON = {"Content-Type": "application/json"}


async def post(api: Api, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    """Send raw bytes as a new target."""
    return await api.operator.post("/api/v1/targets", content=content, headers=headers or JSON)


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"{'name': 1}", b'{"name": "\xff\xfe"}', b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000],
    ids=["cut", "empty", "quotes", "not utf-8", "binary", "deep", "a number too long"],
)
async def test_a_body_that_is_no_json_is_refused(api: Api, content: bytes) -> None:
    """What is not JSON in UTF-8 answers 400, an absent body 422, both as problems; nothing is stored."""
    answer = await post(api, content)
    assert answer.status_code == (400 if content else 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert (await api.viewer.get("/api/v1/targets")).json()["items"] == []


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000])
async def test_why_a_body_cannot_be_read_is_told(api: Api, content: bytes) -> None:
    """JSON that Python gives up reading is not called something else."""
    assert (await post(api, content)).json()["detail"] == (
        "The body cannot be read as JSON: it is no UTF-8, is nested too deeply, or holds too long a number."
    )


@pytest.mark.parametrize("depth", [21, 350, 900])
async def test_a_value_nested_too_deep_is_refused(api: Api, depth: int) -> None:
    """JSON that Python can read but not walk through answers 422, wherever it would be used."""
    body = '{"name": "x", "kind": "scripted", "notes": ' + '{"a": ' * depth + "1" + "}" * depth + "}"
    for path in ("/api/v1/targets", "/api/v1/check"):
        answer = await api.operator.post(path, content=body, headers=JSON)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "", "message": "a value is nested more than 20 deep"}]


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"null", b"7"])
async def test_a_body_that_is_no_object_is_refused(api: Api, content: bytes) -> None:
    """JSON of another shape answers 422 and says what shape it has to be."""
    answer = await post(api, content)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == ""


async def test_a_body_of_another_type_is_refused(api: Api) -> None:
    """A form or a body without a type is no JSON: 422, so that no other site's form can be one."""
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = await post(api, json.dumps({"name": "x", "kind": "scripted"}), headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"] == "has to be a JSON object, sent as application/json"


async def test_a_body_of_ten_megabytes_is_refused(api: Api) -> None:
    """More than 1 MB answers 413, whether it is declared or comes in chunks; 1 MB is read."""
    big = json.dumps({"name": "x" * 10_000_000}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    for content in (big, chunks()):
        answer = await post(api, content)
        assert answer.status_code == 413
        assert answer.json()["detail"] == "A body may have 1 MB."
    fits = json.dumps({"name": "x" * 1_000_000, "kind": "scripted"}).encode()
    assert (await post(api, fits)).json()["errors"][0]["field"] == "name"


async def test_an_unknown_query_key_is_refused(api: Api) -> None:
    """A misspelt filter answers 422 and names the known ones: it would let everything through."""
    answer = await api.viewer.get("/api/v1/targets?stauts=down")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "stauts",
            "message": "is not known here; known are cursor, enabled, id, kind, label, limit, q, status",
        }
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/targets?status=broken", "status.0"),
        ("/api/v1/targets?limit=0", "limit"),
        ("/api/v1/targets?limit=many", "limit"),
        ("/api/v1/targets?cursor=xyz", "cursor"),
        ("/api/v1/transitions?cursor=InNvb24i", "cursor"),
        ("/api/v1/targets/1/history?window=2h", "window"),
        ("/api/v1/targets/1/results?reason=bad", "reason"),
        ("/api/v1/targets/1/results?cursor=InNvb24i", "cursor"),
    ],
)
async def test_a_wrong_query_value_names_its_key(api: Api, path: str, field: str) -> None:
    """Each query value that cannot be used answers 422 with its key."""
    await api.add(name="web")
    answer = await api.viewer.get(path)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "path", ["/api/v1/targets/7", "/api/v1/targets/7/results", "/api/v1/targets/x", "/nothing", "/api/v1/x"]
)
async def test_what_is_not_there_answers_404(api: Api, path: str) -> None:
    """Unknown ids and unknown addresses answer 404 as a problem."""
    answer = await api.viewer.get(path)
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


async def test_a_method_that_is_not_taken_names_those_that_are(api: Api) -> None:
    """405 carries every method of the address in Allow; OPTIONS asks for nothing else."""
    answer = await api.admin.put("/api/v1/targets/1", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PATCH")
    asked = await api.admin.options("/api/v1/targets/check-all")
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, "OPTIONS, POST", b"")
    assert not any(name.startswith("access-control") for name in asked.headers)


async def test_head_answers_as_get_without_the_body(api: Api) -> None:
    """HEAD gives the status and the headers of GET; of an event stream too, at once."""
    for path in ("/api/v1/targets", "/metrics", "/livez", "/api/v1/targets/9"):
        head, get = await api.viewer.head(path), await api.viewer.get(path)
        assert (head.status_code, head.headers["content-type"]) == (
            get.status_code,
            get.headers["content-type"],
        )
        assert head.content == b""
    assert (await api.viewer.head("/api/v1/events")).headers["content-type"].startswith("text/event-stream")


async def test_every_answer_carries_the_security_headers(api: Api) -> None:
    """No answer, an error among them, may be framed, sniffed, kept or load anything."""
    for path in ("/api/v1/targets", "/nothing", "/livez", "/docs", "/"):
        headers = (await api.nobody.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_fault_of_ours_answers_500_without_details(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the code tells the client nothing, and the log all but secrets."""

    def broken(_: int) -> None:
        raise RuntimeError("could not reach postgresql://mon:s3cret-here@db/orders")

    monkeypatch.setattr(api.app.catalogue, "get", broken)
    answer = await api.viewer.get("/api/v1/targets/1")
    assert answer.status_code == 500
    assert answer.json()["detail"] == "Mooring made a mistake; its log says which."
    assert "GET /api/v1/targets/{target_id:int} failed" in caplog.text
    assert "postgresql://***@db/orders" in caplog.text or "postgresql://mon:***@db/orders" in caplog.text
    assert "s3cret-here" not in caplog.text + answer.text


async def test_the_documents_load_nothing_from_elsewhere(api: Api) -> None:
    """The list of operations holds no script and names no other address."""
    answer = await api.nobody.get("/docs")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "src=" not in answer.text
