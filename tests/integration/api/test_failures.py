"""What failed on days past."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mooring.testing import FakeClock
from tests.http_api import Api, running
from tests.stored import prune, roll_up

DAY = timedelta(days=1)


async def age(api: Api, clock: FakeClock) -> None:
    """Let three days pass, and keep house as the server does."""
    await clock.advance(3 * DAY.total_seconds())
    now = clock.now()
    await api.app.store.write(lambda conn: roll_up(conn, now))
    await api.app.store.write(lambda conn: prune(conn, now))


async def test_failures_past_their_day_are_told_first_last_and_how_often(tmp_path: Path) -> None:
    """Each cause of each day is one row, the newest day first; a part never cuts a day in two."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        target = await api.add(name="web", script=["refused", "refused", "auth", "refused"])
        path = f"/api/v1/targets/{target['id']}"
        for seconds in (60, 60, DAY.total_seconds(), 60):
            await api.operator.post(f"{path}/check")
            await clock.advance(seconds)
        began = clock.now()
        await age(api, clock)
        assert (await api.viewer.get(f"{path}/results")).json()["items"] == []
        newest = (await api.viewer.get(f"{path}/failures?limit=2")).json()
        assert [(row["count"], row["first"]["reason"]) for row in newest["items"]] == [(1, "refused")]
        rest = (await api.viewer.get(f"{path}/failures", params={"cursor": newest["next"]})).json()
        assert [(row["count"], row["last"]["reason"]) for row in rest["items"]] == [
            (2, "refused"),
            (1, "auth"),
        ]
        assert rest["items"][0]["first_at"] < rest["items"][0]["last_at"]
        assert {row["day"] for row in rest["items"]} == {(began - DAY).date().isoformat()}
        assert rest["next"] is None


async def test_a_cursor_that_is_no_day_is_refused(tmp_path: Path) -> None:
    """A made-up cursor is named as the mistake."""
    async with running(tmp_path) as api:
        target = await api.add(name="web")
        answer = await api.viewer.get(f"/api/v1/targets/{target['id']}/failures?cursor=InNvb24i")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "cursor"
