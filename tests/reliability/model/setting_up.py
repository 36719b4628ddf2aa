"""The bank that the model knows: its prices, packs, plans and bounds, with test clocks."""

from __future__ import annotations

from callers import Connection
from reliability.exact_json import exact_json
from reliability.model.model import LONGEST_SERVICE_HOLD, MOST_OPEN_HOLDS, MOST_PENDING_ORDERS
from reliability.model.rewards import FOR_BUYER, FOR_REFERRER
from reliability.model.run import BOOKS
from reliability.model.subscribing import PLANS
from reliability.model.world import CALLS, NEVER, PACKS, PAGES, READ_AGAIN, SECONDS, TASTES


def set_up(connection: Connection) -> None:
    """Give a migrated bank what the model knows. `connection` is the superuser's."""
    connection.execute("select credits.allow_test_clocks(true)")
    connection.execute("select credits.bound_holds(%s, %s)", (LONGEST_SERVICE_HOLD, MOST_OPEN_HOLDS))
    connection.execute("select credits.freeze_on_fraud_warnings(true)")
    connection.execute("select credits.define_category('moving', 'Moving pictures')")
    connection.execute("select credits.bound_orders(%s)", (MOST_PENDING_ORDERS,))
    for name, category in (("draft", None), ("film", "moving"), ("clip", "moving"), ("taste", None)):
        connection.execute("select credits.define_module(%s, %s, %s)", (name, name, category))
    connection.execute(
        "select credits.define_dimension(%s, 'Pages that were read before', 'pages')", (READ_AGAIN,)
    )
    for module_id, category, versions in (
        ("draft", None, PAGES),
        ("clip", None, CALLS),
        ("taste", None, TASTES),
        (None, "moving", SECONDS),
    ):
        for version in versions:
            connection.execute(
                "select credits.define_price(%s, p_module_id => %s, p_category_id => %s, p_valid_from => %s)",
                (
                    exact_json(
                        [
                            {
                                "dimension": version.dimension,
                                "price_per_unit": version.tokens,
                                "whole_quantity": version.whole,
                            }
                        ]
                    ),
                    module_id,
                    category,
                    None if version.valid_from == NEVER else version.valid_from,
                ),
            )
    connection.execute(
        "select credits.define_pack('bundle', 'Bundle', %s, %s, 'eur', %s)",
        (PACKS[0].tokens, PACKS[0].amount, PACKS[0].bonus),
    )
    for plan in PLANS:
        connection.execute(
            "select credits.define_plan(%s, %s, %s, %s, 'eur', p_trial_days => %s,"
            " p_trial_allowance => %s, p_rollover_cap => %s, p_rollover_percent => %s,"
            " p_rollover_expires_after => %s, p_scope => %s, p_stripe_price_id => %s)",
            (
                *(plan.plan_id, plan.plan_id, plan.allowance, plan.price),
                *(1 if plan.trial else 0, plan.trial, plan.cap, plan.percent, plan.lasts, plan.scope),
                plan.price_id,
            ),
        )
    connection.execute(
        "select credits.define_campaign('invite', 'referral', 'Invite', %s, %s, p_per_account => 5)",
        (FOR_REFERRER, FOR_BUYER),
    )


def prepare(connection: Connection) -> None:
    """Prepare what is read after every step: to plan the audit takes long."""
    connection.prepare_threshold = None  # psycopg forgets what it has prepared with every refusal
    for name, query in BOOKS.items():
        connection.execute(f"prepare {name} as {query}".encode())
