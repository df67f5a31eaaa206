-- +goose Up
alter table page add column paused integer not null default 0; -- it waits because calling is paused
