"""A program run to its end: its output bounded, and nothing of it left however this ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

OUTPUT_LIMIT = 64 * 1024
"""Bytes of each output that are kept. The rest is read and thrown away, so that the program goes on."""
ROUNDS = 5
"""Looks at what is left of a session: who is about to be killed may still start another."""
LAST_WORDS = 0.2
"""Seconds that a program which has ended may keep its outputs open, as one that left a child behind does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. A negative status is the signal that killed it."""

    status: int
    output: str
    errors: str


async def run(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path | None, given: bytes
) -> Ended:
    """Run a program in a session of its own, without a shell, and return how it ended.

    Raises OSError where it cannot be started. When it ends, fails or is cancelled, all of its session is
    killed: only what made a session of its own goes on.
    """
    loop = asyncio.get_running_loop()
    transport, child = await loop.subprocess_exec(
        _Child, *command, env=dict(environment), cwd=folder, start_new_session=True
    )
    try:
        if (pipe := transport.get_pipe_transport(0)) is not None:
            stdin = cast(asyncio.WriteTransport, pipe)
            stdin.write(given)
            stdin.close()  # after what is written, or when the program closes it unread
        await child.exited.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await child.closed.wait()
    finally:
        _kill_session(transport.get_pid())
        with suppress(TimeoutError):  # a program that hangs in the kernel ends when that lets it
            async with asyncio.timeout(LAST_WORDS):
                await child.exited.wait()
        transport.close()
    return Ended(cast(int, transport.get_returncode()), child.text(1), child.text(2))


@dataclass(slots=True)
class _Child(asyncio.SubprocessProtocol):
    """What is heard of one program."""

    exited: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: dict[int, bytearray] = field(default_factory=lambda: {1: bytearray(), 2: bytearray()})

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        heard = self._heard[fd]
        heard += data[: OUTPUT_LIMIT - len(heard)]

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost tells nothing
        self.closed.set()

    def text(self, fd: int) -> str:
        """Return what was heard; half a character at the cut is shown as such."""
        return self._heard[fd].decode(errors="replace")


def _kill_session(leader: int) -> None:
    """Kill what is left of a session. Its number stays taken while anything is in it."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    for _ in range(ROUNDS):
        left = [pid for pid in _processes() if _session_of(pid) == leader]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> list[int]:
    """Return all processes; none where the system does not list them, and the group has to do."""
    try:
        return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    except OSError:
        return []


def _session_of(pid: int) -> int | None:
    """Return the session of a process that runs; None of one that has ended and is not reaped yet."""
    try:
        _, _, behind = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
    except OSError:
        return None
    state, _, _, session = behind.split()[:4]
    return None if state == "Z" else int(session)
