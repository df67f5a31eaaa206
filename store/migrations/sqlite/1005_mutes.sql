-- +goose Up
-- Whose phones are not to be rung; until in the past = they may.
create table mute (
    nick    text primary key,
    until   integer not null,
    by_whom text not null,
    at      integer not null
) strict;
alter table page add column side_by_side integer not null default 0; -- strategy = "all"
alter table page add column roll_call integer not null default 0;    -- confirmations = "all"
alter table page add column forced text not null default '';         -- who had it run past the limits of numbers
