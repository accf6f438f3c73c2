-- The ledger as versions before migrations wrote it (SQLAlchemy's create_all on SQLite), with two deliveries.
create table delivery (
    delivery_id varchar not null primary key, delivery_seq integer not null unique, partner_id varchar not null,
    feed_id varchar not null, mapping varchar not null, mode varchar not null, file_name varchar not null,
    sha256 varchar not null, size_bytes integer not null, received_at timestamp not null, status varchar not null,
    records_read integer not null, rows_in integer not null, rows_accepted integer not null,
    rows_quarantined integer not null, rows_refused integer not null, rows_not_applicable integer not null,
    findings json not null, periods json not null, fingerprint varchar not null, receipt varchar,
    is_finished boolean not null, withdrawn_at timestamp
);
create index ix_delivery_partner_id on delivery (partner_id);
create index ix_delivery_feed_id on delivery (feed_id);
create index ix_delivery_sha256 on delivery (sha256);
create table delivery_event (
    event_n integer not null primary key, delivery_id varchar not null references delivery (delivery_id),
    at timestamp not null, kind varchar not null
);
create index ix_delivery_event_delivery_id on delivery_event (delivery_id);
create table lake_file (
    path varchar not null primary key, delivery_id varchar not null references delivery (delivery_id),
    period varchar not null, rows integer not null, sha256 varchar not null
);
create index ix_lake_file_delivery_id on lake_file (delivery_id);
insert into delivery values
    ('a1', 1, 'oak', 'k12_enrollment', 'students', 'full_snapshot', 'one.csv', 'aa', 10, '2024-01-02 03:04:05', 'accepted',
     3, 3, 2, 1, 0, 0, '[{"code": "late_exit"}]', '{"2024": 2}', 'f', null, true, null),
    ('a2', 2, 'oak', 'k12_enrollment', 'students', 'full_snapshot', 'two.csv', 'bb', 10, '2024-02-02 03:04:05', 'accepted',
     2, 2, 2, 0, 0, 0, '[]', '{"2024": 2}', 'f', null, true, '2024-03-01 00:00:00');
insert into delivery_event values (1, 'a2', '2024-03-01 00:00:00', 'withdrawn');
insert into lake_file values ('lake/a1.parquet', 'a1', '2024', 2, 'cc'), ('lake/a2.parquet', 'a2', '2024', 2, 'dd');
