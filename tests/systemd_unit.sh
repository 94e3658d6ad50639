#!/usr/bin/env bash
# systemd_unit.sh -- the unit of man/lathe-serve.7 as a reader would copy it: systemd knows every word of it, as a unit of
# a user, and the command line in it is one that lathe knows. Needs systemd-analyze.
set -u
lathe=$(realpath "$1")
command -v systemd-analyze >/dev/null || exit 77
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home/bin" "$work/home/work" "$work/run"
cp "$lathe" "$work/home/bin/lathe"
sed -n '/^\[Unit\]/,/^WantedBy/p' man/lathe-serve.7 | sed 's/\\-/-/g; s/\\(dq/"/g' >"$work/lathe-serve.service"
export HOME=$work/home XDG_RUNTIME_DIR=$work/run
grep -q '^ExecStart=' "$work/lathe-serve.service" || { echo "there is no unit in man/lathe-serve.7"; exit 1; }

# some containers have no place for a manager: that is theirs, not the unit's
printf '[Service]\nExecStart=/bin/true\n' >"$work/plain.service"
systemd-analyze verify --user "$work/plain.service" >/dev/null 2>&1 || exit 77

said=$(systemd-analyze verify --user "$work/lathe-serve.service" 2>&1) && [ -z "$said" ] || { echo "$said"; exit 1; }
sed 's/^ProtectSystem/ProtectSystm/' "$work/lathe-serve.service" >"$work/slip.service"
systemd-analyze verify --user "$work/slip.service" 2>&1 | grep -q ProtectSystm || { echo "a slip goes unseen"; exit 1; }

# the command of the unit, as far as it goes without the deployment it names
line=$(sed -n "s|^ExecStart=||; s|%h|$HOME|g; /serve deployment/p" "$work/lathe-serve.service")
said=$($line 2>&1)
status=$?
[ $status -ne 0 ] && echo "$said" | grep -qE 'no workspace|no deployment' || { echo "$line: $status: $said"; exit 1; }
