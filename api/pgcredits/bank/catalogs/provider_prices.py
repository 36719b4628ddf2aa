"""What models cost at their providers, as the package genai-prices has it. It brings its data along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pgcredits.bank.migrate.errors import MigrationError

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

ORIGIN = "genai-prices"
MILLION = 1_000_000
# The rates that can be imported: our dimension, and its parent. They do not overlap, and neither do ours.
TOKENS: dict[str, tuple[str, str | None]] = {
    "input_mtok": ("input_tokens", None),
    "cache_read_mtok": ("cached_input_tokens", "input_tokens"),
    "cache_write_mtok": ("cache_write_tokens", "input_tokens"),
    "cache_write_1h_mtok": ("cache_write_1h_tokens", "input_tokens"),
    "input_audio_mtok": ("input_audio_tokens", "input_tokens"),
    "cache_audio_read_mtok": ("cached_audio_tokens", "input_tokens"),
    "input_image_mtok": ("input_image_tokens", "input_tokens"),
    "cache_image_read_mtok": ("cached_image_tokens", "input_tokens"),
    "input_video_mtok": ("input_video_tokens", "input_tokens"),
    "output_mtok": ("output_tokens", None),
    "output_reasoning_mtok": ("reasoning_tokens", "output_tokens"),
    "output_citation_mtok": ("citation_tokens", "output_tokens"),
    "output_audio_mtok": ("output_audio_tokens", "output_tokens"),
    "output_image_mtok": ("output_image_tokens", "output_tokens"),
    "output_video_mtok": ("output_video_tokens", "output_tokens"),
}
PARENTS = {dimension: parent for dimension, parent in TOKENS.values() if parent}
# Tools that a model may call. A usage that names them is refused, until a price by hand has a rate for them.
TOOLS = {"web_searches_kcount", "storage_searches_kcount", "social_searches_kcount"}


_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be imported. `rates`: US dollars for a million of each dimension."""

    model: str
    title: str
    rates: Mapping[str, Decimal]
    notes: Sequence[str] = field(default=())  # what the package also has, and the import leaves out


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model that cannot be imported, and why."""

    model: str
    why: str


def offers(
    globs: Sequence[str], providers: Sequence[str], *, dearest: bool, now: datetime | None = None
) -> list[Offer | Refusal]:
    """The models that the globs name, in the order of their names.

    A glob is compared with the ids of the package. A name without a wildcard that is not an id may also be
    one that the provider's API takes, such as that of a dated version: the module gets that name.
    `providers`: their ids; none means all. `dearest`: where a rate depends on the length of the input, take
    the highest one. `now` is the moment whose prices are taken. Raises MigrationError without the package,
    and for a provider or a glob that matches nothing.
    """
    known = _providers()
    if unknown := sorted(set(providers) - {provider.id for provider in known}):
        names = ", ".join(provider.id for provider in known)
        raise MigrationError(f"genai-prices has no provider {', '.join(unknown)}; it has {names}")
    found: dict[str, list[tuple[Provider, ModelInfo]]] = {}
    unmatched = set(globs)
    for provider in known:
        if providers and provider.id not in providers:
            continue
        for model in provider.models:
            if matched := {glob for glob in globs if fnmatchcase(model.id, glob)}:
                unmatched -= matched
                found.setdefault(model.id, []).append((provider, model))
    for name in sorted(name for name in unmatched if not _WILDCARD.search(name)):
        for provider in known:
            if not providers or provider.id in providers:
                for model in provider.models:
                    if model.is_match(name):
                        unmatched.discard(name)
                        found.setdefault(name, []).append((provider, model))
    if unmatched:
        raise MigrationError(f"genai-prices has no model like {', '.join(sorted(unmatched))}")
    moment = now or datetime.now(UTC)
    return [_offer(id_, sold, dearest, moment) for id_, sold in sorted(found.items())]


def _providers() -> list[Provider]:
    try:
        from genai_prices.data_snapshot import get_snapshot
    except ImportError as error:
        raise MigrationError(f"{error}: `pip install pgcredits[prices]` brings genai-prices") from error
    return get_snapshot().providers


def _offer(
    id_: str, sold: Sequence[tuple[Provider, ModelInfo]], dearest: bool, now: datetime
) -> Offer | Refusal:
    if len(sold) > 1:
        names = ", ".join(dict.fromkeys(provider.id for provider, _ in sold))
        return Refusal(id_, f"several providers sell it, choose one with --provider: {names}")
    ((_, model),) = sold
    try:
        prices, notes = _in_force(model, now)
        rates = dict(_rates(prices, dearest))
        if not any(rates.values()):
            raise _Unusable("all its rates are 0, and an import makes nothing free")
    except _Unusable as error:
        return Refusal(id_, str(error))
    if tools := [key for key in _keys(prices) if key in TOOLS]:
        notes.append(f"without {', '.join(tools)}")
    if dearest and any(not isinstance(value, Decimal) for value in _keys(prices).values()):
        notes.append("at the rates of the longest input")
    return Offer(id_, model.name or id_, rates, notes)


class _Unusable(Exception):
    """Why a price cannot be imported."""


def _in_force(model: ModelInfo, now: datetime) -> tuple[ModelPrice, list[str]]:
    """The standard price at a moment, and notes of other prices. The last one that applies counts."""
    from genai_prices.types import ModelPrice, StartDateConstraint

    notes = []
    if variants := sorted(
        {
            f"{name}={value}"
            for variant in model.price_variants or ()
            if _keys(variant.prices)
            for name, value in variant.when.items()
        }
    ):
        notes.append(f"not for {', '.join(variants)}, which have other prices")
    if isinstance(model.prices, ModelPrice):
        return model.prices, notes
    later = []
    for each in reversed(model.prices):
        if isinstance(each.constraint, StartDateConstraint):
            if not each.constraint.active(now):
                later.append(each.constraint.start_date)
                continue
        elif each.constraint is not None:
            raise _Unusable("its rates depend on the time of day")
        if later:
            notes.append(f"until {min(later)}, when other rates begin: import again then")
        return each.prices, notes
    raise _Unusable(f"its first rates begin on {min(later)}" if later else "it has no rate")


def _keys(prices: ModelPrice) -> dict[str, object]:
    return {key: value for key, value in vars(prices).items() if value is not None}


def _rates(prices: ModelPrice, dearest: bool) -> Iterator[tuple[str, Decimal]]:
    from genai_prices.types import TieredPrices

    keys = _keys(prices)
    if others := sorted(keys.keys() - TOKENS.keys() - TOOLS):
        raise _Unusable(f"it has a rate that is not imported: {', '.join(others)}")
    if not {"input_mtok", "output_mtok"} & keys.keys():
        raise _Unusable("it has no rate for input or output tokens")
    for key, (dimension, _) in TOKENS.items():
        value = keys.get(key)
        if isinstance(value, TieredPrices):
            if not dearest:
                starts = ", ".join(f"{tier.start:,}" for tier in value.tiers)
                raise _Unusable(
                    f"its rates depend on the length of the input (above {starts} tokens all of it costs"
                    " another rate): --dearest takes the highest ones"
                )
            value = max(value.base, *(tier.price for tier in value.tiers))
        if isinstance(value, Decimal):
            if not (value.is_finite() and value >= 0):
                raise _Unusable(f"{key} is {value}")
            yield dimension, value
        elif value is not None:
            raise _Unusable(f"{key} is a {type(value).__name__}")
        elif any(TOKENS[other][1] == dimension for other in keys.keys() & TOKENS):
            raise _Unusable(f"it has rates for parts of {dimension}, and none for {dimension}")
