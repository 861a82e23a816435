#!/bin/bash
# postgres.sh FOLDER PORT: a PostgreSQL cluster of its own in FOLDER, in the foreground; run as root.
set -e
export PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"
chown postgres "$1"
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
as_postgres initdb -D "$1/data" -A trust -U postgres --no-sync > /dev/null
exec setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig KILL \
  postgres -D "$1/data" -p "$2" -k "$1" -c shared_buffers=32MB -c fsync=off
