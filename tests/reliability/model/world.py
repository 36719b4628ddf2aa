"""What the runs of the model are about: people, prices and packs, and the values that steps are made with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from purchases import SESSION_EVENTS
from reliability.model.model import ZERO, Module, Pack, Price
from stripe_events import event as stripe_event

USERS = ("ada", "bob", "cyd")
START = datetime(2098, 1, 30, 12, tzinfo=UTC)
ZERO_TIME = timedelta(0)
CREATED = stripe_event("", {})["created"]  # when Stripe's events happen
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
READ_AGAIN = "pages_read_again"  # a part of pages, without a rate of its own
MIDNIGHT, MONTH = datetime(2098, 1, 31, tzinfo=UTC), datetime(2098, 2, 1, tzinfo=UTC)


def price(dimension: str, *versions: tuple[str, datetime]) -> tuple[Price, ...]:
    """Versions of a price. A number of calls is whole, as in the price lists of sql/catalogs."""
    whole, parts = dimension == "calls", (READ_AGAIN,) if dimension == "pages" else ()
    return tuple(Price(dimension, Decimal(tokens), since, whole, parts) for tokens, since in versions)


PAGES = price("pages", ("2", NEVER), ("2.5", MIDNIGHT), ("0.7", MONTH))
SECONDS = price("seconds", ("0.333333", NEVER), ("0.5", MIDNIGHT + timedelta(hours=6)))
CALLS = price("calls", ("10", NEVER), ("12.345678", MIDNIGHT))
TASTES = price("pages", ("3", NEVER), ("0", MIDNIGHT))
MODULES = (
    Module("draft", None, PAGES),
    Module("film", "moving", SECONDS),
    Module("clip", "moving", CALLS),
    Module("anything", None, price("calls", ("30", NEVER))),  # the default of iahome
)
RARE_MODULES = (Module("taste", None, TASTES), Module("Fi lm", None, SECONDS, did_you_mean="film"))
# The pack, and what it may be changed to. The last one is withdrawn.
PACKS = (
    Pack(Decimal(80), Decimal(20), 500),
    Pack(Decimal(80), Decimal(20), 600),
    Pack(Decimal(60), ZERO, 500),
    Pack(Decimal(80), Decimal(20), 500, sold=False),
)

tokens = st.sampled_from(["0.000001", "0.5", "3", "10", "12.345678", "25", "40", "100", "333.333333"]).map(
    Decimal
)
QUANTITIES = [
    Decimal(quantity) for quantity in ("0", "0.001", "0.5", "1", "2", "3.7", "7", "10", "33", "120")
]
indexes = st.integers(0, 1000)  # modulo the length of the list
users = st.sampled_from(USERS)
modules = st.sampled_from([*MODULES * 2, *RARE_MODULES])
ttls = st.sampled_from([timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=6), timedelta(hours=24)])
usages = st.sampled_from([None, *QUANTITIES])  # None: one call, whatever the module counts
captured = st.sampled_from(
    [None, ZERO, *QUANTITIES, Decimal(33), Decimal(120)]
)  # often nothing, or far too much
scopes = st.sampled_from([*[None] * 9, "module:draft", "module:clip", "category:moving"])
lifetimes = st.sampled_from(
    [*[None] * 5, timedelta(minutes=5), timedelta(hours=7), timedelta(days=1), timedelta(days=3)]
)
reasons = st.sampled_from(["grant", "promo", "allowance", "rollover", "purchase"])
keyed = st.booleans()
# Parts of a payment. Thirds are not whole tokens. The last one is more than was paid.
money_parts = st.sampled_from([(1, 1), (1, 1), (1, 2), (1, 3), (2, 3), (1, 500), (501, 500)])
metadata_sizes = st.sampled_from([*[0] * 4, 1000, 1100])  # in letters
tags = st.sampled_from([*[None] * 4, {"job": "1"}, {"job": "1", "feature": "chat"}, {"job": 1}])
# Events about pending money come more often than odd events.
PENDING_MONEY = ["unpaid", "failed", "expired", "paid later"]
variants = st.lists(st.sampled_from([*SESSION_EVENTS, *PENDING_MONEY * 2]), min_size=1, max_size=4)
events_before_attach = st.integers(0, 4)  # how many come before attach_checkout
by_user = st.sampled_from([False, False, False, True])  # a user over HTTP calls, not a service
jumps = st.sampled_from(
    ["next", "before next", *(timedelta(minutes=minutes) for minutes in (1, 15, 360, 24 * 60, 4 * 24 * 60))]
)
