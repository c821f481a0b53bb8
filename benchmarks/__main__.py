"""Runs the benchmarks, one after the other: `python -m benchmarks [NAME...]`. The folder is the list.

Those called soak_* take long and run only when they are named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(wanted: list[str]) -> int:
    """Run some benchmarks, or all that are short, each in a process of its own; 1 where one failed."""
    known = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    if unknown := set(wanted) - set(known):
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}\n")
        return 2
    failed = []
    for name in wanted or [name for name in known if not name.startswith("soak_")]:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        if subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, check=False
        ).returncode:
            failed.append(name)
    if failed:
        sys.stdout.write(f"failed: {', '.join(failed)}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
