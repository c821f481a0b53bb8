"""One wake-up at the earliest moment it was set to."""

from __future__ import annotations

from mooring.engine.alarm import Alarm
from mooring.testing import FakeClock


async def test_the_earliest_moment_counts() -> None:
    """An earlier moment moves the alarm forward; a later one leaves it."""
    clock, rung = FakeClock(), []
    alarm = Alarm(clock, lambda: rung.append(clock.monotonic()))
    alarm.set(10)
    alarm.set(5)
    alarm.set(8)
    await clock.advance(60)
    assert rung == [5.0]


async def test_an_alarm_can_be_set_again_while_it_rings() -> None:
    """What rings can set the next alarm."""
    clock, rung = FakeClock(), []

    def ring() -> None:
        rung.append(clock.monotonic())
        alarm.set(clock.monotonic() + 10)

    alarm = Alarm(clock, ring)
    alarm.set(0)
    await clock.advance(25)
    assert rung == [0.0, 10.0, 20.0]
    alarm.clear()


async def test_a_cleared_alarm_does_not_ring() -> None:
    """After `clear` nothing rings."""
    clock, rung = FakeClock(), []
    alarm = Alarm(clock, lambda: rung.append(1))
    alarm.set(1)
    alarm.clear()
    await clock.advance(5)
    assert rung == []
