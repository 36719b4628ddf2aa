"""Delivery: signed, retried until accepted, surviving restarts, and sent twice on demand."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import stripe
from support import stripe_client

from stripe_simulator.core.webhooks import Answer

pytestmark = pytest.mark.one_version


def paid_session(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay")
    return session


def eventually(check, timeout=60.0):
    end = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("status", [500, 503, 400, 404, 302])
def test_delivery_is_retried_until_accepted(simulator, status):
    session = simulator.new_session()
    simulator.receiver.answer = lambda event, before: 200 if before else status
    try:
        simulator.press(session, "pay")
        simulator.receiver.wait(session.id, "checkout.session.completed", times=2)
    finally:
        simulator.receiver.answer = lambda event, before: 200
    first, second = simulator.receiver.about(session.id)
    assert first["id"] == second["id"] and first["data"] == second["data"]
    eventually(lambda: simulator.stripe.events.retrieve(first["id"]).pending_webhooks == 0)


def test_waits_between_attempts_grow(simulator):
    times = []
    session = simulator.new_session()

    def refuse_three(event, before):
        if event["data"]["object"]["id"] != session.id:
            return 200
        times.append(time.monotonic())
        return 200 if before == 2 else 500

    simulator.receiver.answer = refuse_three
    try:
        simulator.press(session, "expire")
        simulator.receiver.wait(session.id, "checkout.session.expired", times=3)
    finally:
        simulator.receiver.answer = lambda event, before: 200
    assert times[1] - times[0] > 0.45  # no earlier: how much later, the machine says
    assert times[2] - times[1] > 0.95


def test_receiver_that_comes_back_gets_its_events(start_simulator, make_receiver, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    simulator = start_simulator(tmp_path, webhook_url=f"http://127.0.0.1:{port}/webhooks/stripe")
    session = paid_session(simulator)
    eventually(lambda: "ConnectError" in simulator.browser.get("/").text)
    receiver = make_receiver(port)
    receiver.wait(session.id, "checkout.session.completed")


def test_one_slow_endpoint_does_not_hold_up_the_api(simulator):
    answering = threading.Event()
    simulator.receiver.answer = lambda event, before: 200 if answering.wait(20) else 500
    try:
        sessions = [paid_session(simulator) for _ in range(5)]  # the API answers; the endpoint has not yet
        answering.set()
        for session in sessions:
            simulator.receiver.wait(session.id, "checkout.session.completed")
    finally:
        answering.set()
        simulator.receiver.answer = lambda event, before: 200


def test_signature_holds_for_the_secret_only(simulator):
    session = paid_session(simulator)
    event = simulator.receiver.wait(session.id, "checkout.session.completed")
    body, signature = next(pair for pair in simulator.receiver.received if event["id"].encode() in pair[0])
    assert re.fullmatch(r"t=\d+,v1=[0-9a-f]{64}", signature)
    assert stripe.Webhook.construct_event(body, signature, "whsec_test").id == event["id"]
    for changed, secret in ((body, "whsec_other"), (body.replace(b"3999", b"1"), "whsec_test")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(changed, signature, secret)


def test_event_can_be_sent_twice_at_once(simulator):
    session = paid_session(simulator)
    event = simulator.receiver.wait(session.id, "checkout.session.completed")
    simulator.receiver.answer = lambda event, before: 500 if before == 1 else 200
    try:
        answer = simulator.browser.post(f"/_control/events/{event['id']}/send", json={"times": 2})
    finally:
        simulator.receiver.answer = lambda event, before: 200
    assert answer.status_code == 200
    body = answer.json()
    assert (body["event"], sorted(body["statuses"]), body["errors"]) == (event["id"], [200, 500], [])
    assert len(simulator.receiver.about(session.id)) == 3


def test_sending_without_a_body_means_once(simulator):
    event = simulator.receiver.wait(paid_session(simulator).id, "checkout.session.completed")
    answer = simulator.browser.post(f"/_control/events/{event['id']}/send")
    assert answer.json()["statuses"] == [200]


@pytest.mark.parametrize(
    ("id", "content", "status"),
    [
        ("evt_none", b"", 404),
        (None, b'{"times": 0}', 400),
        (None, b'{"times": 101}', 400),
        (None, b'{"times": "two"}', 400),
        (None, b'{"time": 2}', 400),
        (None, b"\xff", 400),
    ],
)
def test_bad_requests_to_send_are_refused(simulator, id, content, status):
    if id is None:
        id = simulator.stripe.events.list({"limit": 1}).data[0].id
    answer = simulator.browser.post(f"/_control/events/{id}/send", content=content)
    assert answer.status_code == status and answer.json()["error"]["message"]


def test_sending_to_nobody_is_reported(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path, webhook_url="http://127.0.0.1:1/")
    event = simulator.stripe.customers.create({}) and simulator.stripe.events.list().data[0]
    body = simulator.browser.post(f"/_control/events/{event.id}/send").json()
    assert body["statuses"] == [None] and "ConnectError" in body["errors"][0]


def test_delivery_is_given_up_after_three_days(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path, webhook_url="http://127.0.0.1:1/")
    simulator.stripe.customers.create({})
    eventually(lambda: "ConnectError" in simulator.browser.get("/").text)
    simulator.clock.ahead = 3 * 24 * 3600 + 60
    simulator.stripe.customers.create({})  # wakes the courier
    eventually(lambda: "given up" in simulator.browser.get("/").text)
    assert simulator.stripe.events.list({"delivery_success": True}).data == []


def test_only_2xx_is_accepted():
    assert [s for s in (199, 200, 204, 299, 300, 400, 500) if Answer(s).accepted] == [200, 204, 299]
    assert not Answer(None, "ConnectError").accepted


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start_process(data_dir, port, webhook_url):
    code = (
        "import sys; from pathlib import Path; from stripe_simulator.run import run; "
        "run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], 'whsec_test')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "STRIPE_SECRET_KEY"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port), str(data_dir), webhook_url], env=environment
    )

    def up():
        assert process.poll() is None
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    eventually(up, 15)
    return process


def test_killed_simulator_forgets_nothing(make_receiver, tmp_path):
    port, receiver_port = free_port(), free_port()
    webhook_url = f"http://127.0.0.1:{receiver_port}/"
    process = start_process(tmp_path, port, webhook_url)
    try:
        api = stripe_client("sk_test_1", f"http://127.0.0.1:{port}").v1
        customer = api.customers.create({"email": "ada@example.com"})
        process.send_signal(signal.SIGKILL)
        process.wait()
        receiver = make_receiver(receiver_port)
        process = start_process(tmp_path, port, webhook_url)
        assert api.customers.retrieve(customer.id).email == "ada@example.com"
        receiver.wait(customer.id, "customer.created")
    finally:
        process.terminate()
        process.wait(10)


def test_restart_on_another_port_keeps_sessions_payable(start_simulator, tmp_path):
    old = start_simulator(tmp_path)
    session = old.new_session()
    receipt = old.stripe.charges.retrieve(old.paid().latest_charge)
    old.stop()
    simulator = start_simulator(tmp_path)
    assert simulator.stripe.charges.retrieve(receipt.id).receipt_url.startswith(simulator.url)
    again = simulator.stripe.checkout.sessions.retrieve(session.id)
    assert again.url == f"{simulator.url}/pay/{session.id}" != session.url
    simulator.press(session, "pay")
    simulator.receiver.wait(session.id, "checkout.session.completed")
