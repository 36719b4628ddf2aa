"""docker-compose.yml: no secret that everybody knows, no image that changes by itself."""

from __future__ import annotations

import re

import pytest

from pgcredits.bank.migrate import HOME

pytestmark = pytest.mark.one_version

TEXT = (HOME / "docker-compose.yml").read_text()


def test_no_secret_has_a_default() -> None:
    used = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(:?[-?])([^}]*)\}", TEXT)
    assert len(used) >= 5
    # Without Stripe's nothing is sold. The one for guests is made of the JWT secret.
    optional = {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "PGCREDITS_GUEST_SECRET"}
    assert [name for name, how, rest in used if name not in optional and (how != ":?" or not rest)] == []
    assert [name for name, _, rest in used if name in optional and rest] == []


def test_every_image_of_others_is_pinned() -> None:
    images = [image for image in re.findall(r"image: (\S+)", TEXT) if image != "pgcredits"]
    assert len(images) >= 3
    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


def test_every_health_check_has_a_bound() -> None:
    calls = re.findall(r"urlopen\([^)]*\)", TEXT)
    assert calls
    assert [call for call in calls if "timeout=" not in call] == []


def test_every_setting_for_stripe_is_passed() -> None:
    page = (HOME / "docs/stripe.md").read_text()
    table = page.partition("| setting | for |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`((?:STRIPE|PGCREDITS)_\w+)`", table))
    assert len(named) >= 7
    assert [name for name in sorted(named) if f"{name}: ${{{name}:-" not in TEXT] == []
