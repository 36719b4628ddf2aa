"""`pgcredits work`: what has to be done outside the database, and was written down in it.

Each kind of work is a loop of its own (see `loops.py`): it takes what is due, does it, and reports what came
of it. The database decides what is due and what a report means. Several workers at once are safe, and so is
killing one: what it had taken is due again when its lease has ended.
"""

from pgcredits.work.run import run

__all__ = ["run"]
