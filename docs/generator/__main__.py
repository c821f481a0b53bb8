"""Writes the pages that are stale."""

from __future__ import annotations

import sys

from docs.generator.reference import FOLDER, pages

FOLDER.mkdir(exist_ok=True)
for path, text in pages():
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        sys.stdout.write(f"wrote {path.relative_to(FOLDER.parent.parent)}\n")
