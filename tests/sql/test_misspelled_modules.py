"""What differs from a listed module only by case, space, hyphen or underscore has no price."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from holding import Bank
from people import Caller, Connection, refused

User = Callable[..., Caller]
SPELLINGS = [
    "StableDiffusion",
    "STABLEDIFFUSION",
    "stablediffusion ",
    " stablediffusion",
    "stable diffusion",
    "stable-diffusion",
    "stable_diffusion",
    "Stable-Diffusion_",
    "stable\u00a0diffusion",
    "stablediffusion\t\n",
    "stablediffusion\u200b",
    "\ufeffstablediffusion",
    "stable\u2011diffusion",
    "stable\u058adiffusion",
    "stable\u301cdiffusion",
    "stable\u203fdiffusion",
    "stable\u2043diffusion",
    "stable\u2800diffusion",
    "stable\U000e0020diffusion",
    "stable\u2013diffusion",
    "stable\u3000diffusion",
    "stable\u00addiffusion",
    "stable\u2003diffusion",
    "stable\u2028diffusion",
    "stable\uff3fdiffusion",
    "ｓtablediffusion",
]


@pytest.mark.parametrize("spelled", SPELLINGS, ids=ascii)
def test_another_spelling_is_refused_with_the_right_name(spelled: str, user: User, service: Caller) -> None:
    ada = user(1000)
    named = {"user_id": ada.user_id, "module_id": spelled}
    calls = [
        (ada, "consume_tokens", {"module_id": spelled}),
        (ada, "quote_tokens", {"module_id": spelled, "usage": '{"calls": 2}'}),
        (ada, "hold_tokens", {"module_id": spelled}),
        (ada, "report_refusal", {"module_id": spelled}),
        (ada, "consume_call", named | {"module_name": "Stable Diffusion", "tokens_to_consume": 30}),
        (ada, "create_order", {"pack_id": "basique", "module_id": spelled}),
        (service, "consume_tokens", named),
        (service, "report_failure", named),
    ]
    for caller, function, arguments in calls:
        with refused("unknown_module") as facts:
            caller.call(function, **arguments)
        assert facts == {"error": "unknown_module", "did_you_mean": "stablediffusion"}, function
    with refused("bad_scope") as facts:
        service.call("add_tokens", user_id=ada.user_id, tokens=5, scope=f"module:{spelled}")
    assert facts["did_you_mean"] == "module:stablediffusion"
    assert ada.balance() == 1000


def test_item_of_a_batch_and_a_guest_are_told_as_well(bank: Bank) -> None:
    bank.call("add_tokens", user_id="ada", tokens=100)
    (verdict,) = bank.row(
        'select verdicts from api.consume_tokens_batch(\'[{"user_id": "ada", "module_id": "MeTube"}]\')'
    )["verdicts"]
    assert (verdict["error"], verdict["did_you_mean"]) == ("unknown_module", "metube")
    bank.rows("select credits.define_guest_limits('iahome', 3)")
    with refused("unknown_module") as facts:
        bank.call("guest_consume", module_id="me-tube", device_keys=["a" * 64], network_keys=["b" * 64])
    assert facts["did_you_mean"] == "metube"


def test_what_differs_by_more_is_another_module_at_the_default_price(user: User) -> None:
    ada = user(100)
    for module_id in ("stablediffusion2", "stable.diffusion", "stablediffusio"):
        receipt = ada.call("consume_tokens", module_id=module_id)
        assert (receipt["cost"], receipt["price_source"]) == (30, "default")


def test_listed_modules_may_differ_by_a_hyphen(bank: Bank) -> None:
    bank.rows("select credits.define_module('me-tube', 'Another one')")
    bank.rows('select credits.define_price(\'[{"dimension": "calls", "price_per_unit": 3}]\', \'me-tube\')')
    bank.call("add_tokens", user_id="ada", tokens=100)
    costs = [
        bank.call("consume_tokens", module_id=each, user_id="ada")["cost"] for each in ("me-tube", "metube")
    ]
    assert costs == [3, 10]


def test_other_spelling_of_a_withdrawn_module_costs_no_default_price(bank: Bank) -> None:
    bank.rows("select credits.define_module('metube', 'MeTube', 'video', p_active => false)")
    bank.call("add_tokens", user_id="ada", tokens=100)
    with refused("unknown_module") as facts:
        bank.call("consume_tokens", module_id="MeTube", user_id="ada")
    assert facts == {"error": "unknown_module"}


@pytest.mark.parametrize("module_id", ["", " ", "-", "_\t", "\u200b"], ids=ascii)
def test_nothing_is_no_module(module_id: str, user: User) -> None:
    with refused("unknown_module"):
        user(100).call("consume_tokens", module_id=module_id)


def test_receipts_say_whose_price_it_is(bank: Bank) -> None:
    bank.rows("select credits.define_module('own', 'With a price of its own')")
    bank.rows('select credits.define_price(\'[{"dimension": "calls", "price_per_unit": 3}]\', \'own\')')
    bank.call("add_tokens", user_id="ada", tokens=1000)
    for module_id, source in (("own", "module"), ("metube", "category"), ("other", "default")):
        for usage in ("{}", '{"calls": 2}'):
            named = {"module_id": module_id, "usage": usage, "user_id": "ada"}
            held = bank.call("hold_tokens", **named)
            answers = [
                bank.call("consume_tokens", idempotency_key=f"{module_id} {usage}", **named),
                bank.call("consume_tokens", idempotency_key=f"{module_id} {usage}", **named),
                bank.call("quote_tokens", **named),
                held,
                bank.call("extend_hold", hold_id=held["hold_id"]),
                bank.row(
                    "select verdicts -> 0 as v from api.consume_tokens_batch(jsonb_build_array("
                    " jsonb_build_object('user_id', 'ada', 'module_id', %s::text, 'usage', %s::jsonb)))",
                    (module_id, usage),
                )["v"],
            ]
            assert [answer["price_source"] for answer in answers] == [source] * len(answers)


def test_the_column_and_the_function_read_an_id_alike(admin: Connection) -> None:
    """A generated column cannot use a function that is reloaded."""
    code = admin.execute(
        "select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef as d join pg_attribute as a"
        " on a.attrelid = d.adrelid and a.attnum = d.adnum"
        " where d.adrelid = 'credits.modules'::regclass and a.attname = 'likeness'"
    ).fetchone()
    body = admin.execute("select pg_get_function_sqlbody('credits.likeness(text)'::regprocedure)").fetchone()
    assert code and body
    assert body[0] == f"RETURN {code[0]}".replace("module_id", "p_module_id")
