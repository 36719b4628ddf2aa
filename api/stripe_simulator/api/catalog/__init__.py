"""/v1 paths about what is sold: products, prices, coupons, promotion codes."""
