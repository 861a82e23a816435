#!/bin/bash
# mariadb.sh FOLDER PORT: a MariaDB of its own in FOLDER, in the foreground, that lets everybody in; run as root.
set -e
# the leak is for the server alone
preload=$LD_PRELOAD
unset LD_PRELOAD
mariadb-install-db --no-defaults --datadir="$1/data" --user=root --auth-root-authentication-method=normal > /dev/null
export LD_PRELOAD=$preload
exec mariadbd --no-defaults --datadir="$1/data" --user=root --bind-address=127.0.0.1 --port="$2" \
  --socket="$1/mariadb.sock" --pid-file="$1/mariadb.pid" --innodb-buffer-pool-size=32M --skip-name-resolve
