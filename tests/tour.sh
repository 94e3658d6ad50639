#!/usr/bin/env bash
# tour.sh -- the list of files in src/README.md is made from the first line of each file; this test holds
# them together. `LATHE_GOLDEN=write bash tests/tour.sh` writes the list anew.
set -u
cd "$(dirname "$0")/.." || exit 1
page=src/README.md
rooms="base remote data store nn scan recipe feature model train drift serve deploy command cli tui"

# "/* sniff.c -- what a table looks like: ..." -> what stands behind the dashes, up to the first sentence's end
about() {
    awk 'NR == 1 { sub(/^\/\* *[^ ]+ +-- +/, ""); line = $0; next }
         NR <= 4 && line !~ /[.:] *(\*\/)?$/ { sub(/^ \*\/?/, ""); if ($0 ~ /^ *$/) exit; line = line $0 }
         NR > 4 { exit }
         END { sub(/ *\*\/ *$/, "", line); sub(/[.:;] .*/, "", line); sub(/[.:;] *$/, "", line); print line }' "$1"
}

list() {
    local room file
    for room in $rooms; do
        [ -n "$(ls src/"$room"/*.c src/"$room"/*/*.c 2>/dev/null)" ] || continue
        printf '\n### src/%s\n\n' "$room"
        for file in src/"$room"/*.h src/"$room"/*.c src/"$room"/*/*.h src/"$room"/*/*.c; do
            [ -f "$file" ] && printf -- '- `%s`: %s\n' "${file#src/"$room"/}" "$(about "$file")"
        done
    done
    printf '\n'
}

made=$(mktemp) || exit 1
trap 'rm -f "$made"' EXIT
{
    sed '/<!-- files -->/q' $page
    list
    sed -n '/<!-- end of files -->/,$p' $page
} >"$made"
if [ "${LATHE_GOLDEN:-}" = write ]; then
    cp "$made" $page
elif ! diff -u $page "$made"; then
    echo "src/README.md does not list the files as they are: LATHE_GOLDEN=write bash tests/tour.sh"
    exit 1
fi
# a file without a first line that says what it is would be listed as nothing
! grep -nE '^- `[^`]*`: *$' $page
