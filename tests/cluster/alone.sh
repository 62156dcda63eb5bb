#!/usr/bin/env bash
# alone.sh COMMAND...: runs it where there is no network but lo, so that whatever Ray opens is seen by nobody.
#
# All that the command starts ends with it: it is the first process of a namespace of its own. /dev/shm has 64 MB, as in Docker.
set -euo pipefail
export RAY_USAGE_STATS_ENABLED=0
exec unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
  ip link set lo up
  mount -t tmpfs -o size=64m tmpfs /dev/shm
  "$@"
' alone "$@"
