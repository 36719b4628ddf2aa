-- Where Stripe lists no smallest charge, an amount must be worth about 0.50 USD, at the rate of the day. Which amounts
-- are far below that in every case can be known here: a price that was written in another unit than Stripe counts in.
set local role credits_owner;

alter table credits.currencies add column rough_minimum bigint;
-- 0.25 USD, rounded down to one digit, at rates of 2025 (where a currency has several, the official one). Half, because
-- rates move, and because some accounts are paid out in a currency with a lower minimum.
update credits.currencies as c
set rough_minimum = m.rough_minimum
from (
    values
    ('afn', 1000), ('all', 2000), ('amd', 9000), ('ang', 40), ('aoa', 20000), ('ars', 20000), ('awg', 40),
    ('azn', 40), ('bam', 40), ('bbd', 50), ('bdt', 3000), ('bhd', 90), ('bif', 700), ('bmd', 20), ('bnd', 30),
    ('bob', 100), ('bsd', 20), ('bwp', 300), ('byn', 70), ('bzd', 50), ('cdf', 50000), ('clp', 200), ('cny', 100),
    ('cop', 90000), ('crc', 10000), ('cve', 2000), ('djf', 40), ('dop', 1000), ('dzd', 3000), ('egp', 1000),
    ('etb', 3000), ('fjd', 50), ('fkp', 10), ('gel', 60), ('gip', 10), ('gmd', 1000), ('gnf', 2000), ('gtq', 100),
    ('gyd', 5000), ('hnl', 600), ('htg', 3000), ('idr', 400000), ('ils', 80), ('isk', 3000), ('jmd', 3000),
    ('jod', 100), ('kes', 3000), ('kgs', 2000), ('khr', 100000), ('kmf', 100), ('krw', 300), ('kwd', 70),
    ('kyd', 20), ('kzt', 10000), ('lak', 500000), ('lbp', 2000000), ('lkr', 7000), ('lrd', 4000), ('lsl', 400),
    ('mad', 200), ('mdl', 400), ('mga', 1000), ('mkd', 1000), ('mmk', 50000), ('mnt', 80000), ('mop', 200),
    ('mur', 1000), ('mvr', 300), ('mwk', 40000), ('mzn', 1000), ('nad', 400), ('ngn', 30000), ('nio', 900),
    ('npr', 3000), ('omr', 90), ('pab', 20), ('pen', 80), ('pgk', 100), ('php', 1000), ('pkr', 7000), ('pyg', 1000),
    ('qar', 90), ('rsd', 2000), ('rub', 1000), ('rwf', 300), ('sar', 90), ('sbd', 200), ('scr', 300), ('shp', 10),
    ('sle', 500), ('sos', 10000), ('srd', 900), ('std', 500000), ('szl', 400), ('tjs', 200), ('tnd', 700),
    ('top', 50), ('try', 1000), ('ttd', 100), ('twd', 700), ('tzs', 60000), ('uah', 1000), ('ugx', 80000),
    ('uyu', 900), ('uzs', 200000), ('vnd', 6000), ('vuv', 20), ('wst', 60), ('xaf', 100), ('xcd', 60), ('xcg', 40),
    ('xof', 100), ('xpf', 20), ('yer', 6000), ('zar', 400), ('zmw', 500)
) as m (currency, rough_minimum)
where c.currency = m.currency;

alter table credits.currencies add constraint currencies_rough_minimum_is_sane check (
    case
        when minimum is null
            then coalesce(rough_minimum > 0 and rough_minimum <= maximum and rough_minimum % step = 0, false)
        else rough_minimum is null
    end
);
comment on column credits.currencies.rough_minimum is
'Where Stripe lists no smallest charge: an amount, in minor units, that is worth less than Stripe charges anywhere. '
'It is about 0.25 USD at rates of 2025, where Stripe wants about 0.50 USD at the rate of the day. It is too low on '
'purpose: it finds prices that are a hundred times too small, and refuses none that could be paid.';
