-- What an event and the payment that it waits for lock, so that the later one sees the earlier one.
set local role credits_owner;

create table credits.awaited_objects (
    object_id text not null,
    constraint awaited_objects_pkey primary key (object_id)
);
