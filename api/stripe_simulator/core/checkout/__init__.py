"""Checkout Sessions: what one costs, and what becomes of it."""
