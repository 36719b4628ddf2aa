"""An id that looks like a listed module (case, space, hyphens, accents, other scripts) has no price."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from callers import Caller, Connection, refused
from holding import Bank

pytestmark = pytest.mark.slow

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
    # Letters that look alike.
    "stabled\u0131ffusion",
    "\u0455table\u0501iffusion",
    "STABLED\u0130FFUSION",
    "\u0405\u0422\u0410\u0412LED\u0406FFUS\u0406\u041eN",
    "st\u03b1bl\u03b5di\u017f\u017fusion".replace("\u017f\u017f", "ff"),
    "stablediffu\u017fion",
    "stabledi\ufb00usion",
    "st\u0251blediffusion",
    "\ua731\u1d1b\u1d00\u0299\u029f\u1d07\u1d05\u026a\ua730\ua730\u1d1c\ua731\u026a\u1d0f\u0274",
    "\ua4e2\ua4d4\ua4ee\ua4d0\ua4e1\ua4f0\ua4d3\ua4f2\ua4dd\ua4dd\ua4f4\ua4e2\ua4f2\ua4f3\ua4e0",
    "st\u13aa\u13cf\u13ae\u13acdiffusion".replace("\u13ae", "l"),
    "\U0001d42c\U0001d42d\U0001d41a\U0001d41b\U0001d425\U0001d41ediffusion",
    "stabl\u00e9diffusion",
    "stable\u0301diffusion",
    "s\u0336table\u20dddiffusion",
    "stab\u0142ediffusi\u00f8n",
    "stablediffusi\u0585\u0578",
]
LISTED = [
    ("metube", "me-tube"),
    ("metube", "MeTube "),
    ("whisper", "wh\u0131sper"),
    ("whisper", "wh\u0456sper"),
    ("whisper", "Whisper\u200b"),
    ("whisper", "wh\u00edsper"),
]
MIXED = ["wizard\u0436", "draw\U0001f3b5", "draw\u0663", "\u05d0draw", "dr\u0e01w", "draw\u10d0"]


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


def test_batch_items_and_guests_get_the_right_name_too(bank: Bank) -> None:
    bank.call("add_tokens", user_id="ada", tokens=100)
    (verdict,) = bank.row(
        'select verdicts from api.consume_tokens_batch(\'[{"user_id": "ada", "module_id": "MeTube"}]\')'
    )["verdicts"]
    assert (verdict["error"], verdict["did_you_mean"]) == ("unknown_module", "metube")
    bank.rows("select credits.define_guest_limits('iahome', 3)")
    with refused("unknown_module") as facts:
        bank.call("guest_consume", module_id="me-tube", device_keys=["a" * 64], network_keys=["b" * 64])
    assert facts["did_you_mean"] == "metube"


def test_really_different_ids_take_the_default_price(user: User) -> None:
    ada = user(100)
    for module_id in ("stablediffusion2", "stable.diffusion", "stablediffusio"):
        receipt = ada.call("consume_tokens", module_id=module_id)
        assert (receipt["cost"], receipt["price_source"]) == (30, "default")


@pytest.mark.parametrize("module_id", MIXED, ids=ascii)
def test_unlisted_id_of_latin_and_other_letters_takes_no_default_price(
    module_id: str, user: User, bank: Bank
) -> None:
    with refused("unknown_module"):
        user(100).call("consume_tokens", module_id=module_id)
    bank.rows("select credits.define_module(%s, 'Listed')", (module_id,))  # who lists it means it
    bank.call("add_tokens", user_id="ada", tokens=100)
    assert bank.call("consume_tokens", module_id=module_id, user_id="ada")["cost"] == 30


@pytest.mark.parametrize("module_id", ["new\ufff9", "new\u001f", "new\u00a0", " new", "new\ue000"], ids=ascii)
def test_unlisted_id_that_could_not_be_listed_takes_no_default_price(module_id: str, user: User) -> None:
    with refused("unknown_module"):
        user(100).call("consume_tokens", module_id=module_id)


@pytest.mark.parametrize(
    "module_id", ["\u0436\u0443\u043a", "\u753b\u50cf\u751f\u6210AI", "\ud55c\uae00 ai", "r\u00e9sum\u00e9"]
)
def test_unlisted_id_of_one_script_takes_the_default_price(module_id: str, user: User) -> None:
    assert user(100).call("consume_tokens", module_id=module_id)["price_source"] == "default"


@pytest.mark.parametrize(("listed", "new"), LISTED, ids=ascii)
@pytest.mark.parametrize("active", [True, False])
def test_lookalike_modules_cannot_both_be_listed(listed: str, new: str, active: bool, bank: Bank) -> None:
    if not active:
        bank.rows("select credits.define_module(%s, 'Withdrawn', p_active => false)", (listed,))
    with refused("bad_catalog") as facts:
        bank.rows("select credits.define_module(%s, 'Another one')", (new,))
    assert facts == {"error": "bad_catalog", "line": "module", "name": new}


def test_module_with_versions_can_be_defined_again(bank: Bank) -> None:
    for module_id in ("whisper", "whisper", "whisper-2", "whisper.2", "whisper-3"):
        bank.rows("select credits.define_module(%s, 'Whisper')", (module_id,))


def test_older_lookalikes_can_be_defined_again_and_keep_their_prices(bank: Bank) -> None:
    bank.rows("insert into credits.modules (module_id, title) values ('me-tube', 'Of before') returning 1")
    bank.rows("select credits.define_module('me-tube', 'Of before')")
    bank.rows('select credits.define_price(\'[{"dimension": "calls", "price_per_unit": 3}]\', \'me-tube\')')
    bank.call("add_tokens", user_id="ada", tokens=100)
    costs = [
        bank.call("consume_tokens", module_id=each, user_id="ada")["cost"] for each in ("me-tube", "metube")
    ]
    assert costs == [3, 10]
    with refused("unknown_module"):
        bank.call("consume_tokens", module_id="m\u0435tube", user_id="ada")


@pytest.mark.parametrize("module_id", ["-", "\u00a0_"], ids=ascii)
def test_invisible_module_id_is_not_listed(module_id: str, bank: Bank) -> None:
    with refused("bad_catalog"):
        bank.rows("select credits.define_module(%s, 'Nothing')", (module_id,))


def test_other_spelling_of_a_withdrawn_module_is_refused(bank: Bank) -> None:
    bank.rows("select credits.define_module('metube', 'MeTube', 'video', p_active => false)")
    bank.call("add_tokens", user_id="ada", tokens=100)
    with refused("unknown_module") as facts:
        bank.call("consume_tokens", module_id="MeTube", user_id="ada")
    assert facts == {"error": "unknown_module"}


@pytest.mark.parametrize("module_id", ["", " ", "-", "_\t", "\u200b"], ids=ascii)
def test_empty_module_id_is_refused(module_id: str, user: User) -> None:
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
                bank.row("select price_source from api.holds where hold_id = %s", (held["hold_id"],)),
                bank.call(
                    "capture_hold",
                    hold_id=held["hold_id"],
                    usage={"calls": 1},
                    final=False,
                    idempotency_key=held["hold_id"],
                ),
                bank.call(
                    "capture_hold",
                    hold_id=held["hold_id"],
                    usage={"calls": 1},
                    final=False,
                    idempotency_key=held["hold_id"],
                ),
                bank.call("capture_hold", hold_id=held["hold_id"]),
                bank.row(
                    "select verdicts -> 0 as v from api.consume_tokens_batch(jsonb_build_array("
                    " jsonb_build_object('user_id', 'ada', 'module_id', %s::text, 'usage', %s::jsonb)))",
                    (module_id, usage),
                )["v"],
            ]
            assert [answer["price_source"] for answer in answers] == [source] * len(answers)
        for view in ("entries", "usage"):
            shown = bank.rows(
                f"select distinct price_source from api.{view} where module_id = %s", (module_id,)
            )
            assert shown == [{"price_source": source}]
    assert bank.rows("select distinct price_source from api.entries where kind = 'grant'") == [
        {"price_source": None}
    ]


def test_stored_and_computed_likeness_agree(admin: Connection) -> None:
    """A generated column cannot use a function that is reloaded."""
    code = admin.execute(
        "select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef as d join pg_attribute as a"
        " on a.attrelid = d.adrelid and a.attnum = d.adnum"
        " where d.adrelid = 'credits.modules'::regclass and a.attname = 'likeness'"
    ).fetchone()
    body = admin.execute("select pg_get_function_sqlbody('credits.likeness(text)'::regprocedure)").fetchone()
    assert code and body
    assert body[0] == f"RETURN {code[0]}".replace("module_id", "p_module_id")
