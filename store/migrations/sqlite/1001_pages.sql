-- +goose Up
-- Times are microseconds since 1970 in UTC, 0 = none. "entered" is the database's clock, which limits and orders go by.
create table gateway (
    id      text primary key,
    name    text not null,
    version text not null,
    config  text not null,
    beats   integer not null,
    started integer not null,
    seen    integer not null
) strict;

create table page (
    id         text primary key,
    version    integer not null,
    title      text not null,
    message    text not null,
    state      text not null,
    result     text not null,
    late       integer not null,
    accepted   integer not null,
    entered    integer not null,
    ended      integer not null,
    waits_for  integer not null,
    waits_line text not null,
    rounds     integer not null,
    stopped    text not null,
    owner      text not null,   -- gateway.id, '' = nobody
    token      integer not null, -- one more with each change of hands
    due        integer not null, -- where nobody owns it: when somebody should
    course     blob,           -- until it has ended
    progress   blob
) strict;
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
    reached      integer not null,
    called_back  integer not null,
    open         integer not null, -- its page has not ended
    entered      integer not null,
    primary key (page, n)
) strict;
create index target_open on target (nick) where open;
create index target_nick on target (nick, entered, page);

create table asker (
    page    text not null references page (id) on delete cascade,
    n       integer not null,
    actor   text not null,
    name    text not null,
    team    text not null,
    channel text not null,
    teams   text not null,
    guest   integer not null,
    unknown integer not null,
    local   integer not null,
    message text not null,
    asked   integer not null,
    entered integer not null,
    primary key (page, n)
) strict;
create index asker_actor on asker (actor, entered) where n = 0;

-- A step of a page: a call, or why there was none.
create table call (
    page    text not null references page (id) on delete cascade,
    n       integer not null, -- from 1, in the order of the page
    round   integer not null,
    person  text not null,
    number  text not null,
    begun   integer not null,
    skip    text not null,
    id      text not null,   -- '' where skipped
    token   integer not null, -- of the hold that began it
    trunk   text not null,
    state   text not null,
    outcome text not null,   -- '' while it is in progress
    detail  text not null,
    dialed  integer not null,
    ended   integer not null,
    facts   text not null,
    primary key (page, n)
) strict;
create unique index call_id on call (id) where id <> '';

-- A phone that is being rung, or that may still ring.
create table phone (
    number     text primary key,
    page       text not null,
    call       text not null,
    gateway    text not null,
    ring_until integer not null,
    until      integer not null -- 0 = held by its call; else it rests until then
) strict;
create index phone_gateway on phone (gateway);

-- Calls to a number within the last hour.
create table rung (
    number text not null,
    call   text not null,
    at     integer not null,
    primary key (number, call)
) strict;

create table trunk (
    name text primary key,
    next integer not null -- when the next call may begin
) strict;

-- A line of a trunk in use.
create table slot (
    call       text not null,
    number     text not null,
    trunk      text not null,
    gateway    text not null,
    ring_until integer not null,
    until      integer not null, -- 0 = held by its call; else until then
    primary key (call, number)
) strict;
create index slot_trunk on slot (trunk);
create index slot_gateway on slot (gateway);

create table message (
    id   integer primary key autoincrement,
    page text not null references page (id) on delete cascade,
    at   integer not null,
    body text not null
) strict;
create index message_page on message (page);

-- The first answer to a request, by its key.
create table seen (
    key    text primary key,
    page   text not null,
    joined integer not null,
    words  text not null,
    at     integer not null
) strict;
create index seen_at on seen (at);

create table audit (
    id      integer primary key autoincrement,
    at      integer not null,
    actor   text not null,
    name    text not null,
    action  text not null,
    page    text not null,
    subject text not null,
    source  text not null,
    detail  text not null
) strict;
create index audit_at on audit (at);
