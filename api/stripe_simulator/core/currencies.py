"""The currencies Stripe accepts, how it counts them, and what it charges at least and at most.

From docs.stripe.com/currencies: "Minor units in API amounts", "Special cases", "Minimum and maximum charge
amounts".
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUPPORTED = _words(
    """usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf
    gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr
    lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen
    pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd
    top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw"""
)
_ZERO_DECIMAL = _words("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
_THREE_DECIMAL = _words("bhd jod kwd omr tnd")
_WHOLE_UNITS = _words("isk ugx")
"""Counted in hundredths, though they have none."""
_SMALLEST_CHARGE = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
_LARGEST_CHARGE = {
    "cop": 9_999_999_999, "huf": 9_999_999_999, "idr": 999_999_999_999, "inr": 999_999_999,
    "jpy": 9_999_999_999, "lbp": 99_999_999_999,
}  # fmt: skip


def is_supported(currency: str) -> bool:
    """Whether Stripe knows this lower-case ISO code."""
    return currency in SUPPORTED


def minor_digits(currency: str) -> int:
    """Decimals of the unit that amounts are counted in."""
    return 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2


def step(currency: str) -> int:
    """Every amount is a multiple of it."""
    return 100 if currency in _WHOLE_UNITS else 10 if currency in _THREE_DECIMAL else 1


def smallest_charge(currency: str) -> int | None:
    """The least amount one can charge, in minor units; None where Stripe's table has none."""
    return _SMALLEST_CHARGE.get(currency)


def largest_charge(currency: str) -> int:
    """The greatest amount one can charge, in minor units: eight digits, and more in some currencies."""
    return _LARGEST_CHARGE.get(currency, 99_999_999)


def money(amount: int, currency: str) -> str:
    """``3999, "eur"`` → ``"39.99 EUR"``, for people."""
    digits = minor_digits(currency)
    whole, fraction = divmod(amount, 10**digits)
    return f"{whole:,}{f'.{fraction:0{digits}}' if digits else ''} {currency.upper()}"
