-- +goose Up
-- Which gateway registers with a trunk whose account they share (register_by = "lease").
create table registration (
    trunk   text primary key,
    gateway text not null,   -- the process; one that has no row in gateway any more has nothing
    token   bigint not null, -- one more with each change of hands
    contact text not null    -- what it registered, for whoever comes after it
);
