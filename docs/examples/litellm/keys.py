"""Who holds which key of the proxy: sk-ada belongs to ada. Only for a trial: anybody can guess such a key."""

from __future__ import annotations

from litellm.proxy._types import UserAPIKeyAuth


async def user_of(request: object, api_key: str) -> UserAPIKeyAuth:
    return UserAPIKeyAuth(api_key=api_key, user_id=api_key.removeprefix("sk-"))
