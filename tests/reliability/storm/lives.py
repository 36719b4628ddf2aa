"""What buyers, their banks and the shop do with a purchase. Each life is played on the simulator."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from reliability.storm.shop import Shop

Session = dict[str, Any]
Life = Callable[[Shop, Session, Random], None]


def _intent(shop: Shop, session: Session) -> Any:
    return shop.stripe.checkout.sessions.retrieve(session["session_id"]).payment_intent


def _charge(shop: Shop, session: Session) -> str:
    return str(shop.stripe.payment_intents.retrieve(_intent(shop, session)).latest_charge)


def paid(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")


def abandoned(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "expire")


def declined_then_paid(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "fail")
    shop.press(session, "pay")


def debit(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay_later")
    shop.move(f"payment_intents/{_intent(shop, session)}/{random.choice(('succeed', 'succeed', 'fail'))}")


def refunded(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")
    shop.stripe.refunds.create({"payment_intent": _intent(shop, session)})


def refunded_in_parts(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")
    for amount in random.choices(range(100, 300), k=random.randint(1, 3)):
        shop.stripe.refunds.create({"payment_intent": _intent(shop, session), "amount": amount})


def refund_of_a_debit(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay_later")
    shop.move(f"payment_intents/{_intent(shop, session)}/succeed")
    refund = shop.stripe.refunds.create({"payment_intent": _intent(shop, session), "amount": 400})
    end = random.choice(("succeed", "fail", None))
    if end is not None:
        shop.move(f"refunds/{refund.id}/{end}")


def disputed(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")
    inquiry = random.random() < 0.2
    dispute = shop.move(f"charges/{_charge(shop, session)}/dispute", inquiry=inquiry)
    if inquiry and random.random() < 0.5:
        shop.move(f"disputes/{dispute['id']}/escalate")
        inquiry = False
    if random.random() < 0.8:
        shop.move(f"disputes/{dispute['id']}/{'lose' if inquiry else random.choice(('win', 'lose'))}")


def refunded_and_disputed(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")
    shop.stripe.refunds.create({"payment_intent": _intent(shop, session), "amount": 300})
    dispute = shop.move(f"charges/{_charge(shop, session)}/dispute", amount=500)
    if random.random() < 0.5:
        shop.move(f"disputes/{dispute['id']}/win")


def warned(shop: Shop, session: Session, random: Random) -> None:
    shop.press(session, "pay")
    shop.move(f"charges/{_charge(shop, session)}/warn")


LIVES: tuple[Life, ...] = (
    paid, paid, abandoned, declined_then_paid, debit, refunded, refunded_in_parts, refund_of_a_debit,
    disputed, disputed, refunded_and_disputed, warned,
)  # fmt: skip
