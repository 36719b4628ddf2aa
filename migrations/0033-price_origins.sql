-- Where a version of a price came from. Null: somebody wrote it, and an import leaves it alone.
set local role credits_owner;

alter table credits.prices add column origin text;
