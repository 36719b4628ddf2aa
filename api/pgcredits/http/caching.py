"""Answers that caches may keep.

No cache may keep an answer, unless the route allows it: observed.py says so for every answer without a
Cache-Control of its own.
"""

from __future__ import annotations

PUBLIC = {"Cache-Control": "public, max-age=300"}  # for answers that are the same for everybody
