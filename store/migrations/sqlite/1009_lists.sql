-- +goose Up
-- What a list shows of a page that has ended, kept with it so that a list reads one row for each page. Rows that were written
-- before have none of it, and neither have those of a telgate of before beside this one: summed tells.
alter table page add column asker text not null default '';        -- who asked for it, by name
alter table page add column joined integer not null default 0;     -- how many joined
alter table page add column people integer not null default 0;     -- how many are called
alter table page add column reached_nick text not null default ''; -- the first who was reached
alter table page add column reached_by text not null default '';
alter table page add column reached_via text not null default '';
alter table page add column calls integer not null default 0;
alter table page add column picked_up integer not null default 0;
alter table page add column summed integer not null default 0;     -- the version that the above is of, 0 = none
alter table call add column answered integer;                        -- 0 = it was not; null = written before: see its facts

-- Whose phone it is that was rung, as nicknames in JSON: who calls back is found by it, at whichever gateway.
alter table rung add column nicks text not null default '[]';
