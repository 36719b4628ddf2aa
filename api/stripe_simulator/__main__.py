"""`python -m stripe_simulator` is the command `stripe-simulator`."""

from stripe_simulator.cli import main

if __name__ == "__main__":
    main(prog_name="stripe-simulator")
