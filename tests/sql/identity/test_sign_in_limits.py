"""Sign-in limits: they stop guessing, and nobody can lock somebody else out for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Row, at_once, refused, slugs

if TYPE_CHECKING:
    from conftest import Town

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def key() -> str:
    return sha256(uuid4().bytes).hexdigest()


def address() -> str:
    return f"u{uuid4().hex}@example.com"


class Network:
    """A network that people sign in from."""

    def __init__(self, town: Town, *, shared: bool = False) -> None:
        self.service = town.service
        self.keys = [key()]
        self.shared = shared

    def guess(self, email: str, caller: Caller | None = None) -> Row:
        """An attempt that is never reported as successful."""
        return (caller or self.service).call(
            "begin_sign_in", email=email, network_keys=self.keys, shared_network=self.shared
        )

    def sign_in(self, email: str) -> Row:
        assert self.guess(email)["password_hash"] == HASH
        return self.service.call("finish_sign_in", email=email, network_keys=self.keys)


@pytest.fixture
def ada(town: Town) -> str:
    """The address of a user who has signed up."""
    email = address()
    town.service.call("sign_up", email=email, password_hash=HASH)
    return email


@pytest.fixture(autouse=True)
def limits(town: Town) -> Iterator[None]:
    """Per account and network three failures, per account five, per network eight; four sign-ups."""
    limit(town, 3, 5, 8, 4, "15 minutes")
    yield
    limit(town, 10, 100, 300, 300, "15 minutes")


def limit(town: Town, *numbers: Any) -> None:
    words = ", ".join(["%s"] * len(numbers))
    town.bank.rows(f"select credits.limit_sign_ins({words})", numbers)


def age(town: Town) -> None:
    town.admin.execute("update credits.sign_in_counts set window_ends = window_ends - interval '16 minutes'")


def test_one_networks_guesses_at_one_account_are_bounded(town: Town, ada: str) -> None:
    network = Network(town)
    for _ in range(3):
        network.guess(ada)
    for spelling in (ada, ada.upper(), f" {ada}", ada.replace("@", "\u200b@"), f"{ada}."):
        with refused("sign_in_limit") as facts:
            network.guess(spelling)
    assert facts["limit"] == 3
    left = datetime.fromisoformat(facts["reset_at"]) - datetime.now().astimezone()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    age(town)
    assert network.sign_in(ada)["user_id"] is not None


def test_unknown_address_is_refused_at_the_same_point(town: Town, ada: str) -> None:
    for email in (ada, address(), "no address at all"):
        network = Network(town)
        found = [network.guess(email)["user_id"] for _ in range(3)]
        assert (found[0] is not None) == (email == ada)
        with refused("sign_in_limit"):
            network.guess(email)


def test_many_networks_guesses_at_one_account_are_bounded(town: Town, ada: str) -> None:
    for _ in range(5):
        Network(town).guess(ada)
    with refused("sign_in_limit"):
        Network(town).guess(ada)


def test_strangers_do_not_lock_out_a_known_network(town: Town, ada: str) -> None:
    home = Network(town)
    home.sign_in(ada)
    for _ in range(5):
        Network(town).guess(ada)
    with refused("sign_in_limit"):
        Network(town).guess(ada)
    for _ in range(4):
        home.sign_in(ada)


def test_one_networks_guesses_at_many_accounts_are_bounded(town: Town, ada: str) -> None:
    network = Network(town)
    for _ in range(8):
        network.guess(address())
    with refused("sign_in_limit"):
        network.guess(ada)
    shared = Network(town, shared=True)
    for _ in range(80):
        shared.guess(address())
    with refused("sign_in_limit"):
        shared.guess(ada)


def test_successful_sign_ins_do_not_count(town: Town, ada: str) -> None:
    network = Network(town)
    for _ in range(20):
        network.guess(ada)
        assert network.sign_in(ada)["user_id"] is not None
        age(town)
    network.guess(ada)
    network.guess(ada)
    network.sign_in(ada)
    for _ in range(3):
        network.guess(ada)
    with refused("sign_in_limit"):
        network.guess(ada)


def test_own_sign_ins_do_not_cover_guesses_at_others(town: Town, ada: str) -> None:
    network, mine = Network(town), address()
    town.service.call("sign_up", email=mine, password_hash=HASH)
    for _ in range(8):
        network.sign_in(mine)
        network.guess(address())
    with refused("sign_in_limit"):
        network.guess(address())


@pytest.mark.slow
def test_100_concurrent_guesses_stop_exactly_at_the_limit(town: Town, ada: str) -> None:
    network = Network(town)
    callers = [town.someone("service_role") for _ in range(25)]

    def four(caller: Caller) -> list[str]:
        seen = []
        for _ in range(4):
            try:
                network.guess(ada, caller)
                seen.append("let in")
            except psycopg.Error as error:
                assert error.sqlstate == "PT429"
                seen.append("refused")
        return seen

    results = at_once([lambda caller=caller: four(caller) for caller in callers])  # type: ignore[misc]
    assert slugs(results) == []
    everything = [word for result in results for word in result]
    assert (len(everything), everything.count("let in")) == (100, 3)


@pytest.mark.slow
def test_concurrent_guesses_do_not_deadlock(town: Town) -> None:
    networks = [Network(town) for _ in range(3)]
    emails = [address() for _ in range(3)]
    callers = [town.someone("service_role") for _ in range(9)]

    def guess(place: int) -> None:
        for number in range(6):
            try:
                networks[(place + number) % 3].guess(emails[(place * 2 + number) % 3], callers[place])
            except psycopg.Error as error:
                assert error.sqlstate == "PT429"

    results = at_once([lambda place=place: guess(place) for place in range(9)])  # type: ignore[misc]
    assert results == [None] * 9


def test_sign_ups_of_one_network_are_bounded(town: Town) -> None:
    keys = [key()]
    counted = [town.service.call("begin_sign_up", network_keys=keys)["attempts"] for _ in range(4)]
    assert counted == [1, 2, 3, 4]
    with refused("sign_up_limit") as facts:
        town.service.call("begin_sign_up", network_keys=keys)
    assert datetime.fromisoformat(facts["reset_at"]) > datetime.now().astimezone()
    assert town.service.call("begin_sign_up", network_keys=keys, shared_network=True)["attempts"] == 5
    assert town.service.call("begin_sign_up", network_keys=[key()])["attempts"] == 1


def test_attempts_keep_no_address_or_network(town: Town, ada: str) -> None:
    Network(town).guess(ada)
    kept = town.bank.rows("select scope from credits.sign_in_counts where scope ~ '@|example'")
    assert kept == []


def test_maintenance_forgets_ended_windows(town: Town, ada: str) -> None:
    old, new = Network(town), Network(town)
    old.sign_in(ada)
    age(town)
    town.admin.execute("update credits.sign_in_networks set seen_at = seen_at - interval '36 days'")
    new.sign_in(ada)
    new.guess(ada)
    town.service.call("maintain")
    scopes = {row["scope"] for row in town.bank.rows("select scope from credits.sign_in_counts")}
    assert f"network:{new.keys[0]}" in scopes
    assert not any(old.keys[0] in scope for scope in scopes)
    assert [
        row["network_key"] for row in town.bank.rows("select * from credits.sign_in_networks")
    ] == new.keys


@pytest.mark.parametrize(
    "numbers",
    [(0,), (-1,), (4, 3), (9, 9, 8), (None, None, None, 0), (None, None, None, None, "0"), (1, 10**7)],
)
def test_senseless_sign_in_limits_are_refused(town: Town, numbers: Any) -> None:
    with refused("bad_limit"):
        limit(town, *numbers)


def test_begin_and_finish_refuse_bad_arguments(town: Town, ada: str) -> None:
    keys = [key()]
    for name, arguments in (
        ("begin_sign_in", {"email": ada, "network_keys": ["x"]}),
        ("begin_sign_in", {"email": ada, "network_keys": []}),
        ("finish_sign_in", {"email": ada, "network_keys": ["x"]}),
        ("begin_sign_up", {"network_keys": ["x"]}),
    ):
        with refused("bad_guest"):
            town.service.call(name, **arguments)
    with refused("unknown_user"):
        town.service.call("finish_sign_in", email=address(), network_keys=keys)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        town.user().call("begin_sign_in", email=ada, network_keys=keys)
