"""A product that is told what happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from told_product import Product


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def port(product: Product) -> Iterator[int]:
    with product.listening() as port:
        yield port
