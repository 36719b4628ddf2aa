-- A dimension of usage may name a parent: cached_input_tokens are input_tokens, too. A price without a rate for it
-- charges its parent's rate.
set local role credits_owner;

alter table credits.dimensions add column parent text;
alter table credits.dimensions add constraint dimensions_parent_fkey
foreign key (parent) references credits.dimensions (dimension);
alter table credits.dimensions add constraint dimensions_parent_is_another check ((parent = dimension) is not true);
create index dimensions_parent_idx on credits.dimensions (parent);

insert into credits.dimensions (dimension, description) values
('cache_write_tokens', 'tokens that a language model reads and writes into its cache')
on conflict (dimension) do nothing;
update credits.dimensions as d
set parent = case d.dimension when 'reasoning_tokens' then 'output_tokens' else 'input_tokens' end
where d.dimension in ('cached_input_tokens', 'cache_write_tokens', 'reasoning_tokens');
