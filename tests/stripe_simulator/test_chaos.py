"""Chaos on purpose: what is sent twice, late, in another order or never, and that a seed repeats it."""

import sqlite3
import time
from collections import Counter

import pytest
from click.testing import CliRunner

from stripe_simulator.cli import main
from stripe_simulator.core.chaos import Chaos, begin, parse, plan
from stripe_simulator.core.store import Store

pytestmark = pytest.mark.one_version


def quiet(simulator, timeout=20.0):
    """Wait until nothing is to be sent."""
    end = time.monotonic() + timeout
    while (counts := simulator.browser.get("/_control/deliveries").json())["pending"]:
        assert time.monotonic() < end, counts
        time.sleep(0.02)
    return counts


def sales(simulator, number):
    """The sessions that were paid."""
    sessions = [simulator.new_session() for _ in range(number)]
    for session in sessions:
        simulator.press(session, "pay")
    return sessions


def received(simulator):
    return Counter(event["id"] for event in simulator.receiver.events)


@pytest.fixture
def lone(start_simulator, make_receiver, tmp_path):
    """A simulator whose receiver hears only of it."""
    receiver = make_receiver()
    simulator = start_simulator(tmp_path, webhook_url=receiver.url)
    simulator._receiver = receiver
    return simulator


def test_dropped_events_stay_in_the_list_and_can_be_sent(lone):
    begun = lone.play("chaos", drop=1.0)
    assert begun["chaos"]["drop"] == 1.0
    sales(lone, 3)
    assert quiet(lone) == {"pending": 0, "delivered": 0, "given_up": 0, "dropped": 12}
    assert lone.receiver.events == []
    events = lone.stripe.events.list({"limit": 100}).data
    assert len(events) == 12 and events[0].pending_webhooks == 1
    assert len(lone.stripe.events.list({"delivery_success": False, "limit": 100}).data) == 12
    assert "dropped on purpose" in lone.browser.get("/").text
    assert lone.play("dropped/send") == {"events": 12}
    assert quiet(lone)["delivered"] == 12 and set(received(lone).values()) == {1}


def test_duplicates_come_and_lost_answers_are_repeated(lone):
    lone.play("chaos", duplicate=1.0)
    sales(lone, 3)
    quiet(lone)
    assert set(received(lone).values()) <= {2, 3} and len(received(lone)) == 12
    before = received(lone)
    lone.play("chaos", retry=1.0)
    sales(lone, 1)
    quiet(lone)
    again = received(lone) - before
    assert set(again.values()) <= {2, 3} and len(again) == 4
    assert lone.browser.post("/_control/chaos").json()["chaos"] is None
    sales(lone, 1)
    quiet(lone)
    assert sorted((received(lone) - before - again).values()) == [1, 1, 1, 1]


def test_events_overtake_each_other(lone):
    lone.play("chaos", reorder=1.0, delay=0.5, longest_delay=0.3, seed=3)
    sales(lone, 5)
    quiet(lone)
    order = [event.id for event in reversed(lone.stripe.events.list({"limit": 100}).data)]
    arrived = [event["id"] for event in lone.receiver.events]
    assert sorted(arrived) == sorted(order) and arrived != order


def test_same_seed_has_the_same_fate_for_each_event(tmp_path):
    chaos = Chaos(seed=7, duplicate=0.3, reorder=0.3, drop=0.1, delay=0.2, retry=0.2)
    store = Store(tmp_path / "s.sqlite3", time.time)
    begin(store, chaos)
    fates = [plan(store, number) for number in range(1, 2001)]
    assert fates == [plan(store, number) for number in range(1, 2001)]
    dropped = sum(not fate for fate in fates)
    twice = sum(len(fate) > 1 for fate in fates)
    lost = sum(delivery.lost > 0 for fate in fates for delivery in fate)
    assert 150 < dropped < 250 and 440 < twice < 640 and lost > 400
    begin(store, Chaos(seed=8, duplicate=0.3, reorder=0.3, drop=0.1, delay=0.2, retry=0.2))
    assert fates != [plan(store, number) for number in range(1, 2001)]
    store.close()
    again = Store(tmp_path / "s.sqlite3", time.time)
    assert again.settings["chaos"]["seed"] == 8  # kept over a restart
    again.close()


@pytest.mark.parametrize(
    "body", [b'{"drop": 1.5}', b'{"drop": -0.1}', b'{"explode": 1}', b'{"longest_delay": 1e9}', b"[]"]
)
def test_bad_chaos_is_refused(simulator, body):
    answer = simulator.browser.post("/_control/chaos", content=body)
    assert answer.status_code == 400 and "longest_delay" in answer.json()["error"]["message"]


def test_bad_settings_are_refused(simulator):
    for body in ({"after_retries": "forgive"}, {"retry_days": [0]}, {"event_version": "2011-01-01"}):
        assert simulator.browser.post("/_control/settings", json=body).status_code == 400


def test_command_takes_chaos_by_name():
    assert parse("seed=7, duplicate=0.3") == Chaos(seed=7, duplicate=0.3)
    for bad in ("drop=2", "drop", "explode=1", ""):
        with pytest.raises(ValueError, match="seed=7"):
            parse(bad)
    words = ["--webhook-url", "http://127.0.0.1:1/", "--webhook-secret", "whsec_x", "--chaos", "drop=2"]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2 and "drop" in refused.output


def test_file_from_before_chaos_is_taken_over(tmp_path):
    path = tmp_path / "s.sqlite3"
    old = sqlite3.connect(path)
    old.executescript(
        "create table deliveries (event_id text primary key, state text not null, attempts integer not null"
        " default 0, since real not null, next_at real not null, answer text);"
        "create index deliveries_pending on deliveries (next_at) where state = 'pending';"
        "insert into deliveries values ('evt_1', 'pending', 2, 1, 3, 'HTTP 500');"
    )
    old.close()
    for _ in range(2):
        store = Store(path, time.time)
        rows = store.db.execute("select event_id, copy, state, attempts, answer from deliveries").fetchall()
        assert rows == [("evt_1", 0, "pending", 2, "HTTP 500")]
        store.close()
