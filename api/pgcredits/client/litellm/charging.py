"""The callback of the LiteLLM proxy. LiteLLM calls four of its methods for each request:

1. `async_pre_call_hook`, before a deployment is chosen: hold the worst case, or refuse the request.
2. `async_post_call_success_hook`, with an answer in one piece, before it is sent: capture what was used.
3. `async_post_call_streaming_iterator_hook`, around a stream: capture at its end or when it breaks off.
4. `async_post_call_failure_hook`, when all retries and fallbacks have failed: release.

They run once a request, however many deployments LiteLLM tries. Its log events (`async_log_success_event` …)
are not used: they run later, in a queue that may lose them, and once for each attempt.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from pgcredits.client.async_bank import TTL, AsyncBank
from pgcredits.client.async_hold import AsyncHold
from pgcredits.client.errors import BankError
from pgcredits.client.litellm.ending import Ending
from pgcredits.client.litellm.payer import PAYERS, Payer, payer_of
from pgcredits.client.litellm.prices import UnfitPrice, check
from pgcredits.client.litellm.refused import Refused, answer
from pgcredits.client.litellm.requests import IMAGES, Asked, ask_for_usage, asked, text_tokens
from pgcredits.client.litellm.requests import check as check_request
from pgcredits.client.litellm.running import Register, Running
from pgcredits.client.litellm.streams import StreamMeter
from pgcredits.client.litellm.tagging import Tagger, tagger_of, tags_of
from pgcredits.client.litellm.usage import images_of, measured, member
from pgcredits.client.meter import reason_of
from pgcredits.client.to_the_end import to_the_end

log = logging.getLogger("pgcredits.client")

LONGEST = timedelta(hours=2)
_GRACE = 10.0  # seconds after the end of a request, in which its answer may still be reported
_mark: ContextVar[str | None] = ContextVar("pgcredits_hold", default=None)


class Charging(CustomLogger):
    """Charges each request to a user of the bank. Give LiteLLM one instance, as a callback.

    url, api_key: the HTTP API of the bank, and the API key of a spender.
    user: who pays. `user_id`, `team_id` or `metadata` (its `pgcredits_user`) of the LiteLLM key, which only
    the proxy's administrator sets. `end_user` is what the holder of the key says: for keys that only backends
    have. Or a function of the key (UserAPIKeyAuth) and the request.
    modules: the module of the bank for a model's name, where they differ; or a function of the name.
    free: call types that are not charged, such as `moderation`. Any other that is unknown is refused.
    most_output: the max_tokens of a request that names none. Without it, the model's own maximum is held.
    charge_cached: whether an answer from LiteLLM's own cache is charged as if the model had made it.
    ttl, longest: how long a hold lasts, and how long it is extended while a request runs.
    tags: what charges are tagged with: `model`, `key_alias`, `team_id`, `request` (LiteLLM's own tags, if the
    sender writes them name:value). Or a function of the key and the request. They must not be personal.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        user: str | Payer = "user_id",
        modules: Mapping[str, str] | Callable[[str], str] | None = None,
        free: Collection[str] = (),
        most_output: int | None = None,
        charge_cached: bool = False,
        ttl: timedelta | float = TTL,
        longest: timedelta = LONGEST,
        tags: Collection[str] | Tagger = ("model",),
    ) -> None:
        super().__init__()
        if isinstance(user, str) and user not in PAYERS:
            raise ValueError(f"user is one of {', '.join(PAYERS)}, or a function")
        if most_output is not None and most_output < 1:
            raise ValueError("most_output is at least 1")
        self._payer = PAYERS[user] if isinstance(user, str) else user
        self._modules = modules if modules is not None else {}
        self._free = frozenset(free)
        self._most_output = most_output
        self._charge_cached = charge_cached
        self._ttl = ttl
        self._longest = longest
        self._tagger = tagger_of(tags)
        self._ending = Ending(AsyncBank(url, api_key))
        self._register = Register()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Hold the worst case. Raises ProxyException, which LiteLLM answers with."""
        self._register.unmark(data)
        replaced = self._register.take(_mark.get())
        if replaced is not None:  # the proxy tries another model, because a rate limit was reached
            await self._ending.release(replaced, None)
        if call_type in self._free:
            return data
        try:
            await self._begin(user_api_key_dict, data, call_type)
        except (Refused, BankError) as error:
            raise answer(error) from error
        return data

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """Capture before the answer is sent."""
        running = self._register.take(self._register.mark_of(data))
        if running is not None:
            await to_the_end(self._succeed(running, data, response))
        return response

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        """Release. A request that was refused has nothing to release."""
        running = self._register.take(self._register.mark_of(request_data))
        if running is not None:
            await to_the_end(self._ending.release(running, reason_of(original_exception)))

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Pass the stream on. Capture before its end is sent."""
        mark = self._register.mark_of(request_data)
        running = self._register.find(mark)
        if running is not None:
            running.streaming = True
        meter = StreamMeter()
        try:
            async for chunk in response:
                meter.saw(chunk)
                yield chunk
        except BaseException as error:
            if self._register.take(mark) is not None and running is not None:
                await to_the_end(self._cut(running, meter, error))
            raise
        if self._register.take(mark) is not None and running is not None:
            await to_the_end(self._stream_ended(running, meter, request_data))

    async def _begin(self, key: Any, data: dict[str, Any], call_type: str) -> None:
        model = check_request(data, call_type)
        user = await payer_of(self._payer, key, data)
        most = await asyncio.to_thread(asked, data, model, call_type, self._most_output)
        module = self._modules(model) if callable(self._modules) else self._modules.get(model, model)
        metadata = {"litellm_call_id": str(data.get("litellm_call_id"))[:100], "model": model[:100]}
        try:
            tags = tags_of(self._tagger, key, data)
            running = await self._hold(module, user, most, metadata, tags)
        except UnfitPrice as error:
            text = f"{error}: this proxy cannot measure it"
            raise Refused("price_does_not_fit", text, dimensions=error.dimensions) from error
        ask_for_usage(data, call_type)
        mark = self._register.add(data, running)
        _mark.set(mark)
        self._watch(mark)

    async def _hold(
        self, module: str, user: str, most: Asked, metadata: dict[str, str], tags: dict[str, str]
    ) -> Running:
        """Raises BankError and UnfitPrice."""

        async def send(usage: dict[str, int]) -> AsyncHold:
            hold = self._ending.bank.hold(
                module,
                user,
                usage=usage,
                ttl=self._ttl,
                longest=self._longest,
                metadata=metadata,
                tags=tags,
            )
            return await hold.__aenter__()

        def ready(dimensions: frozenset[str]) -> None:
            check(module, dimensions, most.counted)

        known = self._ending.known(module)
        hold, known = await self._ending.fit(module, most.usage, send, known, ready)
        return Running(hold, most, module, user, known)

    async def _succeed(self, running: Running, data: Mapping[str, Any], response: Any) -> None:
        if not self._charge_cached and _from_cache(data):
            await self._ending.release(running, "answered from the cache of the proxy")
            return
        await self._capture(running, _usage_of(response, running.asked.call_type))

    async def _stream_ended(self, running: Running, meter: StreamMeter, data: Mapping[str, Any]) -> None:
        if meter.failed:
            await self._cut(running, meter, ConnectionError("the stream reports a failure"))
        elif not self._charge_cached and _from_cache(data):
            await self._ending.release(running, "answered from the cache of the proxy")
        else:
            await self._capture(running, measured(meter.usage) if meter.complete else None)

    async def _cut(self, running: Running, meter: StreamMeter, error: BaseException) -> None:
        """The stream has ended too early. What was delivered is charged.

        A client can hang up, or choose a timeout, just before the usage is reported. Nobody can then count
        the reasoning of a model that reasons, so all that is held is charged. The same goes for pictures
        and sound.
        """
        usage = measured(meter.usage) if meter.complete else None
        if usage is None and not meter.text and not meter.uncounted:
            await self._ending.release(running, reason_of(error))
            return
        by_client = not isinstance(error, Exception) or "timeout" in type(error).__name__.lower()
        if usage is None and not meter.uncounted and not (by_client and running.asked.reasons):
            prompt = measured(meter.usage) or {**running.asked.usage, "output_tokens": 0}
            output = await asyncio.to_thread(text_tokens, running.asked.model, meter.text)
            usage = {**prompt, "output_tokens": output}
        await self._ending.capture(running, usage)

    async def _capture(self, running: Running, usage: dict[str, int] | None) -> None:
        if usage is None:
            held, model = running.hold.hold_id, running.asked.model
            log.warning("%s reported no usage, so all of hold %s is charged", model, held)
        await self._ending.capture(running, usage)

    def _watch(self, mark: str) -> None:
        """A request of which no hook has told the end is charged, because its work may have been done."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def ended(_: Any) -> None:
            if not loop.is_closed():
                loop.call_later(_GRACE, charge)

        def charge() -> None:
            running = self._register.find(mark)
            if running is not None and not running.streaming and self._register.take(mark) is not None:
                log.error("the end of a request was not reported: hold %s", running.hold.hold_id)
                self._ending.later(self._ending.capture(running, None))

        if task is not None:
            task.add_done_callback(ended)


@functools.cache
def from_environment() -> Charging:
    """The one callback with its defaults, for the bank of PGCREDITS_URL. Raises RuntimeError without it."""
    try:
        return Charging(os.environ["PGCREDITS_URL"], os.environ["PGCREDITS_API_KEY"])
    except KeyError as error:
        raise RuntimeError(f"set {error.args[0]}: the proxy charges its users with it") from None


def _usage_of(response: Any, call_type: str) -> dict[str, int] | None:
    """None if the provider did not say."""
    try:
        usage, images = measured(member(response, "usage")), images_of(response)
    except Exception:  # an answer of a form that nobody has foreseen is charged, too
        log.exception("the usage of an answer could not be read")
        return None
    if images:
        return {**(usage or {}), "images": images}
    return None if call_type in IMAGES else usage


def _from_cache(data: Mapping[str, Any]) -> bool:
    """Whether all of the answer is from LiteLLM's own cache. Parts of embeddings may be."""
    return member(getattr(data.get("litellm_logging_obj"), "caching_details", None), "cache_hit") is True
