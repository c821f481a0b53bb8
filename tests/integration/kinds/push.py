"""Push: nothing is asked, so that only what the kind says of itself is under the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example

DIALS = False


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """There is no target that is up without having reported."""
    pytest.skip("push is told, not asked")
    yield Example(settings={}, broken={})
