"""The currencies Stripe accepts, their minor units and smallest charges."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUPPORTED = _words(
    """usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf
    gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr
    lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen
    pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd
    top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw"""
)
_ZERO_DECIMAL = _words("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf")
_THREE_DECIMAL = _words("bhd jod kwd omr tnd")
_SMALLEST_CHARGE = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000,
    "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip

LARGEST_CHARGE = 99_999_999
"""Minor units; Stripe refuses nine digits."""


def is_supported(currency: str) -> bool:
    """Whether Stripe knows this lower-case ISO code."""
    return currency in _SUPPORTED


def smallest_charge(currency: str) -> int:
    """The least amount one can charge, in minor units (Stripe's table; 50 where it has none)."""
    return _SMALLEST_CHARGE.get(currency, 50)


def money(amount: int, currency: str) -> str:
    """``3999, "eur"`` → ``"39.99 EUR"``, for people."""
    digits = 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2
    whole, fraction = divmod(amount, 10**digits)
    return f"{whole:,}{f'.{fraction:0{digits}}' if digits else ''} {currency.upper()}"
