-- +goose Up
-- The kill switch: one row while it is thrown.
create table pause (
    one     integer primary key check (one = 1),
    at      integer not null, -- by the clock of who threw it
    thrower text not null,
    place   text not null,   -- gateway.name
    why     text not null
);

-- Who stands in for whom in rotas.
create table cover (
    id    text primary key,
    asked integer not null,
    ends  integer not null,
    facts text not null
);
create index cover_ends on cover (ends);
