"""Price lists: apply the file of a catalog to a bank (apply.py), or import prices (import_prices.py)."""

from pgcredits.bank.catalogs.apply import (
    Applied,
    applied_catalogs,
    apply_catalog,
    find_catalog,
    list_catalogs,
)
from pgcredits.bank.catalogs.import_prices import Asked, Imported, import_prices

__all__ = [
    "Applied",
    "Asked",
    "Imported",
    "applied_catalogs",
    "apply_catalog",
    "find_catalog",
    "import_prices",
    "list_catalogs",
]
