"""The pages a person sees."""

import re
from html import unescape

import pytest

pytestmark = pytest.mark.one_version

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def item(name, amount=3999, currency="eur"):
    data = {"currency": currency, "unit_amount": amount, "product_data": {"name": name}}
    return {"price_data": data, "quantity": 1}


def test_pay_page_shows_what_is_sold_and_a_button_for_each_test_card(simulator):
    session = simulator.new_session(line_items=[{**item("Standard pack"), "quantity": 2}])
    answer = simulator.browser.get(session.url)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Standard pack × 2" in answer.text and "79.98 EUR" in answer.text
    assert re.findall(r'name="action" value="(\w+)"', answer.text) == [
        *["pay"] * 5,
        "pay_later",
        "expire",
    ]
    assert "href='https://shop.example/cancelled'" in answer.text
    assert (
        "4242" in answer.text
        and "4000 0000 0000 0002" in answer.text
        and "4000 0000 0000 0259" in answer.text
    )


def test_every_page_says_that_it_is_a_simulator(simulator):
    session = simulator.new_session()
    paid = simulator.new_session()
    simulator.press(paid, "pay")
    pages = [
        simulator.browser.get("/"),
        simulator.browser.get(f"/pay/{session.id}"),
        simulator.browser.get(f"/pay/{paid.id}"),
        simulator.browser.get("/pay/cs_test_nothing"),
        simulator.browser.post(f"/pay/{session.id}", data={"action": "nonsense"}),
    ]
    assert [page.status_code for page in pages] == [200, 200, 200, 404, 400]
    for page in pages:
        assert "no real money moves" in page.text and "Development simulator" in page.text
        assert "<script" not in page.text and "default-src 'none'" in page.headers["content-security-policy"]


def test_outside_text_is_escaped(simulator):
    session = simulator.new_session(
        line_items=[item(EVIL)],
        client_reference_id=EVIL,
        customer_email="<b>@x.example",
        cancel_url="https://shop.example/?'><script>alert(1)</script>",
    )
    simulator.press(session, "fail")
    texts = [simulator.browser.get(f"/pay/{session.id}").text, simulator.browser.get("/").text]
    simulator.press(session, "expire")
    texts.append(simulator.browser.get(f"/pay/{session.id}").text)
    texts.append(simulator.browser.get("/", params={"sent": EVIL, "answer": EVIL}).text)
    for text in texts:
        assert "<script" not in text and "<img" not in text and "<b>" not in text
    assert EVIL in unescape(texts[0])
    assert re.search(r"<a href='([^']*)'>Cancel", texts[0])[1].endswith("&lt;/script&gt;")


def test_completed_session_shows_its_state_and_no_pay_button(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay")
    text = simulator.browser.get(f"/pay/{session.id}").text
    assert "Paid" in text and 'name="action"' not in text
    assert f"https://shop.example/done?session_id={session.id}" in text


def test_post_without_action_is_refused(simulator):
    session = simulator.new_session()
    assert simulator.browser.post(f"/pay/{session.id}").status_code == 400
    assert simulator.browser.post(f"/pay/{session.id}", content=b"\xff\xfe").status_code == 400
    assert simulator.browser.post("/pay/cs_test_nothing", data={"action": "pay"}).status_code == 404
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "open"


def test_success_url_may_have_letters_outside_ascii(simulator):
    session = simulator.new_session(
        success_url="https://shop.example/merci/été?s={CHECKOUT_SESSION_ID}&a=%20b"
    )
    location = simulator.press(session, "pay").headers["location"]
    assert location == f"https://shop.example/merci/%C3%A9t%C3%A9?s={session.id}&a=%20b"


def test_amounts_are_shown_in_their_currency(simulator):
    for currency, amount, shown in (
        ("jpy", 3999, "3,999 JPY"),
        ("kwd", 3990, "3.990 KWD"),
        ("ugx", 5000, "50.00 UGX"),
        ("usd", 105, "1.05 USD"),
    ):
        session = simulator.new_session(line_items=[item("Pack", amount, currency)])
        assert shown in simulator.browser.get(f"/pay/{session.id}").text


def test_index_lists_sessions_and_events_and_sends_again(simulator):
    session = simulator.new_session(client_reference_id="account-on-the-index")
    simulator.press(session, "pay")
    event = simulator.receiver.wait(session.id, "checkout.session.completed")
    text = simulator.browser.get("/").text
    assert f'href="/pay/{session.id}"' in text and "account-on-the-index" in text
    assert f'action="/events/{event["id"]}/send"' in text and "checkout.session.completed" in text
    assert "Every answer other than 2xx is tried again" in text
    answer = simulator.browser.post(f"/events/{event['id']}/send")
    assert answer.status_code == 303
    simulator.receiver.wait(session.id, "checkout.session.completed", times=2)
    assert "HTTP 200" in simulator.browser.get(answer.headers["location"]).text
    unknown = simulator.browser.post("/events/evt_none/send", follow_redirects=True)
    assert "there is no such event" in unknown.text
