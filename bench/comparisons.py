"""A spend beside its peers: over all accounts, on one hot account, and with a network in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from bench import proxy
from bench.bank import Bank
from bench.pgbench import Load, Peer, Round, run, spread, take_turns

Say = Callable[[str], None]

SPEND = "spend"
BARE = "bare statement"
SIX = "six statements"
AWAY = 0.001  # seconds each way
PAIR = "hold and capture"
BARE_TWICE = "two bare statements"
SPEND_TWICE = "two spends"
BATCH = "batch of 100"
BATCHED = 100  # spends in a batch
ROUND_TRIPS = 8  # of the six statements: BEGIN and COMMIT are sent as well


def uniform(bank: Bank, load: Load, say: Say) -> None:
    """Accounts at random."""
    rounds = take_turns(bank, peers(bank), load, bank.accounts, bank.port, say)
    print_rates(f"uniform: any of {bank.accounts:,} accounts", rounds, of=BARE)


def hot(bank: Bank, load: Load, say: Say) -> None:
    """Everybody wants the same row."""
    rounds = take_turns(bank, peers(bank), load, 1, bank.port, say)
    print_rates("hot: one account for all clients", rounds, of=BARE)


def holds(bank: Bank, load: Load, say: Say) -> None:
    """A worst case held and less of it captured, against two of the least, and against two spends."""
    contenders = (
        Peer(BARE_TWICE, "bare_twice", bank.service),
        Peer(PAIR, "hold_and_capture", bank.service),
        Peer("both without keys", "hold_and_capture_without_keys", bank.service),
        Peer(SPEND_TWICE, "spend_twice", bank.service),
    )
    rounds = take_turns(bank, contenders, load, bank.accounts, bank.port, say)
    print_rates(f"holds: any of {bank.accounts:,} accounts, two transactions each", rounds, of=BARE_TWICE)
    print(f"  hold and capture to two spends: {spread(_ratios(rounds[PAIR], rounds[SPEND_TWICE]), '.2f')}")


def batch(bank: Bank, load: Load, say: Say) -> None:
    """A hundred charges in one call against a hundred calls."""
    pair = (Peer(SPEND, "spend", bank.service), Peer(BATCH, "batch", bank.service))
    many_and_one = ((bank.accounts, load.clients), (1, load.clients), (bank.accounts, 1))
    for accounts, clients in dict.fromkeys(many_and_one):
        crowd = replace(load, clients=clients)
        rounds = take_turns(bank, pair, crowd, accounts, bank.port, say)
        rounds[BATCH] = [
            replace(one, per_second=BATCHED * one.per_second, transactions=BATCHED * one.transactions)
            for one in rounds[BATCH]
        ]
        whose = "one account" if accounts == 1 else f"any of {accounts:,} accounts"
        print_rates(f"batch: charges of {whose}, {many(clients)}", rounds, of=SPEND)


def latency(bank: Bank, load: Load, say: Say) -> None:
    """One call against six statements, with a network between client and server.

    With one client it is what a request waits; more of them also queue for the processors of this machine.
    """
    pair = [peer for peer in peers(bank) if peer.name in (SPEND, SIX)]
    probe = Peer("select 1", "select_1", bank.service)
    away = f"{AWAY * 1000:g} ms"
    with proxy.delayed(bank.port, AWAY) as port:
        for clients in dict.fromkeys((1, load.clients)):
            crowd = replace(load, clients=clients)
            trip = 1000 * clients / run(bank, probe, clients, load.seconds, 1, port).per_second
            rounds = take_turns(bank, pair, crowd, bank.accounts, port, say)
            print_rates(f"latency: {away} each way, {many(clients)}", rounds, of=SPEND)
            print(f"  select 1 takes {trip:.2f} ms")
            times = _ratios(rounds[SPEND], rounds[SIX])
            print(
                f"  six statements with {away} latency are {spread(times, '.1f')} times slower than one spend"
            )
            # Each client waits for one answer at a time, so a transaction takes clients / rate.
            one, six = (1000 * clients / median(_rates(rounds[name])) for name in (SPEND, SIX))
            fewer = six - (ROUND_TRIPS - 6) * trip
            print(
                f"  ({six:.1f} ms in {ROUND_TRIPS} round trips against {one:.1f} ms in one;"
                f" {fewer / one:.1f} times if BEGIN and COMMIT travelled with their neighbours)"
            )


def peers(bank: Bank) -> tuple[Peer, ...]:
    return (
        Peer(BARE, "bare", bank.service),
        Peer(SPEND, "spend", bank.service),
        Peer("spend without key", "spend_without_key", bank.service),
        Peer(SIX, "six_statements", bank.client),
    )


def print_rates(title: str, rounds: dict[str, list[Round]], of: str) -> None:
    print(f"\n{title}")
    print(f"  {'':20}{'per second':>24}{'ratio to ' + of:>30}{'CPU busy':>10}")
    for name, measured in rounds.items():
        ratio = "1" if name == of else spread(_ratios(measured, rounds[of]), ".2f")
        busy = median(one.busy for one in measured)
        print(f"  {name:20}{spread(_rates(measured), ',.0f'):>24}{ratio:>30}{busy:>10.0%}")


def many(clients: int) -> str:
    return "one client" if clients == 1 else f"{clients} clients"


def _rates(rounds: Sequence[Round]) -> list[float]:
    return [one.per_second for one in rounds]


def _ratios(above: Sequence[Round], below: Sequence[Round]) -> list[float]:
    """Of each round, whose two runs were neighbours in time."""
    return [a / b for a, b in zip(_rates(above), _rates(below), strict=True)]
