"""The pages that stand in until there is a dashboard."""

from __future__ import annotations

import pytest

from tests.http_api import Api

pytestmark = pytest.mark.integration


async def test_the_list_of_operations_says_what_each_does(api: Api) -> None:
    """A sentence each, words of the wire set apart."""
    page = (await api.nobody.get("/docs")).text
    row = "<td><code>/api/v1/targets</code></td><td>viewer</td>"
    assert f"{row}<td>List the targets in the order in which they were added.</td>" in page
    assert "<code>Authorization: Bearer TOKEN</code>" in page
    assert "`" not in page
