"""What the package genai-prices says is read right, or refused by name. Nothing here needs a database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import Usage

from pgcredits.bank.catalogs.provider_prices import PARENTS, TOKENS, Offer, Refusal, offers
from pgcredits.bank.migrate import MigrationError

pytestmark = pytest.mark.one_version

SPRING, AUTUMN = datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)


def one(model: str, provider: str | None = None, **more: Any) -> Offer | Refusal:
    """What becomes of one model, in the autumn of 2026 unless `now` says another time."""
    terms = {"dearest": False, "now": AUTUMN} | more
    (found,) = offers([model], [provider] if provider else [], **terms)
    return found


def test_rates_are_those_of_the_package() -> None:
    found = one("gpt-4o-mini", "openai")
    assert isinstance(found, Offer)
    assert dict(found.rates) == {
        "input_tokens": Decimal("0.15"),
        "cached_input_tokens": Decimal("0.075"),
        "output_tokens": Decimal("0.6"),
    }


@pytest.mark.parametrize("provider", ["anthropic", "google", "openai", "mistral"])
def test_every_offer_costs_what_the_package_calculates(provider: str) -> None:
    """The package counts totals and their parts, and we count parts that do not overlap."""
    found = [each for each in offers(["*"], [provider], dearest=False, now=AUTUMN) if isinstance(each, Offer)]
    assert len(found) > 10
    (seller,) = (each for each in get_snapshot().providers if each.id == provider)
    models = {model.id: model for model in seller.models}
    for offer in found:
        apart = {dimension: 1000 * (place + 1) for place, dimension in enumerate(sorted(offer.rates))}
        ours = sum(offer.rates[dimension] * quantity for dimension, quantity in apart.items()) / 10**6
        calculated = models[offer.model].calc_price(totals(apart), seller, genai_request_timestamp=AUTUMN)
        assert calculated.total_price == ours, offer.model


def totals(apart: dict[str, int]) -> Usage:
    """Quantities that do not overlap, as the package counts them: input_tokens are all that was read."""
    names = {dimension: key.replace("_mtok", "_tokens") for key, (dimension, _) in TOKENS.items()}
    usage = {names[dimension]: quantity for dimension, quantity in apart.items()}
    for whole, parts in (
        ("cache_write_tokens", ["cache_write_1h_tokens"]),
        ("cache_read_tokens", ["cache_audio_read_tokens", "cache_image_read_tokens"]),
        ("input_audio_tokens", ["cache_audio_read_tokens"]),
        ("input_image_tokens", ["cache_image_read_tokens"]),
    ):
        if more := sum(usage.get(part, 0) for part in parts):
            usage[whole] = usage.get(whole, 0) + more
    for way in ("input", "output"):
        parts = [names[name] for name, parent in PARENTS.items() if parent == f"{way}_tokens"]
        usage[f"{way}_tokens"] = sum(
            apart.get(dimension, 0)
            for dimension in apart
            if dimension == f"{way}_tokens" or names[dimension] in parts
        )
    return Usage(**usage)


@pytest.mark.parametrize(
    ("model", "provider", "why"),
    [
        ("gpt-4o", None, "several providers sell it, choose one with --provider: "),
        ("gemini-2.5-pro", "google", "depend on the length of the input (above 200,000 tokens all of it"),
        ("deepseek-v4-pro", "deepseek", "its rates depend on the time of day"),
        ("whisper-1", "openai", "a rate that is not imported: audio_hours, input_audio_hours"),
        ("moderation", "openai", "it has no rate for input or output tokens"),
        ("sonar", "perplexity", "a rate that is not imported: requests_kcount"),
    ],
)
def test_a_price_that_cannot_be_imported_is_refused_by_name(
    model: str, provider: str | None, why: str
) -> None:
    found = one(model, provider)
    assert isinstance(found, Refusal)
    assert found.model == model
    assert why in found.why


def test_the_dearest_rate_is_taken_on_request() -> None:
    found = one("gemini-2.5-pro", "google", dearest=True)
    assert isinstance(found, Offer)
    assert (found.rates["input_tokens"], found.rates["output_tokens"]) == (Decimal("2.5"), Decimal(15))
    assert "at the rates of the longest input" in found.notes


def test_rates_are_those_of_the_day() -> None:
    """From 13 March 2026 the length of the input does not count any more."""
    before, after = (one("claude-sonnet-4-6", "anthropic", now=now) for now in (SPRING, AUTUMN))
    assert isinstance(before, Refusal)
    assert isinstance(after, Offer)
    assert after.rates["input_tokens"] == 3


def test_other_prices_of_a_model_are_named() -> None:
    found = one("gpt-5", "openai")
    assert isinstance(found, Offer)
    notes = "; ".join(found.notes)
    assert "not for processing=batch, service_tier=fast, service_tier=flex, service_tier=priority" in notes
    assert "without web_searches_kcount" in notes


def test_rates_that_end_soon_are_named() -> None:
    found = one("gemini-4-argon", "google", now=datetime(2026, 11, 30, tzinfo=UTC))
    assert isinstance(found, Offer)
    assert any("until 2026-12-01, when other rates begin" in note for note in found.notes)


def test_a_model_that_is_free_in_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (openai,) = (each for each in get_snapshot().providers if each.id == "openai")
    (mini,) = (each for each in openai.models if each.id == "gpt-4o-mini")
    for name in ("input_mtok", "cache_read_mtok", "output_mtok"):
        monkeypatch.setattr(mini.prices, name, Decimal(0))
    found = one("gpt-4o-mini", "openai")
    assert found == Refusal("gpt-4o-mini", "all its rates are 0, and an import makes nothing free")


def test_the_name_of_a_dated_version_is_kept() -> None:
    found = one("gpt-4o-mini-2024-07-18", "openai")
    assert isinstance(found, Offer)
    assert (found.model, found.rates["input_tokens"]) == ("gpt-4o-mini-2024-07-18", Decimal("0.15"))


def test_a_name_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(MigrationError, match="no model like gpt-nought, o17"):
        offers(["gpt-4o", "o17", "gpt-nought"], [], dearest=False)
    with pytest.raises(MigrationError, match="no provider opanai; it has anthropic, "):
        offers(["*"], ["opanai"], dearest=False)
