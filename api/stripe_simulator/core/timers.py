"""What time does by itself: sessions expire, subscriptions renew."""

from stripe_simulator.core.billing import cycle
from stripe_simulator.core.checkout import lifecycle
from stripe_simulator.core.store import Store


def catch_up(store: Store) -> None:
    """Do everything whose time has come, each in a transaction."""
    now = store.clock()
    due = store.db.execute("select id, kind from objects where due <= ? order by due", (now,)).fetchall()
    for id, kind in due:
        with store.transaction():
            if kind == "subscription":
                cycle.run(store, id, int(now))
            elif session := store.find("checkout.session", id):
                lifecycle.expire(store, session)
