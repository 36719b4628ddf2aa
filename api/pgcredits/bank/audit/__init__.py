"""`pgcredits audit`: do the books agree with themselves, and with a copy that was kept elsewhere?"""

from pgcredits.bank.audit.anchor_file import AnchorError
from pgcredits.bank.audit.anchors import compare_anchor, make_anchor
from pgcredits.bank.audit.changes import run_changes
from pgcredits.bank.audit.checks import Check, sound
from pgcredits.bank.audit.noting import note
from pgcredits.bank.audit.reporting import as_json, report, shown_progress
from pgcredits.bank.audit.running import AuditError, run
from pgcredits.bank.audit.watching import watch

__all__ = [
    "AnchorError",
    "AuditError",
    "Check",
    "as_json",
    "compare_anchor",
    "make_anchor",
    "note",
    "report",
    "run",
    "run_changes",
    "shown_progress",
    "sound",
    "watch",
]
