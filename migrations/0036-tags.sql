-- What a charge or a hold was for, in a few small texts. Null: no tags, as for all rows before this column.
set local role credits_owner;

alter table credits.entries add column tags jsonb;
alter table credits.holds add column tags jsonb;
