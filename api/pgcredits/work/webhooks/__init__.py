"""Webhooks of the bank: products are told what happened. The database decides what, when and to whom."""
