"""Names are visible and have one spelling. Texts that people are shown do not mislead them.

Every text argument of every function that somebody may call has a line here, which says what becomes of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from callers import Caller, Row, refused
from sql.rules.test_nulls import CHANCE, World

pytestmark = pytest.mark.slow

LONG = "x" * 10_000


@dataclass(frozen=True)
class Name:
    """It is a name. A look-alike is another name, or is refused with one of these slugs."""

    slugs: tuple[str, ...]


@dataclass(frozen=True)
class Typed:
    """People type it. Invisible characters are left out, or it is refused with one of these slugs."""

    slugs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """People read it. It has no controls and no changes of direction. `lines`: it may have several lines."""

    slug: str
    lines: bool = False


@dataclass(frozen=True)
class Unused:
    """It is kept nowhere, because …"""

    why: str


@dataclass(frozen=True)
class Elsewhere:
    """It has tests of its own, in …"""

    file: str


Kind = Name | Typed | Label | Unused | Elsewhere
# Arguments that mean the same in every function of api.
BY_NAME: dict[str, Kind] = {
    "code": Typed(("unknown_code",)),
    "customer_id": Name(("bad_order",)),
    "after": Unused("it is only compared"),
    "description": Label("bad_webhook"),
    "device_keys": Name(("bad_guest",)),
    "email": Typed(("bad_email", "bad_user", "unknown_user")),
    "entry_id": Name(("unknown_entry",)),
    "event_id": Name(("unknown_event",)),
    "hold_id": Name(("unknown_hold",)),
    "idempotency_key": Name(("bad_key",)),
    "lot_id": Name(("unknown_lot",)),
    "list": Name(("bad_page",)),
    "object_id": Name(("unknown_event",)),
    "key_id": Name(("unknown_api_key",)),
    "kinds": Name(("bad_webhook",)),
    "module_id": Elsewhere("test_misspelled_modules.py"),
    "name": Label("bad_api_key"),
    "role": Name(("bad_api_key",)),
    "compared_hash": Unused("it is only compared"),
    "secret_hash": Unused("it is only compared"),
    "token_hash": Unused("it is only compared"),
    "module_name": Unused("the name of a module is in the catalog"),
    "network_keys": Name(("bad_guest",)),
    "over": Name(("bad_over",)),
    "pack_id": Name(("unknown_pack",)),
    "plan_id": Name(("unknown_plan",)),
    "package_name": Label("bad_reason"),
    "password_hash": Name(("bad_password",)),
    "payment_method_id": Name(("bad_consent",)),
    "period": Name(("bad_period",)),
    "reason": Label("bad_reason", lines=True),
    "referral_code": Typed(("unknown_code",)),
    "replaces_customer_id": Unused("it is only compared"),
    "scope": Name(("bad_scope",)),
    "session_id": Name(("bad_order",)),
    "shortfall_id": Name(("unknown_shortfall",)),
    "state": Name(("bad_state",)),
    "words": Label("bad_consent", lines=True),
    "trouble": Label("bad_reason", lines=True),
    "url": Name(("bad_webhook",)),
    "user_id": Name(("bad_user", "unknown_user", "unknown_hold", "not_yours")),
}
EXCEPT: dict[tuple[str, str], Kind] = {
    ("add_tokens/9", "reason"): Name(("bad_reason",)),
    ("resolve_api_key/2", "key_id"): Unused("it is only compared"),
    ("open_session/2", "password_hash"): Unused("it is only compared"),
}

CATALOG = Name(("bad_catalog",))
SHOWN = Label("bad_catalog")
# Valid lines of a catalog, and the meaning of their texts.
LINES: dict[str, tuple[Row, Mapping[str, Kind]]] = {
    "define_campaign": (
        {"p_campaign_id": "c", "p_kind": "promo", "p_title": "T", "p_tokens": 1, "p_scope": "module:whisper"},
        {"p_campaign_id": CATALOG, "p_kind": CATALOG, "p_title": SHOWN, "p_scope": CATALOG},
    ),
    "define_campaign_bounds": (
        {"p_campaign_id": "brought", "p_per_device": 0},
        {"p_campaign_id": CATALOG},
    ),
    "define_catalog": (
        {"p_catalog_id": "c", "p_title": "T", "p_unit": "token", "p_currency": "eur"},
        {"p_catalog_id": CATALOG, "p_title": SHOWN, "p_unit": SHOWN, "p_currency": CATALOG},
    ),
    "define_category": (
        {"p_category_id": "c", "p_title": "T"},
        {"p_category_id": CATALOG, "p_title": SHOWN},
    ),
    "define_code": (
        {"p_code": "SPRING", "p_campaign_id": "given"},
        {"p_code": Elsewhere("test_define_campaign.py"), "p_campaign_id": CATALOG},
    ),
    "define_dimension": (
        {"p_dimension": "pages", "p_description": "D", "p_parent": "bytes"},
        {"p_dimension": CATALOG, "p_description": SHOWN, "p_parent": CATALOG},
    ),
    "define_guest_limits": ({"p_catalog_id": "iahome", "p_per_device": 3}, {"p_catalog_id": CATALOG}),
    "define_imported_price": (
        {"p_origin": "o", "p_module_id": "m", "p_title": "T"}
        | {"p_components": '[{"dimension": "calls", "price_per_unit": 1}]'},
        {"p_origin": CATALOG, "p_module_id": CATALOG, "p_title": SHOWN},
    ),
    "define_module": (
        {"p_module_id": "m", "p_title": "T", "p_category_id": "given"},
        {"p_module_id": CATALOG, "p_title": SHOWN, "p_category_id": CATALOG},
    ),
    "define_notice": ({"p_kind": "depleted"}, {"p_kind": CATALOG}),
    "define_pack": (
        {"p_pack_id": "p", "p_title": "T", "p_tokens": 10, "p_amount": 1000, "p_currency": "eur"}
        | {"p_stripe_price_id": "price_1", "p_scope": "module:whisper"},
        {"p_pack_id": CATALOG, "p_title": SHOWN, "p_currency": CATALOG}
        | {"p_stripe_price_id": CATALOG, "p_scope": CATALOG},
    ),
    "define_plan": (
        {"p_plan_id": "p", "p_title": "T", "p_allowance": 10, "p_amount": 1000, "p_currency": "eur"}
        | {"p_interval": "year", "p_stripe_price_id": "price_1", "p_scope": "module:whisper"},
        {"p_plan_id": CATALOG, "p_title": SHOWN, "p_currency": CATALOG, "p_interval": CATALOG}
        | {"p_stripe_price_id": CATALOG, "p_scope": CATALOG},
    ),
    "define_price": (
        {"p_components": '[{"dimension": "calls", "price_per_unit": 1}]', "p_module_id": "whisper"},
        {"p_module_id": CATALOG, "p_category_id": CATALOG},
    ),
    "define_retention": ({"p_kind": "guests", "p_keep_for": "90 days"}, {"p_kind": CATALOG}),
    "define_topup": (
        {"p_currency": "usd", "p_minimum": 100, "p_maximum": 1000, "p_tokens_per_unit": 1},
        {"p_currency": CATALOG},
    ),
    "define_topup_preset": ({"p_currency": "eur", "p_amount": 1000}, {"p_currency": CATALOG}),
}


def unseen(good: str) -> list[str]:
    """Texts that look like the good one, and differ from it."""
    return [
        good + "\x1f",
        good[:1] + "\u200b" + good[1:],
        "\u202e" + good,
        good + "\ufff9",
        good + "\u00ad",
        good + "\u00a0",
        good + "\ue000",
        good + "\x7f",
        "\u0301" + good,
        "\u0301",
        LONG,
    ]


def answers(world: World, function: str, arguments: Row) -> str:
    """The slug or the answer of a call, which is undone."""
    try:
        answer, _ = world.outcome(function, arguments)
    except psycopg.Error as error:
        return str(json.loads(error.diag.message_detail or "{}").get("error", error))
    return CHANCE.sub("*", str(answer))


def texts_of(caller: Caller, where: str) -> dict[str, set[str]]:
    rows = caller.rows(
        "select p.proname || '/' || p.pronargs as name, array_agg(a.name order by a.place) as arguments"
        " from pg_proc as p"
        " cross join unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, place)"
        " join pg_type as t on t.oid = a.type"
        " where (a.type in ('text'::regtype, 'text[]'::regtype) or t.typbasetype = 'text'::regtype) and "
        + where
        + " group by p.oid, p.proname, p.pronargs"
    )
    return {row["name"]: set(row["arguments"]) for row in rows}


@pytest.fixture(scope="module")
def world(own_town: Any) -> World:
    world = World(own_town)
    own_town.campaign("given", "promo", 5)
    own_town.bank.rows("select credits.define_category('given', 'Given')")
    own_town.bank.rows("select credits.define_topup('eur', 100, 100000, 1)")
    return world


def test_every_text_argument_is_tested(world: World) -> None:
    for arguments in texts_of(world.service, "p.pronamespace = 'api'::regnamespace").values():
        assert arguments <= BY_NAME.keys()
    lines = texts_of(
        world.service, "p.pronamespace = 'credits'::regnamespace and starts_with(p.proname, 'define_')"
    )
    assert {name.partition("/")[0]: arguments for name, arguments in lines.items()} == {
        name: set(kinds) for name, (_, kinds) in LINES.items()
    }


def calls(world: World) -> list[tuple[str, str, Kind, Row]]:
    texts = texts_of(world.service, "p.pronamespace = 'api'::regnamespace")
    return [
        (function, argument, EXCEPT.get((function, argument), BY_NAME[argument]), call)
        for function, call in world.calls().items()
        for argument in sorted(texts.get(function, ()))
        if argument in call
    ]


def bad_texts(kind: Kind, good: str) -> list[str]:
    if isinstance(kind, Label):
        bad = [good + "\x1f", "\u202e" + good, good + "\ufff9", good + "\x1b[31m", LONG]
        return bad if kind.lines else [*bad, good + "\nmore"]
    return unseen(good)


def test_names_with_invisible_characters_are_refused(world: World) -> None:
    tried = 0
    for function, argument, kind, call in calls(world):
        if isinstance(kind, Unused | Elsewhere):
            continue
        given = call[argument]
        good = given[0] if isinstance(given, list) else str(given)
        allowed = {kind.slug} if isinstance(kind, Label) else set(kind.slugs)
        if isinstance(kind, Typed):
            # The answer of the good text, or of an unknown one.
            allowed |= {answers(world, function, call), answers(world, function, call | {argument: "-@-"})}
        for bad in bad_texts(kind, good):
            told = answers(world, function, call | {argument: [bad] if isinstance(given, list) else bad})
            assert told in allowed, (function, argument, bad, told)
            tried += 1
    assert tried > 400


def test_catalog_ids_must_be_proper_names(world: World) -> None:
    for function, (line, kinds) in LINES.items():
        define(world, function, line)
        for argument, kind in kinds.items():
            if isinstance(kind, Elsewhere):
                continue
            assert isinstance(kind, Name | Label)
            for bad in bad_texts(kind, str(line.get(argument, "x"))):
                with refused("bad_catalog"):
                    define(world, function, line | {argument: bad})


def define(world: World, function: str, line: Row) -> None:
    named = ", ".join(f"{name} => %({name})s" for name in line)
    with world.service.connection.transaction(force_rollback=True):
        world.service.rows(f"select credits.{function}({named})", line)


@pytest.mark.parametrize(
    "name",
    [
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "Ada Lovelace",
        "user_2abC",
        "CN=Ada,O=Ltd",
        "ada@example.com",
        "Zoë",
        "阿达",
        "वर्मा",
        "x" * 255,
    ],
)
def test_names_are_kept_as_they_come(name: str, service: Caller) -> None:
    assert service.call("open_account", user_id=name)["user_id"] == name
    assert service.call("add_tokens", user_id=name, tokens=1, idempotency_key=name[:200])["user_id"] == name


@pytest.mark.parametrize("name", ["Zoe\u0308", " ada", "ada ", "a  b", "ada\n", "ada\U000e0061"], ids=ascii)
def test_names_must_be_in_normal_form(name: str, service: Caller) -> None:
    with refused("bad_user"):
        service.call("open_account", user_id=name)
    for key in (name, name * 100):
        with refused("bad_key"):
            service.call("add_tokens", user_id="somebody", tokens=1, idempotency_key=key)


def test_reasons_may_have_lines_and_titles_signs(service: Caller, user: Any) -> None:
    ada = user(10).user_id
    reason = "Traceback:\n\tline 1\r\n"
    assert service.call("freeze_account", user_id=ada, reason=reason)["reason"] == reason
    label = "Family \U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert service.call("add_tokens", user_id=ada, tokens=1, package_name=label)["tokens"] == 1


def test_metadata_is_kept_as_it_comes(user: Any, service: Caller) -> None:
    """Metadata may hold the raw output of a program. Odd characters must not stop a charge."""
    metadata = r'{"log": "\u001b[31m", "\u0007": "\u0085\t"}'
    named = {"user_id": user(100).user_id, "metadata": metadata}
    for function, arguments in (
        ("consume_tokens", named | {"module_id": "metube"}),
        ("report_failure", named | {"module_id": "metube"}),
    ):
        assert service.call(function, **arguments)["user_id"] == named["user_id"]
