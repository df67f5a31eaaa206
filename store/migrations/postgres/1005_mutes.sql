-- +goose Up
-- Whose phones are not to be rung; until in the past = they may.
create table mute (
    nick    text primary key,
    until   bigint not null,
    by_whom text not null,
    at      bigint not null
);
alter table page add column side_by_side boolean not null default false; -- strategy = "all"
alter table page add column roll_call boolean not null default false;    -- confirmations = "all"
alter table page add column forced text not null default '';             -- who had it run past the limits of numbers
