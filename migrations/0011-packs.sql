-- Packs and top-ups: the money that Stripe takes, what a pack may be bound to, and the amounts to propose.
set local role credits_owner;

create table credits.currencies (
    currency text not null,
    minor_digits bigint not null,
    constraint currencies_pkey primary key (currency),
    constraint currencies_are_iso check (currency ~ '^[a-z]{3}$'),
    constraint currencies_digits_are_sane check (minor_digits in (0, 2, 3))
);
comment on table credits.currencies is
'The currencies that Stripe takes payments in (docs.stripe.com/currencies), ISO 4217, lower case.';
comment on column credits.currencies.minor_digits is 'Decimals of its minor unit: 2 for cents, 0 where there is none.';
insert into credits.currencies (currency, minor_digits)
select
    c.currency,
    0 as minor_digits
from string_to_table(
    'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf', ' '
) as c (currency);
insert into credits.currencies (currency, minor_digits)
select
    c.currency,
    3 as minor_digits
from string_to_table(
    'bhd jod kwd omr tnd', ' '
) as c (currency);
insert into credits.currencies (currency, minor_digits)
select
    c.currency,
    2 as minor_digits
from string_to_table(
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf '
    'chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr '
    'ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr '
    'mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos '
    'srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd xcg yer zar zmw', ' '
) as c (currency);

alter table credits.catalogs
add column currency text,
add constraint catalogs_currency_fkey foreign key (currency) references credits.currencies (currency);
create index catalogs_currency_idx on credits.catalogs (currency);
comment on column credits.catalogs.currency is 'The money that its packs are sold in and its margins are counted in.';

alter table credits.packs
add column scope text,
add constraint packs_currency_fkey foreign key (currency) references credits.currencies (currency);
create index packs_currency_idx on credits.packs (currency);
comment on column credits.packs.scope is
'module:ID or category:ID that its tokens are bound to; null: what the buyer chooses, or any.';

alter table credits.topups
add constraint topups_currency_fkey foreign key (currency) references credits.currencies (currency);

create table credits.topup_presets (
    currency text not null,
    amount bigint not null,
    popular boolean not null default false,
    constraint topup_presets_pkey primary key (currency, amount),
    constraint topup_presets_topup_fkey foreign key (currency) references credits.topups (currency),
    constraint topup_presets_amount_is_positive check (amount > 0 and amount <= 99999999)
);
comment on table credits.topup_presets is 'Amounts of a top-up to propose, in minor units of currency.';

-- A pack of a category has no module_id to show.
alter type api.order_receipt add attribute scope text;

-- define_catalog learns its currency, define_pack its scope.
drop function if exists credits.define_catalog(text, text, text);
drop function if exists credits.define_pack(
    text, text, numeric, bigint, text, numeric, boolean, bigint, interval, text, boolean
);
