"""Guests: a device and its network each get so many uses in any 24 hours, even at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from callers import (
    Caller,
    Connection,
    Row,
    at_once,
    open_account,
    refused,
    slugs,
    stop_clock,
    wait_until_blocked,
)

Crowd = Callable[[int], list[Caller]]
HOUR = timedelta(hours=1)
_numbers = count(1)


def key() -> str:
    """The key of a new device or network."""
    return sha256(f"{uuid4()} {next(_numbers)}".encode()).hexdigest()


def define(admin: Connection, per_device: int, *more: Any) -> None:
    words = ", ".join(["%s"] * (2 + len(more)))
    admin.execute(f"select credits.define_guest_limits({words})", ("iahome", per_device, *more))


@pytest.fixture(autouse=True)
def limits(admin: Connection) -> Iterator[None]:
    """Three uses in 24 hours; eight on a shared network."""
    define(admin, 3, 3, 8)
    yield
    define(admin, 0)


class Guest:
    """A device and its network, as a service sees them."""

    def __init__(self, service: Caller, device: str | None = None, network: str | None = None) -> None:
        self.service = service
        self.device = device or key()
        self.network = network or key()

    def use(self, **more: Any) -> Row:
        return self.service.call(
            "guest_consume", module_id=more.pop("module_id", "whisper"), **self.keys, **more
        )

    def left(self, **more: Any) -> Row:
        return self.service.call("guest_allowance", **self.keys, **more)

    @property
    def keys(self) -> dict[str, list[str]]:
        return {"device_keys": [self.device], "network_keys": [self.network]}


@pytest.fixture
def guest(service: Caller) -> Guest:
    return Guest(service)


def age(admin: Connection, use: Row, by: timedelta) -> None:
    admin.execute(
        "update credits.guest_uses set used_at = used_at - %s, finished_at = finished_at - %s"
        " where use_id = %s",
        (by, by, use["use_id"]),
    )


def test_fourth_use_is_refused_with_the_time_of_the_next(guest: Guest) -> None:
    new = guest.left()
    nothing = {"use_id": None, "module_id": None, "state": None, "reset_at": None, "replayed": False}
    assert new == nothing | {"used": 0, "limit": 3, "remaining": 3}
    first = guest.use()
    assert (first["module_id"], first["state"], first["replayed"]) == ("whisper", "reserved", False)
    assert [guest.use()["remaining"] for _ in range(2)] == [1, 0]
    left = guest.left()
    assert (left["used"], left["limit"], left["remaining"]) == (3, 3, 0)
    assert left["reset_at"] == first["reset_at"]
    assert (
        timedelta(hours=24, seconds=-30)
        < left["reset_at"] - datetime.now(left["reset_at"].tzinfo)
        <= 24 * HOUR
    )
    with refused("guest_limit") as facts:
        guest.use()
    assert (facts["remaining"], facts["limit"]) == (0, 3)
    assert datetime.fromisoformat(facts["reset_at"]) == left["reset_at"]


def test_refusal_leaves_nothing_behind(guest: Guest, admin: Connection) -> None:
    for _ in range(3):
        guest.use()
    stranger = Guest(guest.service, network=guest.network)
    with refused("guest_limit"):
        stranger.use()
    found = admin.execute("select from credits.guests where device_key = %s", (stranger.device,))
    assert found.rowcount == 0


def test_neither_a_new_network_nor_a_new_device_gains_uses(guest: Guest) -> None:
    for _ in range(3):
        guest.use()
    for other in (
        Guest(guest.service, device=guest.device),  # the same device from another network
        Guest(guest.service, network=guest.network),  # the cookie thrown away
    ):
        assert (other.left()["used"], other.left()["remaining"]) == (3, 0)
        with refused("guest_limit"):
            other.use()
    assert Guest(guest.service).left()["remaining"] == 3


def test_shared_network_has_its_own_limit(guest: Guest) -> None:
    pupils = [Guest(guest.service, network=guest.network) for _ in range(4)]
    left = [pupil.use(shared_network=True)["remaining"] for pupil in pupils for _ in range(2)]
    assert left == [2, 1, 2, 1, 2, 1, 1, 0]
    with refused("guest_limit") as facts:
        Guest(guest.service, network=guest.network).use(shared_network=True)
    assert facts["limit"] == 8
    with refused("guest_limit") as facts:  # the same network, when it is not known to be shared
        pupils[0].use()
    assert facts["limit"] == 3


# The window


def test_uses_come_free_one_by_one(guest: Guest, admin: Connection) -> None:
    for hours in (23.5, 20.0, 0.0):
        age(admin, guest.use(), hours * HOUR)
    left = guest.left()
    assert left["remaining"] == 0
    assert timedelta(minutes=29) < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 0.5 * HOUR
    admin.execute(
        "update credits.guest_uses set used_at = used_at - interval '30 minutes'"
        " where guest_id = (select guest_id from credits.guests where device_key = %s)",
        (guest.device,),
    )
    left = guest.left()  # the first is out: one use, and not three, as a fixed window would give
    assert left["remaining"] == 1
    assert 3.4 * HOUR < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 3.5 * HOUR
    guest.use()
    with refused("guest_limit"):
        guest.use()


def test_window_ends_to_the_microsecond(admin_url: str, guest: Guest) -> None:
    with psycopg.connect(admin_url) as connection:
        bank = Guest(Caller(connection, "service_role"), guest.device, guest.network)
        for moment, remaining in (
            ("2031-03-30 00:00:00Z", 2),  # the night in which clocks change in Europe
            ("2031-03-30 10:00:00Z", 1),
            ("2031-03-30 23:59:59.999999Z", 0),
            ("2031-03-31 00:00:00Z", 0),  # the first has just come free
        ):
            connection.execute("set local timezone = 'Europe/Berlin'")
            _at(connection, moment)
            use = bank.use()
            assert use["remaining"] == remaining, moment
        assert use["reset_at"] == datetime.fromisoformat("2031-03-31 10:00:00+00:00")
        _at(connection, "2031-03-31 09:59:59.999999Z")
        with refused("guest_limit"):
            bank.use()
        connection.rollback()


def _at(connection: Connection, moment: str) -> None:
    connection.execute("reset role")
    stop_clock(connection, moment)


def test_reset_is_when_remaining_grows(guest: Guest, admin: Connection) -> None:
    """If both limits refuse, the later reset counts."""
    age(admin, guest.use(), 10 * HOUR)
    elsewhere = Guest(guest.service, device=guest.device)
    age(admin, elsewhere.use(), 5 * HOUR)
    here = Guest(guest.service, network=guest.network)
    for hours in (8, 1):
        age(admin, here.use(), hours * HOUR)
    left = guest.left()  # used: the device 10 and 5 hours ago; the network 10, 8 and 1 hours ago
    assert (left["used"], left["remaining"]) == (3, 0)
    assert 13.9 * HOUR < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 14 * HOUR
    age(admin, {"use_id": _oldest(admin, guest)}, 20 * HOUR)
    left = guest.left()  # the device 5 hours ago; the network 8 and 1
    assert (left["used"], left["remaining"]) == (2, 1)
    assert 15.9 * HOUR < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 16 * HOUR
    other = Guest(guest.service, device=guest.device)
    other.use()
    left = guest.left()  # both have one left: the device's grows in 19 hours, the network's in 16
    assert left["remaining"] == 1
    assert 18.9 * HOUR < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 19 * HOUR


def _oldest(admin: Connection, guest: Guest) -> Any:
    row = admin.execute(
        "select use_id from credits.guest_uses join credits.guests using (guest_id)"
        " where device_key = %s order by used_at limit 1",
        (guest.device,),
    ).fetchone()
    return row[0] if row else None


def test_lowered_limit_refuses_and_says_until_when(guest: Guest, admin: Connection) -> None:
    for hours in (3, 2, 1):
        age(admin, guest.use(), hours * HOUR)
    define(admin, 2)
    left = guest.left()
    assert (left["used"], left["limit"], left["remaining"]) == (3, 2, 0)
    assert 21.9 * HOUR < left["reset_at"] - datetime.now(left["reset_at"].tzinfo) <= 22 * HOUR
    with refused("guest_limit"):
        guest.use()


def test_limits_and_window_change_by_data(guest: Guest, admin: Connection) -> None:
    age(admin, guest.use(), 2 * HOUR)
    define(admin, 5, None, None, HOUR)
    assert (guest.left()["limit"], guest.left()["remaining"]) == (5, 5)
    assert [guest.use(shared_network=True)["remaining"] for _ in range(5)] == [4, 3, 2, 1, 0]


def test_smallest_limit_of_several_catalogs_counts(guest: Guest, admin: Connection) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute("select credits.define_catalog('other', 'Other', 'tokens')")
        admin.execute("select credits.define_guest_limits('other', 2, 10, 10, '48 hours')")
        row = admin.execute(
            "select per_device, per_network, sliding_window from credits.guest_limit(false)"
        ).fetchone()
        assert row == (2, 3, 48 * HOUR)
    assert guest.left()["limit"] == 3


def test_without_limits_there_are_no_guests(guest: Guest, admin: Connection) -> None:
    define(admin, 0)
    for call in (guest.use, guest.left):
        with refused("no_guests"):
            call()


@pytest.mark.parametrize(
    "line",
    [
        "'nowhere', 3",
        "'iahome', -1",
        "'iahome', null",
        "'iahome', 3, 2",
        "'iahome', 3, 5, 4",
        "'iahome', 1000001",
        "'iahome', 3, p_sliding_window => '0'",
        "'iahome', 3, p_sliding_window => '-1 hour'",
        "'iahome', 3, p_sliding_window => '7 days 1 second'",
        "'iahome', 3, p_sliding_window => null",
        "null, 3",
    ],
)
def test_senseless_guest_limits_are_refused_by_name(line: str, admin: Connection) -> None:
    with refused("bad_catalog") as facts:
        admin.execute(f"select credits.define_guest_limits({line})")
    assert facts["line"] == "guest limits of"
    assert facts["name"] == (None if line.startswith("null") else line.split("'")[1])
    row = admin.execute("select per_device from credits.guest_limits").fetchall()
    assert row == [(3,)]


# Reserved, confirmed, released


def test_released_use_is_free(guest: Guest) -> None:
    use, *_ = [guest.use() for _ in range(3)]
    released = guest.service.call("release_guest_use", use_id=use["use_id"])
    assert (released["state"], released["remaining"], released["replayed"]) == ("released", 1, False)
    assert guest.left()["remaining"] == 1
    again = guest.service.call("release_guest_use", use_id=use["use_id"])
    assert again == released | {"replayed": True}
    with refused("use_closed"):
        guest.service.call("confirm_guest_use", use_id=use["use_id"])
    assert guest.use()["remaining"] == 0


def test_confirmed_and_abandoned_uses_count_alike(guest: Guest) -> None:
    use, _, _ = [guest.use() for _ in range(3)]
    confirmed = guest.service.call("confirm_guest_use", use_id=use["use_id"])
    assert (confirmed["state"], confirmed["remaining"], confirmed["replayed"]) == ("confirmed", 0, False)
    assert guest.service.call("confirm_guest_use", use_id=use["use_id"]) == confirmed | {"replayed": True}
    with refused("use_closed"):
        guest.service.call("release_guest_use", use_id=use["use_id"])
    with refused("guest_limit"):
        guest.use()


@pytest.mark.parametrize("function", ["confirm_guest_use", "release_guest_use"])
@pytest.mark.parametrize("use_id", [None, uuid4()], ids=["null", "unknown"])
def test_unknown_use_is_refused(function: str, use_id: UUID | None, service: Caller) -> None:
    with refused("unknown_use"):
        service.call(function, use_id=use_id)


def test_only_one_of_many_concurrent_endings_counts(guest: Guest, crowd: Crowd, admin: Connection) -> None:
    use = guest.use()
    results = at_once(
        [
            lambda service=service, function=function: service.call(function, use_id=use["use_id"])
            for service, function in zip(
                crowd(16), ["confirm_guest_use", "release_guest_use"] * 8, strict=True
            )
        ]
    )
    told = [result for result in results if isinstance(result, dict)]
    assert Counter(slugs(results)) == {"use_closed": 8}
    assert Counter(result["replayed"] for result in told) == {True: 7, False: 1}
    assert len({result["state"] for result in told}) == 1
    row = admin.execute("select state from credits.guest_uses where use_id = %s", (use["use_id"],)).fetchone()
    assert row == (told[0]["state"],)


# At once


def hundred(crowd: Crowd, use: Callable[[Caller, int], Row]) -> list[Any]:
    """The outcomes of a hundred uses on fifty connections."""

    def two(service: Caller, number: int) -> list[Any]:
        found: list[Any] = []
        for turn in (number, number + 50):
            try:
                found.append(use(service, turn))
            except psycopg.Error as error:
                found.append(error)
        return found

    pairs = at_once([lambda service=service, n=n: two(service, n) for n, service in enumerate(crowd(50))])
    return [result for pair in pairs for result in pair]


@pytest.mark.slow
@pytest.mark.parametrize("fixed", ["both", "network", "device"])
def test_hundred_concurrent_guests_get_three_uses(
    fixed: str, guest: Guest, crowd: Crowd, admin: Connection
) -> None:
    device = None if fixed == "network" else guest.device
    network = None if fixed == "device" else guest.network
    results = hundred(crowd, lambda service, _: Guest(service, device, network).use())
    assert Counter(slugs(results)) == {"guest_limit": 97}
    assert sorted(result["remaining"] for result in results if isinstance(result, dict)) == [0, 1, 2]
    assert guest.left()["used"] == 3


@pytest.mark.slow
def test_devices_and_networks_criss_cross_without_deadlock(service: Caller, crowd: Crowd) -> None:
    devices, networks = [key() for _ in range(6)], [key() for _ in range(6)]
    results = hundred(crowd, lambda one, n: Guest(one, devices[n % 6], networks[(n // 6 + n) % 6]).use())
    assert set(slugs(results)) == {"guest_limit"}
    left = [Guest(service, device=device).left()["used"] for device in devices]
    left += [Guest(service, network=network).left()["used"] for network in networks]
    assert sum(left) == 2 * (100 - len(slugs(results)))
    assert max(left) == 3


# The salt rotates


def rotating(service: Caller, device: list[str], network: list[str]) -> Callable[[], Row]:
    return lambda: service.call(
        "guest_consume", module_id="whisper", device_keys=device, network_keys=network
    )


def test_rotation_of_the_salt_gives_no_new_uses(service: Caller, admin: Connection) -> None:
    device, network = [key(), key(), key()], [key(), key(), key()]
    first = service.call(
        "guest_consume", module_id="whisper", device_keys=device[:1], network_keys=network[:1]
    )
    left = service.call(
        "guest_allowance", device_keys=[device[1], device[0]], network_keys=[network[1], network[0]]
    )
    assert (left["used"], left["reset_at"]) == (1, first["reset_at"])
    assert rotating(service, [device[1], device[0]], [network[1], network[0]])()["remaining"] == 1
    assert rotating(service, [device[2], device[1]], [network[2], network[1]])()["remaining"] == 0
    with refused("guest_limit"):
        rotating(service, [device[2], device[1]], [network[2], network[1]])()
    for table, column, keys in (("guests", "device_key", device), ("guest_networks", "network_key", network)):
        found = admin.execute(f"select {column} from credits.{table} where {column} = any (%s)", (keys,))
        assert found.fetchall() == [(keys[2],)]


def test_keys_of_both_salts_count_together(service: Caller) -> None:
    """Two API servers know two different keys of one device."""
    new, old, network = key(), key(), key()
    rotating(service, [old], [key()])()
    rotating(service, [new], [network])()
    assert rotating(service, [new, old], [network])()["remaining"] == 0
    with refused("guest_limit"):
        rotating(service, [old, new], [key()])()


@pytest.mark.slow
@pytest.mark.parametrize("old_is_known", [True, False], ids=["known", "new"])
def test_hundred_concurrent_uses_over_a_rotation_get_three(
    old_is_known: bool, service: Caller, crowd: Crowd, admin: Connection
) -> None:
    """Half of the API servers are ahead, half behind. Each knows the other's key."""
    device, network = [key(), key()], [key(), key()]
    if old_is_known:
        use = rotating(service, device, network)()
        age(admin, use, 25 * HOUR)
    results = hundred(
        crowd, lambda one, n: rotating(one, device[:: 1 - 2 * (n % 2)], network[:: 1 - 2 * (n % 2)])()
    )
    taken = 100 - len(slugs(results))
    # For a new guest, two API servers may make two rows at the same moment: at most one use more.
    assert taken == 3 if old_is_known else taken in (3, 4)
    with refused("guest_limit"):
        rotating(service, device, network)()


def test_signing_up_waits_for_a_use_and_does_not_lose_it(
    guest: Guest, crowd: Crowd, admin: Connection, admin_url: str
) -> None:
    (other,) = crowd(1)
    bank = Caller(admin, "none")
    account = open_account(bank, f"guest_{uuid4().hex}")
    guest.use()
    transaction = other.connection.transaction()
    transaction.__enter__()
    Guest(other, guest.device, guest.network).use()
    with psycopg.connect(admin_url, autocommit=True) as watcher:

        def let_go() -> None:
            wait_until_blocked(watcher, admin.info.backend_pid)
            transaction.__exit__(None, None, None)

        results = at_once(
            [let_go, lambda: bank.rows("select credits.link_guest(%s, %s)", (account, [guest.device]))]
        )
    assert slugs(results) == []
    row = admin.execute(
        "select linked_to from credits.guests where device_key = %s", (guest.device,)
    ).fetchone()
    assert row == (account,)
    assert guest.left()["used"] == 2


def test_first_account_of_a_device_stays(guest: Guest, admin: Connection) -> None:
    bank = Caller(admin, "none")
    ada, eve = (open_account(bank, f"guest_{uuid4().hex}") for _ in range(2))
    guest.use()
    for account in (ada, eve):
        bank.rows("select credits.link_guest(%s, %s)", (account, [key(), guest.device]))
    row = admin.execute(
        "select linked_to from credits.guests where device_key = %s", (guest.device,)
    ).fetchone()
    assert row == (ada,)


# Who, and with what


@pytest.mark.parametrize("role", ["authenticated", "anon"])
def test_keys_never_come_from_a_client(role: str, api_login: Connection, guest: Guest) -> None:
    client = Caller(api_login, role, "somebody" if role == "authenticated" else None)
    for function in ("guest_consume", "guest_allowance"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.call(
                function, **guest.keys, **({"module_id": "whisper"} if function == "guest_consume" else {})
            )
    for function in ("confirm_guest_use", "release_guest_use"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.call(function, use_id=uuid4())


def test_guest_functions_refuse_users_even_with_execute(admin_url: str, guest: Guest) -> None:
    with psycopg.connect(admin_url) as connection:
        connection.execute("grant execute on all functions in schema api to authenticated")
        connection.execute("set local role authenticated")
        for call in (
            f"guest_consume('whisper', array['{guest.device}'], array['{guest.network}'])",
            f"guest_allowance(array['{guest.device}'], array['{guest.network}'])",
            "confirm_guest_use(gen_random_uuid())",
            "release_guest_use(gen_random_uuid())",
        ):
            with refused("not_yours"), connection.transaction():
                connection.execute(f"select api.{call}")
        connection.rollback()


@pytest.mark.parametrize(
    "keys",
    [
        None,
        [],
        [None],
        ["a" * 63],
        ["A" * 64],
        ["g" * 64],
        ["a" * 64, None],
        ["a" * 64] * 3,
        ["a" * 64 + "\n"],
        [""],
    ],
    ids=str,
)
def test_malformed_guest_keys_are_refused(keys: list[str | None] | None, service: Caller) -> None:
    for device, network in ((keys, [key()]), ([key()], keys)):
        with refused("bad_guest"):
            service.call("guest_consume", module_id="whisper", device_keys=device, network_keys=network)
        with refused("bad_guest"):
            service.call("guest_allowance", device_keys=device, network_keys=network)


@pytest.mark.parametrize("module_id", [None, "", "x" * 201, "withdrawn"], ids=lambda name: str(name)[:9])
def test_module_that_is_not_for_sale_is_not_for_guests(
    module_id: str | None, guest: Guest, admin: Connection
) -> None:
    admin.execute("select credits.define_module('withdrawn', 'Withdrawn', p_active => false)")
    with refused("unknown_module"):
        guest.use(module_id=module_id)
    assert guest.left()["used"] == 0
