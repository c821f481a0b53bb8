"""What is wanted of the processes of a pool, over a restart of the server."""

from __future__ import annotations

from datetime import timedelta

from mooring.core.report import WishKind
from mooring.testing import FakeClock
from tests.unit.engine.conftest import OpenApp
from tests.unit.engine.test_pools import only, sweep, tell


async def test_a_wish_after_a_restart_is_above_those_before(open_app: OpenApp, clock: FakeClock) -> None:
    """Also where the server's clock is behind by then: a process carries them out by their ids."""
    app = await open_app()
    await tell(app)
    first, _ = app.pools.want(only(app).id, WishKind.STOP)
    await sweep(app, clock, 10)
    clock._start -= timedelta(minutes=2)
    again = await open_app()
    second, _ = again.pools.want(only(again).id, WishKind.START)
    assert second.id == first.id + 1
    assert (await tell(again)).wishes == [first, second]
