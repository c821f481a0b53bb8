"""Each dependency has its reason and is used."""

from __future__ import annotations

import re
import sys
import tomllib

from tests.sources import ROOT, imported, parsed

MODULES = {
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "dnspython": "dns",
    "prometheus-client": "prometheus_client",
    "google-auth": "google",
    "graphql-core": "graphql",
    "grpcio": "grpc",
    "grpcio-health-checking": "grpc_health",
    "opentelemetry-api": "opentelemetry",
    "sentry-sdk": "sentry_sdk",
}
NOT_IMPORTED = {
    "cryptography": "pymysql asks for it where MySQL's login needs it; the store's seal imports it",
    "pymysql": "aiomysql's errors come from it",
    "psycopg": "SQLAlchemy imports it where the store is PostgreSQL",
    "mooring": "the extra `all` names the others",
}


def declared() -> dict[str, set[str]]:
    """Return the distributions that pyproject.toml names: for users, and for development."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = document["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^\w-]", each)[0].lower() for each in requirements}

    return {
        "users": names([*project["dependencies"], *extras]),
        "developers": names(document["dependency-groups"]["dev"]),
    }


def test_every_dependency_has_its_reason() -> None:
    """Each package in pyproject.toml stands in the decision about dependencies."""
    text = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text()
    for name in (declared()["users"] | declared()["developers"]) - {"mooring"}:
        assert re.search(rf"\b{name}\b", text), f"{name}: say why in docs/decisions/0001-dependencies.md"


def test_every_dependency_is_used() -> None:
    """Each package that users have to install is imported somewhere."""
    roots = {name.partition(".")[0] for _, tree in parsed(ROOT / "src") for _, name in imported(tree)}
    unused = {n for n in declared()["users"] - set(NOT_IMPORTED) if MODULES.get(n, n) not in roots}
    assert not unused, f"nothing imports {sorted(unused)}; take them out of pyproject.toml"


def test_what_tests_import_is_declared() -> None:
    """Each package that any of our files imports is named in pyproject.toml, not brought by chance."""
    names = {module: name for name, module in MODULES.items()}
    known = {name.replace("-", "_") for group in declared().values() for name in group}
    own = {"tests", "docs", "benchmarks", "mooring"}
    brought = {
        "bson",
        "starlette",
        "grimp",
        "pydantic_core",
        "werkzeug",
    }  # parts of what is declared
    found = {
        f"{path.relative_to(ROOT)}: {root}"
        for folder in ("tests", "docs", "benchmarks", "src")
        for path, tree in parsed(ROOT / folder)
        for _, name in imported(tree)
        if (root := name.partition(".")[0]) not in sys.stdlib_module_names | own | brought
        and names.get(root, root).replace("-", "_") not in known
    }
    assert not found, f"not declared in pyproject.toml: {sorted(found)}"
