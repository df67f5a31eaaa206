-- +goose Up
-- Times are microseconds since 1970 in UTC, 0 = none. "entered" is the database's clock, which limits and orders go by.
create table gateway (
    id      text primary key,
    name    text not null,
    version text not null,
    config  text not null,
    beats   bigint not null,
    started bigint not null,
    seen    bigint not null
);

create table page (
    id         text primary key,
    version    integer not null,
    title      text not null,
    message    text not null,
    state      text not null,
    result     text not null,
    late       boolean not null,
    accepted   bigint not null,
    entered    bigint not null,
    ended      bigint not null,
    waits_for  bigint not null,
    waits_line text not null,
    rounds     integer not null,
    stopped    text not null,
    owner      text not null,   -- gateway.id, '' = nobody
    token      bigint not null, -- one more with each change of hands
    due        bigint not null, -- where nobody owns it: when somebody should
    course     bytea,           -- until it has ended
    progress   bytea
);
create index page_entered on page (entered, id);
create index page_result on page (result, entered, id) where state = 'ended';
create index page_running on page (entered, id) where state <> 'ended';
create index page_owner on page (owner) where state <> 'ended';
create index page_due on page (due) where owner = '' and due > 0;

create table target (
    page         text not null references page (id) on delete cascade,
    n            integer not null,
    nick         text not null,
    name         text not null,
    slack        text not null,
    result       text not null,
    confirmed_by text not null,
    via          text not null,
    reached      bigint not null,
    called_back  bigint not null,
    open         boolean not null, -- its page has not ended
    entered      bigint not null,
    primary key (page, n)
);
create index target_open on target (nick) where open;
create index target_nick on target (nick, entered, page);

create table asker (
    page    text not null references page (id) on delete cascade,
    n       integer not null,
    actor   text not null,
    name    text not null,
    team    text not null,
    channel text not null,
    teams   json not null,
    guest   boolean not null,
    unknown boolean not null,
    local   boolean not null,
    message text not null,
    asked   bigint not null,
    entered bigint not null,
    primary key (page, n)
);
create index asker_actor on asker (actor, entered) where n = 0;

-- A step of a page: a call, or why there was none.
create table call (
    page    text not null references page (id) on delete cascade,
    n       integer not null, -- from 1, in the order of the page
    round   integer not null,
    person  text not null,
    number  text not null,
    begun   bigint not null,
    skip    text not null,
    id      text not null,   -- '' where skipped
    token   bigint not null, -- of the hold that began it
    trunk   text not null,
    state   text not null,
    outcome text not null,   -- '' while it is in progress
    detail  text not null,
    dialed  bigint not null,
    ended   bigint not null,
    facts   json not null,
    primary key (page, n)
);
create unique index call_id on call (id) where id <> '';

-- A phone that is being rung, or that may still ring.
create table phone (
    number     text primary key,
    page       text not null,
    call       text not null,
    gateway    text not null,
    ring_until bigint not null,
    until      bigint not null -- 0 = held by its call; else it rests until then
);
create index phone_gateway on phone (gateway);

-- Calls to a number within the last hour.
create table rung (
    number text not null,
    call   text not null,
    at     bigint not null,
    primary key (number, call)
);

create table trunk (
    name text primary key,
    next bigint not null -- when the next call may begin
);

-- A line of a trunk in use.
create table slot (
    call       text not null,
    number     text not null,
    trunk      text not null,
    gateway    text not null,
    ring_until bigint not null,
    until      bigint not null, -- 0 = held by its call; else until then
    primary key (call, number)
);
create index slot_trunk on slot (trunk);
create index slot_gateway on slot (gateway);

create table message (
    id   bigint generated always as identity primary key,
    page text not null references page (id) on delete cascade,
    at   bigint not null,
    body json not null
);
create index message_page on message (page);

-- The first answer to a request, by its key.
create table seen (
    key    text primary key,
    page   text not null,
    joined boolean not null,
    words  text not null,
    at     bigint not null
);
create index seen_at on seen (at);

create table audit (
    id      bigint generated always as identity primary key,
    at      bigint not null,
    actor   text not null,
    name    text not null,
    action  text not null,
    page    text not null,
    subject text not null,
    source  text not null,
    detail  text not null
);
create index audit_at on audit (at);
