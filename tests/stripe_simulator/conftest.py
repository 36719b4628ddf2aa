"""A running simulator, and a webhook endpoint that checks signatures and remembers what it got."""

import json
import socket
import threading
import time
import typing
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
import uvicorn

from stripe_simulator.app import create_app

SECRET = "whsec_test"


def missing(thing: Any, path: str) -> list[str]:
    """The members that stripe-python says are always there, and are not."""
    if isinstance(thing, list):
        return [name for place, item in enumerate(thing) for name in missing(item, f"{path}[{place}]")]
    if not isinstance(thing, stripe.StripeObject):
        return []
    there = thing.to_dict(recursive=False)
    always = [
        name
        for name, kind in type(thing).__annotations__.items()
        if not name.startswith("_")
        and typing.get_origin(kind) is not typing.ClassVar
        and type(None) not in typing.get_args(kind)
    ]
    found = [f"{path}.{name}" for name in always if name not in there]
    return found + [name for key, item in there.items() for name in missing(item, f"{path}.{key}")]


class Receiver:
    """A webhook endpoint. ``answer`` decides the status from the event and how often it came before."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.received: list[tuple[bytes, str]] = []
        self.rejected: list[str] = []
        self.answer: Callable[[dict[str, Any], int], int] = lambda event, before: 200
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # a simulator that ends cuts what it is sending
                self.send_response(receiver._take(body, self.headers.get("Stripe-Signature", "")))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/webhooks/stripe"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _take(self, body: bytes, signature: str) -> int:
        self.received.append((body, signature))
        try:
            stripe.Webhook.construct_event(body, signature, SECRET)
        except stripe.SignatureVerificationError as error:
            self.rejected.append(str(error))
            return 400
        event = json.loads(body)
        with self._changed:
            before = sum(1 for other in self.events if other["id"] == event["id"])
            self.events.append(event)
            self._changed.notify_all()
        return self.answer(event, before)

    def typed(self) -> dict[str, Any]:
        """The last event of each type, parsed by stripe-python. Its object has a class, and every member that
        the class says is always there."""
        last = {
            event["type"]: stripe.Event.construct_from(event, "sk_test_x")
            for event in self.events
            if event["api_version"] == "2026-10-28.endive"
        }
        for kind, event in last.items():
            assert type(event.data.object) is not stripe.StripeObject, kind
            assert missing(event.data.object, kind) == []
        return last

    def about(self, id: str) -> list[dict[str, Any]]:
        """Every event that came about an object, in the order of arrival."""
        return [event for event in self.events if event["data"]["object"]["id"] == id]

    def wait(self, id: str, type: str, times: int = 1, timeout: float = 5) -> dict[str, Any]:
        """Wait until ``type`` came ``times`` times about an object; return the last one."""

        def arrived() -> list[dict[str, Any]]:
            return [event for event in self.about(id) if event["type"] == type]

        with self._changed:
            assert self._changed.wait_for(lambda: len(arrived()) >= times, timeout), (
                f"no {type} about {id}, only {[event['type'] for event in self.about(id)]}"
            )
            return arrived()[-1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Clock:
    """The real time, plus what a test adds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Simulator:
    """A simulator on a free port of this process, with a stripe-python client and a browser of sorts."""

    def __init__(self, data_dir: Path, webhook_url: str, receiver: Receiver | None = None) -> None:
        # asyncio switches Nagle's delay off only for sockets that name their protocol: 40 ms per answer.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.clock = Clock()
        self._receiver = receiver
        app = create_app(data_dir / "simulator.sqlite3", webhook_url, SECRET, self.url, self.clock)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the simulator did not start"
            time.sleep(0.005)
        self.stripe = self.client().v1
        self.browser = httpx.Client(base_url=self.url, trust_env=False)

    @property
    def receiver(self) -> Receiver:
        assert self._receiver is not None
        return self._receiver

    def client(self, key: str = "sk_test_anything") -> stripe.StripeClient:
        return stripe.StripeClient(key, base_addresses={"api": self.url}, max_network_retries=0)

    def members_missing_from(self, thing: stripe.StripeObject) -> list[str]:
        """What stripe-python says is always there, and is not."""
        assert type(thing) is not stripe.StripeObject
        return missing(thing, str(thing.object))

    def new_session(self, **changes: Any) -> Any:
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 3999,
                        "product_data": {"name": "Standard pack"},
                    },
                    "quantity": 1,
                }
            ],
            "success_url": "https://shop.example/done?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/cancelled",
            "client_reference_id": "account-1",
            "metadata": {"order_id": "order-1"},
            "payment_intent_data": {"metadata": {"kind": "pack"}},
        } | changes
        params = {name: value for name, value in params.items() if value is not None}
        return self.stripe.checkout.sessions.create(params)

    def paid(self, **changes: Any) -> Any:
        """The PaymentIntent of a session that was paid by card."""
        session = self.new_session(**changes)
        self.press(session, "pay")
        intent = self.stripe.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        return intent.payment_intent

    def debited(self) -> Any:
        """The PaymentIntent of a session that was paid by bank debit."""
        session = self.new_session()
        self.press(session, "pay_later")
        self.press(session, "debit_succeeds")
        intent = self.stripe.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        return intent.payment_intent

    def play(self, path: str, **options: Any) -> Any:
        """Play a move of the control, such as ``disputes/dp_1/win``; return what it answers."""
        answer = self.browser.post(f"/_control/{path}", json=options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(self, id: str, timeout: float = 5) -> list[str]:
        """The types of the events about an object, oldest first, after the endpoint has them all."""
        events = self.stripe.events.list({"limit": 100}).data
        about = [event.type for event in reversed(events) if event.data.object.id == id]
        for type in set(about):
            self.receiver.wait(id, type, about.count(type), timeout)
        return about

    def press(self, session: Any, action: str, **form: str) -> httpx.Response:
        """Press a button of the pay page."""
        return self.browser.post(f"/pay/{session.id}", data={"action": action, **form})

    def price(self, amount: int = 999, interval: str = "month", name: str = "Pro") -> str:
        """A recurring price in euros."""
        price = self.stripe.prices.create(
            {
                "currency": "eur",
                "unit_amount": amount,
                "recurring": {"interval": interval},
                "product_data": {"name": name},
            }
        )
        return price.id

    def use_card(self, customer: str, name: str) -> None:
        """The customer pays by another of Stripe's test cards from now on."""
        method = self.stripe.payment_methods.attach(name, {"customer": customer})
        self.stripe.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})

    def saved(self, number: str = "4242424242424242", **params: Any) -> tuple[str, str]:
        """A customer, and the PaymentMethod of a card that they have saved and use by default."""
        customer = self.stripe.customers.create({"email": "ada@example.com", **params})
        session = self.stripe.checkout.sessions.create(
            {"mode": "setup", "customer": customer.id, "success_url": "https://shop.example/"}
        )
        self.press(session, "pay", card=number)
        self.press(session, "authenticate")
        method = self.stripe.payment_methods.list({"customer": customer.id}).data[0]
        self.stripe.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
        return customer.id, method.id

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()
        self.browser.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
    assert receiver.rejected == []


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Simulator]:
    """One for all tests of a file; each test makes its own sessions."""
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), receiver.url, receiver)
    yield simulator
    simulator.stop()


@pytest.fixture(scope="module")
def new_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Simulator]]:
    """Start one for all tests of a file that sends its events elsewhere: ``new_simulator(webhook_url)``."""
    started: list[Simulator] = []

    def start(webhook_url: str) -> Simulator:
        started.append(Simulator(tmp_path_factory.mktemp("simulator"), webhook_url))
        return started[-1]

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def start_simulator(receiver: Receiver) -> Iterator[Callable[..., Simulator]]:
    """Start one of your own: ``start_simulator(data_dir, webhook_url=…)``."""
    started: list[Simulator] = []

    def start(data_dir: Path, webhook_url: str = receiver.url) -> Simulator:
        started.append(Simulator(data_dir, webhook_url, receiver))
        return started[-1]

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def make_receiver() -> Iterator[Callable[..., Receiver]]:
    """Receivers of your own: ``make_receiver(port)``."""
    made: list[Receiver] = []

    def make(port: int = 0) -> Receiver:
        made.append(Receiver(port))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()
