"""What the simulated Stripe knows and does: objects, payments, events and their delivery."""
