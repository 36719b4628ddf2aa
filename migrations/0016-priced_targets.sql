-- Which targets a price list has given a price from now on: a file that gives one target two such prices is refused.
set local role credits_owner;

create table credits.priced_targets (
    target text not null,
    priced_at timestamptz not null,
    constraint priced_targets_pkey primary key (target)
);
