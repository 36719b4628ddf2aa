-- Comments for people and for /schema. The tables themselves are in migrations/0004-modules.sql.
comment on table credits.catalogs is 'The price lists that have been applied to this database.';
comment on column credits.catalogs.unit is 'What one unit of a balance is called: token, credit, euro cent.';
comment on column credits.catalogs.currency is
'The currency that its packs are sold in and its margins are counted in.';

comment on table credits.module_categories is 'Groups of modules that may share a price.';

comment on table credits.modules is 'What tokens can be spent on.';
comment on column credits.modules.likeness is
'The id in the Latin letters that its letters look like, in small letters, without accents, white space, hyphens and '
'underscores. Ids that look alike have the same likeness.';
