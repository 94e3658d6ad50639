#!/usr/bin/env bash
# architecture.sh -- the shape of the house: includes only go down, headers stand alone, the top
# level holds only what DESIGN names. Before it looks at the house it proves, on bad examples in a
# temporary folder, that each rule can fail.
set -u
LC_ALL=C

# Rooms by floor, from the ground up. Rooms of one line do not know each other.
floors="base
remote
store data nn
scan
recipe
feature
model
train drift
serve
deploy
command
cli tui"
top_level=" src include tests themes sample-data man CMakeLists.txt README.md LICENSE start check "

declare -A floor
number=0
while read -r rooms; do
    for room in $rooms; do floor[$room]=$number; done
    number=$((number + 1))
done <<<"$floors"

# includes_go_down ROOT: prints each include that does not, as FILE:LINE: why.
includes_go_down() {
    local root=$1 file room line what target
    while IFS= read -r file; do
        case $file in
        include/lathe/*) room=$(basename "$file" .h) ;;
        *) room=${file#src/} room=${room%%/*} ;;
        esac
        if [ -z "${floor[$room]:-}" ]; then
            echo "$file: '$room' is not a room"
            continue
        fi
        while IFS=: read -r line what; do
            case $what in
            *'<lathe/'*)
                target=${what#*<lathe/} target=${target%%.h>*}
                if [ -z "${floor[$target]:-}" ]; then
                    echo "$file:$line: <lathe/$target.h> is not the header of a room"
                elif [ "$target" != "$room" ] && [ "${floor[$target]}" -ge "${floor[$room]}" ]; then
                    echo "$file:$line: $room may not know $target, which stands on floor ${floor[$target]}"
                fi
                ;;
            *'"'*)
                target=${what#*\"} target=${target%%\"*}
                [ "$room/$target" = cli/tui/tui.h ] && continue # main opens the workbench: the one door
                case $target in
                */*) # from src/: only within the room; ../ only from panes to their own room
                    [ "${target%%/*}" = "$room" ] && continue
                    [[ $file == src/*/*/* && $target == ../* && ${target#../} != */* ]] && continue
                    [ -e "$root/$(dirname "$file")/$target" ] && [[ $target != *..* ]] && continue
                    echo "$file:$line: \"$target\" is in another room; use its <lathe/...> header"
                    ;;
                *)
                    [ -e "$root/$(dirname "$file")/$target" ] ||
                        echo "$file:$line: \"$target\" is not in this room"
                    ;;
                esac
                ;;
            esac
        done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*("|<lathe/)' "$root/$file" | tr -d '\r')
    done < <(cd "$root" && find src include -name '*.[ch]' 2>/dev/null | sort)
}

# headers_stand_alone ROOT: prints what the compiler says about a header on its own.
headers_stand_alone() {
    local root=$1 header flags
    flags=$(pkg-config --cflags ncursesw readline openblas sqlite3 2>/dev/null)
    while IFS= read -r header; do
        # shellcheck disable=SC2086 # the flags are words
        printf '#include "%s"\n' "$root/$header" |
            ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-psabi -fsyntax-only $flags \
                -I "$root/include" -I "$root/src" -xc - 2>&1 | grep -m 3 -E 'error' |
            sed "s|^|$header does not compile alone: |"
    done < <(cd "$root" && find include src -name '*.h' 2>/dev/null | sort)
}

# top_level_names ROOT: prints names that have no place there.
top_level_names() {
    local name
    while IFS= read -r name; do
        case $name in
        .* | build | build-*) continue ;;
        esac
        [[ $top_level == *" $name "* ]] || echo "$name: not a name for the top level"
    done < <(ls -A "$1")
}

# ---- the proof that the rules can fail --------------------------------------------------------

proof=$(mktemp -d) || exit 1
trap 'rm -rf "$proof"' EXIT
failed=0

# catches RULE FILE TEXT: the rule must complain about a house that holds this one file.
catches() {
    rm -rf "$proof/house"
    mkdir -p "$proof/house/$(dirname "$2")" "$proof/house/include/lathe" "$proof/house/src/data"
    touch "$proof/house/include/lathe/base.h" "$proof/house/include/lathe/model.h" \
        "$proof/house/include/lathe/store.h" "$proof/house/src/data/data_int.h"
    printf '%s\n' "$3" >"$proof/house/$2"
    if [ -z "$($1 "$proof/house")" ]; then
        echo "architecture.sh itself: $1 does not see that $2 must not hold: $3"
        failed=1
    fi
}

catches includes_go_down src/data/a.c '#include <lathe/model.h>'
catches includes_go_down src/data/a.c '#include <lathe/store.h>'
catches includes_go_down src/data/a.c '  #  include <lathe/nowhere.h>'
catches includes_go_down src/store/a.c '#include "data/data_int.h"'
catches includes_go_down src/store/a.c '#include "../data/data_int.h"'
catches includes_go_down src/store/a.c '#include "data_int.h"'
catches includes_go_down src/cellar/a.c 'int x;'
catches includes_go_down include/lathe/base.h '#include <lathe/model.h>'
catches includes_go_down src/tui/panes/a.c '#include "../../data/data_int.h"'
catches headers_stand_alone include/lathe/nn.h 'size_t nobody_told_me_size_t(void);'
catches headers_stand_alone src/data/more.h 'extern Unknown x;'
catches top_level_names notes.txt 'x'
catches top_level_names utils/a.c 'int x;'

# And what is right must pass.
for right in 'src/model/a.c|#include <lathe/base.h>' 'src/data/a.c|#include "data_int.h"' \
    'src/data/a.c|#include "data/data_int.h"' 'src/data/a.c|#include <string.h>' \
    'src/cli/main.c|#include "tui/tui.h"'; do
    rm -rf "$proof/house"
    mkdir -p "$proof/house/$(dirname "${right%%|*}")" "$proof/house/src/data"
    touch "$proof/house/src/data/data_int.h"
    printf '%s\n' "${right#*|}" >"$proof/house/${right%%|*}"
    said=$(includes_go_down "$proof/house"; top_level_names "$proof/house")
    [ -z "$said" ] || { echo "architecture.sh itself: forbids what is right: $said"; failed=1; }
done

# ---- the house --------------------------------------------------------------------------------

house=$(cd "$(dirname "$0")/.." && pwd)
for rule in includes_go_down headers_stand_alone top_level_names; do
    said=$($rule "$house")
    [ -z "$said" ] || { echo "$said"; failed=1; }
done
[ $failed = 0 ] && echo "the house stands: includes go down, headers stand alone, the top level is in order"
exit $failed
