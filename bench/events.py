"""Stripe's events, from the signed request to the commit; and what they cost the spends beside them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Any

from bench.bank import HOST, Bank
from bench.comparisons import SPEND
from bench.pgbench import Load, Peer, Round, run, spread
from bench.serving import served

Say = Callable[[str], None]
SECRET = "whsec_of_the_bench"
CONNECTIONS = 16
GOAL = 300  # events per second while spends run
_numbers = itertools.count(1)


def events(bank: Bank, load: Load, say: Say) -> None:
    """Events alone, as fast as they are taken; then spends with and without events at a steady rate."""
    with served(bank, STRIPE_WEBHOOK_SECRET=SECRET) as api:
        port = api.port
        # A bank that has just begun plans as if its tables stayed empty, until autovacuum has seen them.
        asyncio.run(_post(port, _lives(bank, 3000), 60))
        with bank.connect() as admin:
            admin.execute("vacuum (analyze)")
        rates = []
        for number in range(load.rounds):
            say(f"  round {number + 1} of {load.rounds}: events alone")
            lives = _lives(bank, 700 * load.seconds)
            rates.append(asyncio.run(_post(port, lives, load.seconds)))
        print("\nevents: signed request to commit; each purchase has three (paid, refunded, disputed)")
        print(f"  {CONNECTIONS} connections: {spread(rates, ',.0f')} per second")
        _beside(bank, load, port, say)


def _beside(bank: Bank, load: Load, port: int, say: Say) -> None:
    """Spends at a third of what they could do, so that the processors are not what limits them."""
    peer = Peer(SPEND, "spend", bank.service)
    most = run(bank, peer, load.clients, load.seconds, bank.accounts, bank.port).per_second
    alone: list[Round] = []
    among: list[Round] = []
    kept: list[float] = []
    for number in range(load.rounds):
        say(f"  round {number + 1} of {load.rounds}: spends without and with {GOAL} events a second")
        alone.append(run(bank, peer, load.clients, load.seconds, bank.accounts, bank.port, rate=most / 3))
        lives = _lives(bank, 2 * GOAL * load.seconds)
        over = Flag()
        stream = Thread(target=_stream, args=(port, lives, over, kept))
        stream.start()
        among.append(run(bank, peer, load.clients, load.seconds, bank.accounts, bank.port, rate=most / 3))
        over.set()
        stream.join()
    slower = [b.per_second / a.per_second for a, b in zip(alone, among, strict=True)]
    print(
        f"  beside spends at a third of their rate ({most / 3:,.0f} a second):"
        f" {spread(kept, ',.0f')} per second"
    )
    print(f"  spends done: {spread(slower, '.3f')} of those without events;", end=" ")
    print(
        f"each took {spread([b.latency for b in among], ',.1f')} ms"
        f" instead of {spread([a.latency for a in alone], ',.1f')}"
    )


def _stream(port: int, lives: list[list[bytes]], over: Flag, kept: list[float]) -> None:
    kept.append(asyncio.run(_post(port, lives, 0, over, GOAL)))


def _lives(bank: Bank, most: int) -> list[list[bytes]]:
    """Purchases whose checkouts are open, and the three events of each, at most `most` events in all."""
    mark = next(_numbers)
    with bank.connect() as admin:
        orders = admin.execute(
            "insert into credits.orders (account_id, pack_id, package_name, tokens, amount, currency,"
            " checkout_session_id) select i.account_id, 'standard', 'Standard', 500, 3999, 'eur',"
            " format('cs_bench_%%s_%%s', %s::int, row_number() over ())"
            " from (select account_id from credits.identities order by md5(subject || %s) limit %s) as i"
            " returning account_id::text, order_id::text, checkout_session_id",
            (mark, str(mark), most // 3),
        ).fetchall()
    return [_life(*order) for order in orders]


def _life(account_id: str, order_id: str, session_id: str) -> list[bytes]:
    intent = f"pi_{session_id}"
    of_payment = {"currency": "eur", "payment_intent": intent, "charge": f"ch_{session_id}"}
    session = {
        **{"id": session_id, "object": "checkout.session", "client_reference_id": account_id},
        **{"metadata": {"order_id": order_id}, "payment_status": "paid", "payment_intent": intent},
        **{"currency": "eur", "amount_subtotal": 3999, "amount_total": 3999},
    }
    refund = {"id": f"re_{session_id}", "object": "refund", "amount": 1000, "status": "succeeded"}
    dispute = {
        **{"id": f"dp_{session_id}", "object": "dispute", "amount": 2000, "status": "needs_response"},
        **{"balance_transactions": [], **of_payment},
    }
    told = (
        ("checkout.session.completed", session),
        ("refund.created", refund | of_payment),
        ("charge.dispute.funds_withdrawn", dispute),
    )
    return [_event(kind, thing) for kind, thing in told]


def _event(kind: str, thing: dict[str, Any]) -> bytes:
    event = {"id": f"evt_{kind}_{thing['id']}", "object": "event", "type": kind, "livemode": False}
    return json.dumps({**event, "created": 1795200000, "data": {"object": thing}}).encode()


async def _post(
    port: int, lives: list[list[bytes]], seconds: float, over: Flag | None = None, rate: float | None = None
) -> float:
    """Post the events until they are used up or the time is over. Returns how many a second."""
    began, waiting, done = time.monotonic(), iter(lives), 0

    def running() -> bool:
        return not over.is_set() if over else time.monotonic() < began + seconds

    async def connection() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(HOST, port)
        for life in waiting:
            for body in life:
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + done / rate - time.monotonic()))
                writer.write(_signed(body))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
                answer = await reader.readexactly(length)
                if not head.startswith(b"HTTP/1.1 200") or b'"duplicate"' in answer:
                    raise RuntimeError(answer.decode())
                done += 1
            if not running():
                break
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return done / (time.monotonic() - began)


def _signed(body: bytes) -> bytes:
    at = str(int(time.time())).encode()
    mark = hmac.new(SECRET.encode(), at + b"." + body, hashlib.sha256).hexdigest().encode()
    return (
        b"POST /webhooks/stripe HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Stripe-Signature: t=%b,v1=%b\r\nContent-Length: %d\r\n\r\n%b" % (at, mark, len(body), body)
    )
