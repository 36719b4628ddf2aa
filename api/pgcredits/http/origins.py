"""Origins that a setting lists: those whose pages may call from a browser, or that Checkout may return to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOCAL = "local"  # any page of this machine
_LOCAL = r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?"


def origin_of(url: str) -> str | None:
    """scheme://host:port. None when a browser could understand the URL in another way than we do."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in ' \\"<>^`|'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def is_listed(url: str, listed: tuple[str, ...]) -> bool:
    """Is this a page of one of these origins? `local` stands for every origin of this machine."""
    origin = origin_of(url)
    if origin is None:
        return False
    if LOCAL in listed and re.fullmatch(_LOCAL, origin):
        return True
    return origin in {origin_of(one) for one in listed if one != LOCAL}


def local_pattern(listed: tuple[str, ...]) -> str | None:
    """A regular expression for the origins that `local` stands for, when it is listed."""
    return _LOCAL if LOCAL in listed else None
