"""A Stripe simulator for development: it runs in a process of its own and takes no real money.

Start it with the command `stripe-simulator` or with :func:`stripe_simulator.run.run`, or make the application
with :func:`stripe_simulator.app.create_app`. stripe-python talks to it through
``base_addresses={"api": "http://127.0.0.1:PORT"}``.
"""
