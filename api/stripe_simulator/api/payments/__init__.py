"""/v1 paths about money: payments, and what comes back of them."""
