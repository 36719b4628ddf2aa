"""`pgcredits export`: a month of the books as files, with a manifest that proves them later."""

from pgcredits.bank.export.folder import ExportError
from pgcredits.bank.export.verify import verify
from pgcredits.bank.export.write import write

__all__ = ["ExportError", "verify", "write"]
