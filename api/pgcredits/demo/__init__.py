"""The demonstration: a real trace of LLM requests, replayed over HTTP by users who sign up, buy, and run dry.

Each user first has a large repository read, which takes nearly all of the 10 EUR that come with signing up.
Every request of the trace then spends its real input and output tokens at the prices of appforge.
A user whose tokens are used up buys a top-up through the Stripe simulator and goes on.

    trace.py     the requests
    customers.py what users do, over HTTP
    report.py    how a run is shown
    charges.py   the run in which each request is charged when it is done
    holds.py     the run in which each request first holds its worst case, and workers are killed
    job.py       what a worker does for a request of that run
    crew.py      the workers, which are processes
    proof.py     the check that every job ended as it should
"""


class DemoError(RuntimeError):
    """The run cannot continue, or has found a fault. The message says which."""
