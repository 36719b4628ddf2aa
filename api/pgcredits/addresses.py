"""Database URLs and ports: put together, taken apart."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict


def database_url(
    host: str, port: int | str | None, dbname: str, user: str, password: str | None, **more: str
) -> str:
    """A libpq URL. `more` are its query parameters; a socket folder or a list of hosts goes there as well."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if "/" in host or "," in host:
        more = {"host": host, **({"port": str(port)} if port else {}), **more}
        place = ""
    else:
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = f"?{urlencode(more, quote_via=quote, safe='')}" if more else ""
    return f"postgresql://{login}@{place}/{quote(dbname, safe='')}{query}"


def as_login(url: str, user: str, password: str | None, **more: str) -> str:
    """The same database by another login. `url` is a libpq URL or key=value string."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    for key in ("user", "password", "passfile", "options"):
        parts.pop(key, None)
    host, port = parts.pop("host", "localhost"), parts.pop("port", None)
    return database_url(host, port, parts.pop("dbname", user), user, password, **parts, **more)


def as_user(api_url: str, subject: str) -> str:
    """A connection of the API's login that acts as the user `subject`, as the door would."""
    parts = conninfo_to_dict(api_url)
    claims = json.dumps({"sub": subject, "role": "authenticated"}, separators=(",", ":"))
    escaped = claims.replace("\\", "\\\\").replace(" ", "\\ ")
    options = f"-c role=authenticated -c request.jwt.claims={escaped}"
    return as_login(api_url, str(parts["user"]), str(parts.get("password") or ""), options=options)


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Ports on which nothing listens, all different."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in taken:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in taken]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
