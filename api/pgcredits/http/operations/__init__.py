"""What operators see: logs, figures, traces, live balances, and how a server ends."""
