"""The table of routes becomes an OpenAPI description, for a fuzzer that needs one: what comes to the table is fuzzed with it."""

from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

#: Every method that browsers, proxies and scanners try, whether a route has it or not.
METHODS = ("get", "head", "post", "options", "put", "patch", "delete", "trace")
_TEXT = {"type": "string"}


def routes_of(app: Starlette) -> Iterator[Route]:
    """All routes, those of the future too."""
    for route in app.routes:
        assert isinstance(route, Route), f"{route}: teach {__name__} what it is"
        yield route


def described(app: Starlette, known: dict[str, list[str]]) -> dict[str, Any]:
    """The description. ``known`` gives values that are good somewhere, by the name of a path's parameter or a form's field."""
    paths = {route.path: _operations(route, known) for route in routes_of(app)}
    return {"openapi": "3.0.3", "info": {"title": "newsletter serve", "version": "1"}, "paths": paths}


def _operations(route: Route, known: dict[str, list[str]]) -> dict[str, Any]:
    always = [_parameter("path", name, known) for name in route.param_convertors]
    sometimes = [_parameter("query", name, known) for name in ("x", "List-Unsubscribe")]
    sometimes += [_parameter("header", name, known) for name in ("Sec-Fetch-Site", "If-None-Match", "Origin", "Referer", "Range")]
    sometimes += [_parameter("cookie", "session", known)]
    operations: dict[str, Any] = {}
    for method in METHODS:
        operations[method] = {"parameters": always + sometimes, "responses": {"default": {"description": "an answer"}}}
        if method in ("post", "put", "patch"):
            operations[method]["requestBody"] = _body(known)
    return operations


def _parameter(place: str, name: str, known: dict[str, list[str]]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": _value(name, known)}


def _value(name: str, known: dict[str, list[str]]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string", "enum": known[name]}, _TEXT]} if name in known else _TEXT


def _body(known: dict[str, list[str]]) -> dict[str, Any]:
    fields = {name: _value(name, known) for name in ("email", "language", "stamp", "website", "List-Unsubscribe")}
    form = {"schema": {"type": "object", "properties": {**fields, "topics": {"type": "array", "items": _TEXT}}}}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    return {"content": {**dict.fromkeys(kinds, form), "application/json": {"schema": {}}, "text/plain": {"schema": _TEXT}}}
