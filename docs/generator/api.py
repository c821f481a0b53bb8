"""The page of the HTTP API, read from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generator.schema import Schema, default_of, fields, table, type_of
from mooring.api.server import openapi

INTRODUCTION = """
# HTTP API

Read from `/openapi.json`; `/docs` on a running server lets you try it. Every answer that carries a result
uses the shape of `mooring check --json`. Errors are `application/problem+json` and name the field and what
would be right. Send `Authorization: Bearer TOKEN`; `mooring token create` makes one.
"""
METHODS = ("get", "post", "put", "patch", "delete")


def api() -> str:
    """Return the page of all endpoints and the models they use."""
    document = openapi()
    schemas = document.get("components", {}).get("schemas", {})
    rows = [
        [f"`{m.upper()} {p}`", " ".join(str(o.get("summary", "")).split())] for p, m, o in endpoints(document)
    ]
    parts = [INTRODUCTION.strip(), table(("endpoint", "what"), rows)]
    parts += [_endpoint(path, method, each, schemas) for path, method, each in endpoints(document)]
    parts += ["## Models", *(_model(name, schemas) for name in sorted(schemas))]
    return "\n\n".join(parts)


def endpoints(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield path, method and description of every endpoint."""
    for path, methods in document["paths"].items():
        yield from ((path, method, methods[method]) for method in METHODS if method in methods)


def _endpoint(path: str, method: str, operation: Schema, schemas: Schema) -> str:
    parts = [
        f"## {method.upper()} {path}",
        str(operation.get("summary", "")),
        operation.get("description", ""),
    ]
    if parameters := operation.get("parameters"):
        rows = [_parameter(each, schemas) for each in parameters]
        parts.append(table(("parameter", "in", "type", "default", "meaning"), rows))
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"Body (`{media}`): {_named(content.get('schema', {}), schemas)}")
    parts.append(table(("answer", "what", "body"), _answers(operation, schemas)))
    return "\n\n".join(part.strip() for part in parts if part and part.strip())


def _parameter(each: Schema, schemas: Schema) -> list[str]:
    schema = each.get("schema", {})
    required = "required" if each.get("required") else default_of(schema)
    meaning = " ".join(str(each.get("description", "")).split())
    return [f"`{each['name']}`", each["in"], type_of(schema, schemas), required, meaning]


def _answers(operation: Schema, schemas: Schema) -> Iterator[list[str]]:
    for status, answer in operation.get("responses", {}).items():
        bodies = [
            f"`{media}`: {_named(content['schema'], schemas)}" if content.get("schema") else f"`{media}`"
            for media, content in answer.get("content", {}).items()
        ]
        yield [f"`{status}`", " ".join(answer.get("description", "").split()), "; ".join(bodies)]


def _named(schema: Schema, schemas: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    return type_of(schema, schemas)


def _model(name: str, schemas: Schema) -> str:
    schema = {**schemas[name], "$defs": schemas}
    meaning = " ".join(str(schema.get("description", "")).split())
    body = fields(schema) if schema.get("properties") else f"One of: {type_of(schema, schemas)}"
    return "\n\n".join(part for part in (f"### {name}", meaning, body) if part)
