"""Stripe's events take effect once. Events that are not from Stripe are refused."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import OLD_WEBHOOK_SECRET, WEBHOOK_SECRET, User, balance, serving, sign, slug
from http_orders import event, order, session

from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

PATHS = ("/webhooks/stripe", "/api/stripe-webhook")


def deliver(client: httpx.Client, payload: str, path: str = PATHS[0]) -> httpx.Response:
    return client.post(path, content=payload, headers=sign(payload))


@pytest.mark.parametrize("path", PATHS)
def test_a_paid_session_grants_once(client: httpx.Client, user: User, path: str) -> None:
    bought = order(client, user)
    payload = event("checkout.session.completed", session(bought))
    response = deliver(client, payload, path)
    assert response.status_code == 200
    assert (response.json()["outcome"], response.json()["order_id"]) == ("granted", bought["order_id"])
    assert deliver(client, payload, path).json()["outcome"] == "duplicate"
    second = event("checkout.session.async_payment_succeeded", session(bought))
    assert deliver(client, second, path).json()["outcome"] == "duplicate"
    assert balance(client, user) == 500


def test_fifty_copies_at_once_grant_once(client: httpx.Client, user: User) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: deliver(client, payload), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["outcome"] for answer in answers].count("granted") == 1
    assert balance(client, user) == 500


def test_unknown_types_are_kept(client: httpx.Client) -> None:
    response = deliver(client, event("something.new"))
    assert (response.status_code, response.json()["outcome"]) == (200, "stored")


def test_secret_before_the_rotation_is_accepted(client: httpx.Client) -> None:
    payload = event()
    assert (
        client.post(PATHS[0], content=payload, headers=sign(payload, OLD_WEBHOOK_SECRET)).status_code == 200
    )


def test_clocks_may_differ_a_little(client: httpx.Client) -> None:
    for seconds in (-295, 5):
        payload = event()
        signature = sign(payload, when=time.time() + seconds)
        assert client.post(PATHS[0], content=payload, headers=signature).status_code == 200


def test_one_good_signature_of_several_suffices(client: httpx.Client) -> None:
    payload = event()
    good = sign(payload)["Stripe-Signature"]
    header = good.replace("v1=", f"v1={'0' * 64},v0=x,v1=")
    assert client.post(PATHS[0], content=payload, headers={"Stripe-Signature": header}).status_code == 200


def _forgeries() -> dict[str, Callable[[str], dict[str, str]]]:
    now = int(time.time())
    return {
        "none": lambda payload: {},
        "empty": lambda payload: {"Stripe-Signature": ""},
        "nonsense": lambda payload: {"Stripe-Signature": "nonsense"},
        "no time": lambda payload: {"Stripe-Signature": sign(payload)["Stripe-Signature"].partition(",")[2]},
        "no signature": lambda payload: {"Stripe-Signature": f"t={now}"},
        "another secret": lambda payload: sign(payload, "whsec_forged"),
        "empty secret": lambda payload: sign(payload, ""),
        "another payload": lambda payload: sign(payload + " "),
        "old": lambda payload: sign(payload, when=time.time() - 302),
        "future": lambda payload: sign(payload, when=time.time() + 15),
        "far future": lambda payload: sign(payload, when=time.time() + 10**9),
        "changed time": lambda payload: {
            "Stripe-Signature": sign(payload, when=now - 400)["Stripe-Signature"].replace(
                str(now - 400), str(now)
            )
        },
        "two times": lambda payload: {
            "Stripe-Signature": f"t={now}," + sign(payload, when=now - 400)["Stripe-Signature"]
        },
        "wrong scheme": lambda payload: {
            "Stripe-Signature": sign(payload)["Stripe-Signature"].replace("v1=", "v0=")
        },
        "huge time": lambda payload: {"Stripe-Signature": "t=" + "9" * 5000 + ",v1=x"},
        "negative time": lambda payload: {"Stripe-Signature": "t=-1,v1=x"},
    }


@pytest.mark.parametrize("forgery", _forgeries())
def test_forged_events_are_refused(client: httpx.Client, user: User, forgery: str) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    response = client.post(PATHS[0], content=payload, headers=_forgeries()[forgery](payload))
    assert (response.status_code, slug(response)) == (400, "bad_signature")
    assert balance(client, user) == 0


def test_signature_that_is_not_ascii_is_refused(client: httpx.Client) -> None:
    payload = event()
    for value in (b"t=1,v1=\xe9", "t=\u0661,v1=x".encode(), b"\xff"):
        response = client.post(PATHS[0], content=payload, headers=[(b"Stripe-Signature", value)])
        assert (response.status_code, slug(response)) == (400, "bad_signature")


def test_body_that_is_not_utf8_is_refused(client: httpx.Client) -> None:
    response = client.post(
        PATHS[0], content=b"\xff\xfe", headers={"Stripe-Signature": f"t={int(time.time())},v1=x"}
    )
    assert (response.status_code, slug(response)) == (400, "bad_payload")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"id": NaN}',
        event()[:-1] + ', "x": tru}',
        event()[:-1] + ', "x": 01e400}',
        event()[:-1] + ', "x": "\\u00"}',
        event()[:-1] + ', "x": "\\ud800"',
        "[" * 100_000,
        event(livemode=True),
        event(livemode=None),
    ],
    ids=lambda payload: payload[-20:],
)
def test_signed_body_without_an_event_is_refused(
    client: httpx.Client, payload: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = deliver(client, payload)
    assert (response.status_code, slug(response)) == (400, "bad_payload")
    assert "was refused: " in caplog.text


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (event(object="charge"), "bad_event"),
        (event(id=""), "bad_event"),
        (event(type=None), "bad_event"),
        (event(data=[]), "bad_event"),
        (event(id=None), "bad_event"),
        (event(account="acct_of_somebody"), "foreign_account"),
    ],
)
def test_events_that_the_database_refuses_are_4xx(
    client: httpx.Client, payload: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = deliver(client, payload)
    assert (response.status_code, slug(response)) == (400, reason)
    assert "was refused: " in caplog.text


DEEP = "[" * 100_000 + "]" * 100_000
UNSTORABLE = {
    "an escaped NUL": (rb'"A\u0000B"', "A\ufffdB"),
    "a raw NUL": (b'"A\0B"', "A\ufffdB"),
    "half a pair": (rb'"A\ud800B"', "A\ufffdB"),
    "the other half": (rb'"A\udfffB"', "A\ufffdB"),
    "halves the wrong way round": (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
    "half a pair before a pair": (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    "no UTF-8": (b'"A\xffB"', "A\ufffdB"),
    "a number beyond numeric": (b"1e200000", "1e200000"),
    "a number beyond any": (b"-1.5e-99999999999999999999", "-1.5e-99999999999999999999"),
    "too many decimals": (b"1e-20000", "1e-20000"),
    "endless digits": (b"9" * 200_000, "9" * 200_000),
    "too deep": (DEEP.encode(), None),
}
STORABLE = {
    "1e400": (b"1e400", None),
    "a pair": (rb'"\ud83d\ude00"', "\U0001f600"),
    "an escaped backslash": (rb'"\\u0000"', r"\u0000"),
    "a small number": (b"1e-400", None),
}


@pytest.mark.parametrize("what", ["a long id", "a mark of the byte order"])
def test_paid_event_of_an_odd_form_is_granted_once_and_kept(
    client: httpx.Client, user: User, admin: psycopg.Connection[Any], what: str
) -> None:
    more = {"id": "evt_" + "x" * 300} if what == "a long id" else {}
    body = event("checkout.session.completed", session(order(client, user)), **more).encode()
    if not more:
        body = b"\xef\xbb\xbf" + body
    response = _send(client, body)
    assert (response.status_code, response.json()["outcome"]) == (200, "granted"), response.text
    assert _send(client, body).json()["outcome"] == "duplicate"
    assert balance(client, user) == 500
    kept = admin.execute(
        "select e.original, e.payload ->> 'id' from credits.stripe_events as e where e.event_id = %s",
        (response.json()["event_id"],),
    ).fetchone()
    assert kept == (body, more.get("id") or json.loads(body)["id"])
    if more:  # another long id is another event
        other = event("checkout.session.expired", session(order(client, user)), id="evt_" + "x" * 299 + "y")
        assert deliver(client, other).json()["outcome"] != "duplicate"


def _bytes(told: dict[str, Any], name: bytes) -> bytes:
    """The event of a payment by a customer of that name, as JSON."""
    details = {"customer_details": {"name": "@"}, "total_details": {"amount_discount": 0}}
    return event("checkout.session.completed", told | details).encode().replace(b'"@"', name)


def _send(client: httpx.Client, body: bytes) -> httpx.Response:
    now = int(time.time())
    signature = hmac.digest(WEBHOOK_SECRET.encode(), b"%d." % now + body, "sha256").hex()
    return client.post(PATHS[0], content=body, headers={"Stripe-Signature": f"t={now},v1={signature}"})


@pytest.mark.parametrize("name", [*UNSTORABLE, *STORABLE])
def test_paid_event_that_jsonb_cannot_hold_is_kept_and_granted(
    name: str,
    client: httpx.Client,
    user: User,
    admin: psycopg.Connection[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    value, stored = (UNSTORABLE | STORABLE)[name]
    body = _bytes(session(order(client, user)), value)
    response = _send(client, body)
    assert (response.status_code, response.json()["outcome"]) == (200, "granted"), response.text
    assert balance(client, user) == 500
    assert _send(client, body).json()["outcome"] == "duplicate"
    kept = admin.execute(
        "select original, payload #>> '{data,object,customer_details,name}',"
        " payload #>> '{data,object,payment_status}' from credits.stripe_events where event_id = %s",
        (response.json()["event_id"],),
    ).fetchone()
    assert kept is not None
    assert kept[0] == (body if name in UNSTORABLE else None)
    assert (name in UNSTORABLE) == ("its bytes are kept" in caplog.text)
    assert kept[2] == "paid"
    if stored is not None:
        assert kept[1] == stored


def test_event_whose_own_id_cannot_be_stored_is_known_by_its_bytes(client: httpx.Client, user: User) -> None:
    bought = order(client, user)
    told = [
        event("checkout.session.completed", session(bought, note=note), id="evt_\0").encode() for note in "ab"
    ]
    answers = [_send(client, body).json() for body in (told[0], told[0], told[1])]
    assert [answer["outcome"] for answer in answers] == ["granted", "duplicate", "duplicate"]
    first, again, other = (answer["event_id"] for answer in answers)
    assert first == again != other
    assert first.startswith("sha256:")
    assert balance(client, user) == 500


@pytest.mark.parametrize(
    ("member", "value", "outcome"),
    [
        ("payment_status", r'"paid\u0000"', "parked"),
        ("payment_status", r'"\ud800paid"', "parked"),
        ("amount_total", "1e200000", "parked"),
        ("total_details", '{"amount_discount": 1e200000}', "parked"),
        ("payment_intent", r'"pi_\u0000"', "parked"),
        ("id", r'"cs_\u0000"', "parked"),
        ("amount_subtotal", "1e200000", "parked"),
        ("currency", r'"eur\u0000"', "parked"),
        ("client_reference_id", r'"\u0000"', "unmatched"),
    ],
)
def test_replaced_text_pays_for_nothing(
    member: str,
    value: str,
    outcome: str,
    client: httpx.Client,
    user: User,
    admin: psycopg.Connection[Any],
) -> None:
    told = session(order(client, user)) | {member: "@"}
    body = event("checkout.session.completed", told).replace('"@"', value).encode()
    response = _send(client, body)
    assert (response.status_code, response.json()["outcome"]) == (200, outcome)
    assert balance(client, user) == 0
    listed = admin.execute("select 1 from audit.parked where event_id = %s", (response.json()["event_id"],))
    assert listed.fetchone() is not None


def test_payment_of_a_connected_account_counts_where_that_is_accepted(
    client: httpx.Client, user: User, admin: psycopg.Connection[Any]
) -> None:
    bought = order(client, user)
    payload = event("checkout.session.completed", session(bought), account="acct_ours")
    assert slug(deliver(client, payload)) == "foreign_account"
    admin.execute("select credits.accept_stripe_accounts(array['acct_ours'])")
    try:
        assert deliver(client, payload).json()["outcome"] == "granted"
        other = event("checkout.session.completed", session(bought), account="acct_other")
        assert slug(deliver(client, other)) == "foreign_account"
    finally:
        admin.execute("select credits.accept_stripe_accounts(null)")
    assert balance(client, user) == 500


def test_events_over_a_megabyte_are_refused(client: httpx.Client) -> None:
    payload = event(note="x" * 900_000)
    assert deliver(client, payload).status_code == 200
    response = deliver(client, event(note="x" * 1_000_000))
    assert (response.status_code, slug(response)) == (413, "too_large")


def test_own_failure_is_5xx_and_a_retry_succeeds(
    client: httpx.Client, user: User, admin: psycopg.Connection[Any]
) -> None:
    payload = event("checkout.session.completed", session(order(client, user)))
    admin.execute(
        "alter table credits.stripe_events add constraint closed_for_a_test check (false) not valid"
    )
    try:
        response = deliver(client, payload)
        assert (response.status_code, slug(response)) == (500, "internal")
        assert "closed_for_a_test" not in response.text
    finally:
        admin.execute("alter table credits.stripe_events drop constraint closed_for_a_test")
    assert deliver(client, payload).json()["outcome"] == "granted"
    assert balance(client, user) == 500


def test_webhooks_without_a_secret_are_refused(settings: Settings) -> None:
    with serving(create_app(replace(settings, stripe_webhook_secrets=()))) as url:
        payload = event()
        response = httpx.post(
            f"{url}/webhooks/stripe", content=payload, headers=sign(payload, WEBHOOK_SECRET)
        )
        assert (response.status_code, slug(response)) == (503, "unavailable")


def test_live_key_accepts_only_live_events(settings: Settings) -> None:
    with serving(create_app(replace(settings, stripe_secret_key="sk_live_of_nobody"))) as url:
        payload = event()
        response = httpx.post(f"{url}/webhooks/stripe", content=payload, headers=sign(payload))
        assert (response.status_code, slug(response)) == (400, "bad_payload")
