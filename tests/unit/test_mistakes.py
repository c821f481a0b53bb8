"""What Pydantic finds wrong, in words for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, StringConstraints, ValidationError

from mooring.core.failure import Problem
from mooring.mistakes import problems_of


class Shelf(BaseModel):
    """What may stand there has limits of several sorts."""

    place: Path = Path()
    mark: Annotated[str, StringConstraints(pattern="^[a-z]+$")] = "a"
    books: int = 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("place", 5, "has to be a path"),
        ("mark", "Hunter2", "has to match ^[a-z]+$"),
        ("mark", b"\xff", "has to be text"),
        ("books", "9" * 5000, "has to be a whole number"),
    ],
)
def test_rare_mistakes_are_told_in_plain_words_too(field: str, value: Any, message: str) -> None:
    """Whatever Pydantic checks by itself is told as what would be right, without what was written."""
    with pytest.raises(ValidationError) as caught:
        Shelf.model_validate({field: value})
    assert problems_of(caught.value) == [Problem(field, message)]
