-- Holds that end with nothing charged have a count of their own: they refuse holds, and uses for nothing refuse uses.
set local role credits_owner;

alter table credits.wallets add column unpaid_holds bigint not null default 0;
comment on column credits.wallets.unpaid is
'How many uses, and other things that are no holds, the user has made without paying in the window that ends at '
'unpaid_until: see sql/credits/unpaid.sql.';
comment on column credits.wallets.unpaid_holds is
'How many holds of the user have ended with nothing charged in that window.';
