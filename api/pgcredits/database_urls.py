"""Database URLs, put together and taken apart."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class AddressError(psycopg.ProgrammingError):
    """A database URL that cannot be read. The message repeats nothing of it: it may contain a password."""

    def __init__(self) -> None:
        super().__init__(
            "the database URL cannot be read. It is postgresql://LOGIN:PASSWORD@HOST:PORT/DATABASE, and in"
            " each part, the password above all, @ is written %40, / is %2F, % is %25, a space is %20"
        )


def parts_of(url: str) -> dict[str, str]:
    """The parts of a libpq URL or key=value string. Raises AddressError."""
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise AddressError from None
    ports = parts.get("port", "").split(",")
    # libpq would repeat these in its message. A password that is not escaped ends up in them.
    if "@" in parts.get("host", "") or not all(port.isdecimal() or not port for port in ports):
        raise AddressError
    return parts


def database_url(
    host: str, port: int | str | None, dbname: str, user: str, password: str | None, **more: str
) -> str:
    """A libpq URL. `more` are its query parameters. A socket folder or a list of hosts goes there, too."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if "/" in host or "," in host:
        more = {"host": host, **({"port": str(port)} if port else {}), **more}
        place = ""
    else:
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = f"?{urlencode(more, quote_via=quote, safe='')}" if more else ""
    return f"postgresql://{login}@{place}/{quote(dbname, safe='')}{query}"


def with_password(url: str, password: str | None) -> str:
    """The same database and login, with a password that may have any characters.

    Raises AddressError, and ValueError for a URL that has another password.
    """
    if not password:
        return url
    if parts_of(url).get("password", password) != password:
        raise ValueError("the URL has another password: leave it out there")
    return make_conninfo(url, password=password)


def as_login(url: str, user: str, password: str | None, **more: str) -> str:
    """The same database by another login. `url` is a libpq URL or key=value string."""
    parts = parts_of(url)
    for key in ("user", "password", "passfile", "options"):
        parts.pop(key, None)
    host, port = parts.pop("host", "localhost"), parts.pop("port", None)
    return database_url(host, port, parts.pop("dbname", user), user, password, **parts, **more)


def as_user(api_url: str, subject: str) -> str:
    """A URL of the API's login that acts as the user `subject`, as the HTTP API does."""
    parts = parts_of(api_url)
    claims = json.dumps({"sub": subject, "role": "authenticated"}, separators=(",", ":"))
    escaped = claims.replace("\\", "\\\\").replace(" ", "\\ ")
    options = f"-c role=authenticated -c request.jwt.claims={escaped}"
    return as_login(api_url, parts["user"], parts.get("password"), options=options)
