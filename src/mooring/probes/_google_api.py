"""The Cloud Healthcare API: its calls, and what its errors mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.http import Response, fetch
from mooring.net.http_request import Place, Request
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._google_errors import (
    GET,
    KNOWN,
    body_of,
    complaint,
    detail_of,
    document_of,
    lacks,
    not_the_api,
    says_why,
    where,
)
from mooring.probes._google_store import Store


class Api:
    """Asks the API with a token. A request's own stages are not told: the way there was, before."""

    def __init__(
        self, trail: Trail, place: Place, tls: TLSSettings, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self._trail = trail
        self._place = place
        self._tls = tls
        self._headers = headers

    async def get(self, path: str, accept: str = "application/json") -> Response:
        """Ask for a resource."""
        return await self._send(
            Request(self._at(path), "GET", (("Accept", accept),), self._headers, tls=self._tls)
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> Response:
        """Send a question that is JSON."""
        headers = (("Accept", "application/json"), ("Content-Type", "application/json"))
        data = json.dumps(body).encode()
        return await self._send(Request(self._at(path), "POST", headers, self._headers, data, self._tls))

    def _at(self, path: str) -> Place:
        return Place.parse(f"{self._place.scheme}://{self._place.authority}/v1/{path}")

    async def _send(self, request: Request) -> Response:
        return await fetch(self._trail.aside(), request)


async def demand_permissions(
    api: Api, answer: Response, store: Store, wanted: Sequence[str], account: str | None
) -> None:
    """Raise CheckError naming every permission that is missing.

    `answer` is that of getting the store: the list of what is granted is empty for a store that does not
    exist, and may name too much, so that the two are looked at together.
    """
    if answer.status == HTTPStatus.FORBIDDEN and detail_of(answer) in KNOWN:
        raise complaint(answer, store, account)
    asked = await api.post(f"{store.path}:testIamPermissions", {"permissions": list(wanted)})
    if asked.status != HTTPStatus.OK:
        raise complaint(asked, store, account)
    granted = body_of(asked).get("permissions") or []
    missing = [each for each in wanted if each not in granted]
    if answer.status == HTTPStatus.OK:
        missing = [each for each in missing if each != GET]
    elif not missing:
        raise complaint(answer, store, account)
    if missing:
        raise lacks(missing, store, account, unseen=not granted and answer.status != HTTPStatus.OK)


async def demand_store(api: Api, answer: Response, store: Store, account: str | None) -> None:
    """Raise CheckError where the store was not got: where it is not there, how far its path leads."""
    if answer.status == HTTPStatus.NOT_FOUND and not says_why(answer):
        raise not_the_api(answer)
    if answer.status == HTTPStatus.NOT_FOUND:
        raise await _narrowed(api, store)
    if answer.status != HTTPStatus.OK:
        raise complaint(answer, store, account)
    if body_of(answer).get("name") != store.path:
        raise not_the_api(answer)


async def search(api: Api, store: Store, account: str | None) -> bool:
    """Search for one study and return whether there is any. Raises CheckError."""
    answer = await api.get(f"{store.path}/dicomWeb/studies?limit=1", "application/dicom+json")
    if answer.status == HTTPStatus.NO_CONTENT:
        return False
    if answer.status != HTTPStatus.OK:
        raise complaint(answer, store, account)
    found = document_of(answer)
    if not isinstance(found, list):
        raise not_the_api(answer)
    return bool(found)


class _Missing(NamedTuple):
    """One thing in the path that is not there."""

    code: str
    what: Prose
    fix: str


async def _narrowed(api: Api, store: Store) -> CheckError:
    """Return the error for a path that leads nowhere, naming the first thing in it that is missing."""
    missing = _missing(store)
    depth = len(missing) - 1
    while depth > 0:
        above = store.above(depth) if depth > 1 else f"{store.above(1)}/locations"
        if (await api.get(above)).status != HTTPStatus.NOT_FOUND:
            break
        depth -= 1
    found = missing[depth]
    hint = Prose("Compare its spelling with what there is.")
    return CheckError(Reason.NOT_FOUND, found.what, code=found.code, hint=hint, fix=found.fix)


def _missing(store: Store) -> Sequence[_Missing]:
    project, location, dataset, name = store.project, store.location, store.dataset, store.name
    at = f"--location={location} --project={project}"
    return (
        _Missing("NO_SUCH_PROJECT", Prose("there is no project {it}", it=project), "gcloud projects list"),
        _Missing(
            "NO_SUCH_LOCATION",
            Prose("the project {project} has no location {it}", project=project, it=location),
            f"gcloud healthcare locations list --project={project}",
        ),
        _Missing(
            "NO_SUCH_DATASET",
            Prose("the location {location} has no dataset {it}", location=location, it=dataset),
            f"gcloud healthcare datasets list {at}",
        ),
        _Missing(
            "NO_SUCH_STORE",
            Prose("the dataset {dataset} has no DICOM store {it}", dataset=dataset, it=name),
            f"gcloud healthcare dicom-stores list {where(store)}",
        ),
    )
