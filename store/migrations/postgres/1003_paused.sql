-- +goose Up
alter table page add column paused boolean not null default false; -- it waits because calling is paused
