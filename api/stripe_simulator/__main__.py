"""`python -m stripe_simulator` is the command `stripe-simulator`."""

from stripe_simulator.cli import main

main(prog_name="stripe-simulator")
