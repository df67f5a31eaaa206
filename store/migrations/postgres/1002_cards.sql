-- +goose Up
alter table page add column reporter text not null default ''; -- gateway.id of who shows it, '' = nobody
alter table page add column reported integer not null default 0; -- the version up to which all its cards show it
create index page_behind on page (entered) where reported < version;

-- A message in Slack that shows a page in one conversation.
create table card (
    page    text not null references page (id) on delete cascade,
    channel text not null,
    facts   text not null,
    primary key (page, channel)
);
