"""A Stripe simulator for development: its own process, its own port, no real money.

Start it with :func:`stripe_simulator.run.run`, or assemble the application with
:func:`stripe_simulator.app.create_app`. stripe-python talks to it through
``base_addresses={"api": "http://127.0.0.1:PORT"}``.
"""
