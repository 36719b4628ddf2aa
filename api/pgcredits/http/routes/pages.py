"""Pages for people: / with links, and the files of Swagger UI, which shows the reference at /schema.

Swagger UI comes from the package flask-swagger-ui, which has it as it was published. We serve two of its
files and import nothing of the package, so Flask is not needed. Without it the page says what is missing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException

from pgcredits.http.caching import PUBLIC

_STRICT = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Swagger UI sets styles of single elements. It may load from here and call this API, and nothing else.
_REFERENCE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def reference() -> Response[bytes]:
    """The page of the reference."""
    name = "reference.html" if _swagger_ui() else "no-reference.html"
    headers = {"Content-Security-Policy": _REFERENCE, "Vary": "Accept"}
    return Response(_static(name), media_type=MediaType.HTML, headers=headers)


@get("/", media_type=MediaType.HTML)
async def index() -> Response[bytes]:
    """Where everything is."""
    headers = {"Content-Security-Policy": _STRICT, **PUBLIC}
    return Response(_static("index.html"), media_type=MediaType.HTML, headers=headers)


@get("/schema/reference.js")
async def reference_script() -> Response[bytes]:
    """Starts Swagger UI."""
    return Response(_static("reference.js"), media_type="text/javascript", headers=PUBLIC)


@get("/schema/swagger-ui.js")
async def swagger_ui_script() -> Response[bytes]:
    """Swagger UI."""
    return Response(_file("swagger-ui-bundle.js"), media_type="text/javascript", headers=PUBLIC)


@get("/schema/swagger-ui.css")
async def swagger_ui_style() -> Response[bytes]:
    """Its style."""
    return Response(_file("swagger-ui.css"), media_type=MediaType.CSS, headers=PUBLIC)


@cache
def _static(name: str) -> bytes:
    return (files("pgcredits.http") / "static" / name).read_bytes()


@cache
def _swagger_ui() -> Path | None:
    """The folder of its files. None when the package is not installed."""
    found = find_spec("flask_swagger_ui")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "dist"


@cache
def _file(name: str) -> bytes:
    folder = _swagger_ui()
    if folder is None:
        raise NotFoundException
    return (folder / name).read_bytes()
