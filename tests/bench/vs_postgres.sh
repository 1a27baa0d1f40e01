#!/usr/bin/env bash
# The peer: PostgreSQL 15 moving money between accounts, unsigned and without proofs, but durable.
#   tests/bench/vs_postgres.sh [--accounts N] [--seconds T]
# A throwaway cluster in a temporary directory, on a Unix socket, with fsync and synchronous_commit on.
# Prints: tps of one stored-procedure call per transfer (balance check, journal row) by 32 clients, and
# transfers/s of one set-based statement that moves 10,000. The file named by LEITHER_FIGURES gets both.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages.sh

accounts=1000000 seconds=30 clients=32
while [ $# -gt 0 ]; do
    case "$1" in
        --accounts) accounts=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        *) echo "usage: tests/bench/vs_postgres.sh [--accounts N] [--seconds T]" >&2; exit 2 ;;
    esac
done

bin=/usr/lib/postgresql/15/bin
[ -x $bin/pgbench ] || require_packages postgresql-15
dir=$(mktemp -d -t leither-postgres-XXXXXX)

# The server refuses to run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
cleanup() {
    as_server $bin/pg_ctl -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap cleanup EXIT
if [ "$(id -u)" -eq 0 ]; then chown postgres "$dir"; fi
cd "$dir"

as_server $bin/initdb -D "$dir/data" -A trust -U bench --no-locale -E UTF8 >/dev/null
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = on
synchronous_commit = on
shared_buffers = 1GB
max_wal_size = 8GB
max_connections = 100
CONF
as_server $bin/pg_ctl -D "$dir/data" -w -l "$dir/server.log" start >/dev/null
sql() { "$bin/psql" -X -q -h "$dir" -U bench -d postgres -v ON_ERROR_STOP=1 "$@"; }

sql <<SQL
create table account (id int primary key, balance bigint not null check (balance >= 0));
create table journal (id bigserial primary key, payer int not null, payee int not null, amount bigint not null,
                      at timestamptz not null default now());
insert into account select g, 1000000 from generate_series(1, $accounts) g;
-- Rows are locked in the order of their ids, so two transfers never deadlock.
create function pay(from_id int, to_id int, units bigint) returns void language plpgsql as \$\$
begin
    perform 1 from account where id in (from_id, to_id) order by id for update;
    update account set balance = balance - units where id = from_id and balance >= units;
    if not found then raise exception 'insufficient balance'; end if;
    update account set balance = balance + units where id = to_id;
    insert into journal (payer, payee, amount) values (from_id, to_id, units);
end \$\$;
vacuum analyze account;
checkpoint;
SQL

cat >"$dir/pay.sql" <<SQL
\\set payer random(1, $accounts)
\\set payee (:payer + random(1, $accounts - 1) - 1) % $accounts + 1
select pay(:payer::int, :payee::int, 1::bigint);
SQL
tps=$("$bin/pgbench" -h "$dir" -U bench -n -M prepared -c $clients -j 2 -T "$seconds" -f "$dir/pay.sql" postgres 2>"$dir/pgbench.log" |
    sed -n 's/^tps = \([0-9.]*\).*/\1/p') || { tail -5 "$dir/pgbench.log" >&2; die "pgbench failed"; }
echo "  PostgreSQL 15, $accounts accounts, $clients clients, one call per transfer: ${tps%.*} transfers/s"

# One statement for 10,000 transfers: the balances, the check (balance >= 0) and the journal.
set_based() {
    sql -c "create temp table move as select 1 + (random() * ($accounts - 1))::int payer,
                1 + (random() * ($accounts - 1))::int payee, 1::bigint amount from generate_series(1, 10000);
            analyze move;" -c '\timing on' -c "
        with delta as (select id, sum(d) d from (select payer id, -amount d from move union all
                                                select payee, amount from move) both_sides group by id),
             moved as (update account a set balance = a.balance + delta.d from delta where a.id = delta.id)
        insert into journal (payer, payee, amount) select payer, payee, amount from move;" |
        sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}
ms=$(for _ in 1 2 3 4 5 6 7 8 9; do set_based; done | sort -n | sed -n 5p)
set_rate=$(awk "BEGIN { printf \"%.0f\", 10000 / ($ms / 1000) }")
echo "  PostgreSQL 15, $accounts accounts, 10,000 transfers in one statement: $set_rate transfers/s (median of 9, $ms ms)"

if [ -n "${LEITHER_FIGURES:-}" ]; then
    for figure in "one call per transfer, $clients clients:$tps" "10,000 transfers in one statement:$set_rate"; do
        printf '{"name": "PostgreSQL 15, %s", "value": %s, "unit": "transfers/s", "command": "%s"}\n' \
            "${figure%:*}" "${figure##*:}" "tests/bench/vs_postgres.sh --accounts $accounts --seconds $seconds" >>"$LEITHER_FIGURES"
    done
fi
