"""Price lists: apply the file of a catalog to a bank. See apply.py for the story."""

from pgcredits.bank.catalogs.apply import (
    Applied,
    applied_catalogs,
    apply_catalog,
    find_catalog,
    list_catalogs,
)

__all__ = ["Applied", "applied_catalogs", "apply_catalog", "find_catalog", "list_catalogs"]
