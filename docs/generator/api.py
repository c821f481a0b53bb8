"""The page of the HTTP API, read from its OpenAPI description."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docs.generator.schema import Schema, default_of, fields, table, type_of
from mooring.api.server import openapi

INTRODUCTION = """
# HTTP API

Read from `/openapi.json`; `/docs` on a running server lets you try it. Every answer that carries a result
uses the shape of `mooring check --json`. Errors are `application/problem+json` and name the field and what
would be right. Send `Authorization: Bearer TOKEN`; `mooring token create` makes one.
"""
PROBLEM = "ProblemAnswer"
METHODS = ("get", "post", "put", "patch", "delete")


def api() -> str:
    """Return the page of all endpoints and the models they use."""
    document = openapi()
    schemas = document.get("components", {}).get("schemas", {})
    rows = [[_link(path, method), _sentence(each)] for path, method, each in endpoints(document)]
    parts = [INTRODUCTION.strip(), table(("endpoint", "what"), rows)]
    parts += [_endpoint(path, method, each, schemas) for path, method, each in endpoints(document)]
    parts += ["## Models", *(_model(name, schemas) for name in sorted(schemas))]
    return "\n\n".join(parts)


def endpoints(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield path, method and description of every endpoint."""
    for path, methods in document["paths"].items():
        yield from ((path, method, methods[method]) for method in METHODS if method in methods)


def _link(path: str, method: str) -> str:
    anchor = re.sub(r"[^\w\- ]", "", f"{method} {path}").replace(" ", "-")
    return f"[{method.upper()} {path}](#{anchor})"


def _sentence(operation: Schema) -> str:
    """Return the first sentence of what an endpoint says of itself."""
    return " ".join(operation.get("description", "").split()).partition(". ")[0].removesuffix(".")


def _endpoint(path: str, method: str, operation: Schema, schemas: Schema) -> str:
    role = f"Role: {operation['x-mooring-role']}." if "x-mooring-role" in operation else ""
    parts = [f"## {method.upper()} {path}", operation.get("description", ""), role]
    if parameters := operation.get("parameters"):
        rows = [_parameter(each, schemas) for each in parameters]
        parts.append(table(("parameter", "in", "type", "default", "meaning"), rows))
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"Body (`{media}`): {_named(content.get('schema', {}), schemas)}")
    parts.append(table(("answer", "what", "body"), _answers(operation, schemas)))
    if errors := [f"`{status}` {each['description']}" for status, each in _errors(operation)]:
        parts.append(f"Errors, as {_to(PROBLEM)}: {', '.join(errors)}.")
    return "\n\n".join(part.strip() for part in parts if part and part.strip())


def _parameter(each: Schema, schemas: Schema) -> list[str]:
    schema = each.get("schema", {})
    required = "required" if each.get("required") else default_of(schema)
    meaning = " ".join(str(each.get("description", "")).split())
    return [f"`{each['name']}`", each["in"], type_of(schema, schemas), required, meaning]


def _answers(operation: Schema, schemas: Schema) -> Iterator[list[str]]:
    usual = {status for status, _ in _errors(operation)}
    for status, answer in operation.get("responses", {}).items():
        if status in usual:
            continue
        bodies = [
            f"`{media}`: {_named(content['schema'], schemas)}" if content.get("schema") else f"`{media}`"
            for media, content in answer.get("content", {}).items()
        ]
        yield [f"`{status}`", " ".join(answer.get("description", "").split()), "; ".join(bodies)]


def _errors(operation: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the answers that say in the common shape what is wrong."""
    for status, answer in operation.get("responses", {}).items():
        schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
        if [schema.get("$ref", "").rpartition("/")[2] for schema in schemas] == [PROBLEM]:
            yield status, answer


def _named(schema: Schema, schemas: Schema) -> str:
    if "$ref" in schema:
        return _to(schema["$ref"].rpartition("/")[2])
    return type_of(schema, schemas)


def _model(name: str, schemas: Schema) -> str:
    schema = {**schemas[name], "$defs": schemas}
    meaning = " ".join(str(schema.get("description", "")).split())
    body = fields(schema) if schema.get("properties") else f"One of: {type_of(schema, schemas)}"
    body = re.sub(r"`(\w+)`", lambda m: _to(m[1]) if m[1] in schemas else m[0], body)
    return "\n\n".join(part for part in (f"### {name}", meaning, body) if part)


def _to(model: str) -> str:
    return f"[{model}](#{model.lower()})"
