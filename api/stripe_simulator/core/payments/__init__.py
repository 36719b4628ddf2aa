"""Money: cards, payments, what comes back of them, the balance."""
