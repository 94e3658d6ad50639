#!/usr/bin/env bash
# no_rows.sh -- tables that have columns and no rows: they come in from CSV, Arrow and Parquet, are shown,
# profiled, cleaned, compared and asked, leave again and come back the same; who needs rows says so in
# one line.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }
must() { # must WHAT COMMAND...
    what=$1
    shift
    "$@" >out 2>stderr || fail "$what: exit $?: $(tail -n 2 stderr)"
}
refused() { # refused WHAT WORDS COMMAND...
    what=$1 words=$2
    shift 2
    "$@" >out 2>stderr
    got=$?
    [ $got = 1 ] || [ $got = 2 ] || fail "$what: exit $got"
    [ "$(wc -l <stderr)" = 1 ] || fail "$what: $(cat stderr)"
    grep -q "$words" stderr || fail "$what: $(cat stderr)"
}
hash_of() { "$lathe" -w ws --json data "$1" | grep -o '"hash": "[0-9a-f]*"' | head -n 1; }

printf 'id,fare,when,paid,who\n' >head.csv
printf 'id,fare,when,paid,who\r\n' >crlf.csv
printf 'id;fare;when;paid;who' >bare.csv
printf 'id,fare,when,paid,who\n1,2.5,2024-01-02 03:04:05,true,ann\n2,3.5,2024-01-03 03:04:05,false,bob\n' >two.csv
gzip -k head.csv
must "a header alone" "$lathe" -w ws ingest head.csv as=none
grep -q . out || fail "ingest says nothing"
for form in crlf.csv bare.csv head.csv.gz; do
    must "$form" "$lathe" -w ws ingest $form as=none_too
    [ "$(hash_of none)" = "$(hash_of none_too)" ] || fail "$form is another table"
done
must "with types" "$lathe" -w ws ingest head.csv as=typed types=id:int,fare:float,when:time,paid:bool
must "show" "$lathe" -w ws --json data typed
grep -q '"rows": 0' out || fail "show: $(cat out)"
grep -q 'timestamp' out || fail "types: $(cat out)"
must "show as text" "$lathe" -w ws data show typed
must "describe" "$lathe" -w ws --json data describe typed
must "frequencies" "$lathe" -w ws --json data freq typed who
must "frequencies of numbers" "$lathe" -w ws --json data freq typed fare
must "correlations" "$lathe" -w ws --json data correlate typed
must "a pivot" "$lathe" -w ws --json data pivot typed rows=who columns=paid value=mean:fare
must "sql" "$lathe" -w ws --json sql 'select count(*) as n, max(fare) as m from typed where who = "ann"'
grep -q '"n": 0' out || fail "sql: $(cat out)"
must "sql, grouped" "$lathe" -w ws --json sql 'select who, avg(fare) from typed group by who order by 2'


# an answer without rows is kept as one, with the types its columns have in their tables
must "two rows" "$lathe" -w ws ingest two.csv as=two types=id:int,fare:float,when:time,paid:bool
must "an empty answer" "$lathe" -w ws --json sql 'select * from two where fare > 100' as=answer
grep -q '"count": 0' out || fail "an empty answer: $(cat out)"
must "its rows" "$lathe" -w ws --json data answer
grep -q '"rows": 0' out && grep -q 'timestamp' out && grep -q 'float' out || fail "its types: $(cat out)"
must "of the answer" "$lathe" -w ws sql 'select fare * 2 as twice, who from answer' as=answer_2
must "as a file" "$lathe" -w ws sql 'select * from answer' out=answer.parquet
must "which comes back" "$lathe" -w ws ingest answer.parquet as=answer_3
[ "$(hash_of answer)" = "$(hash_of answer_3)" ] || fail "the answer comes back as another table"

# a table of which a rule leaves nothing is the same as one that had nothing
must "two rows" "$lathe" -w ws ingest two.csv as=two types=id:int,fare:float,when:time,paid:bool
printf 'drop id > 0\n' >all.recipe
must "a rule that drops all" "$lathe" -w ws clean two recipe=all.recipe as=left
[ "$(hash_of left)" = "$(hash_of typed)" ] || fail "what a rule left is another table"
printf 'drop missing fare\nimpute who mode\nderive hour = hour(`when`)\nclip fare 0 3\ndedupe on id\nreplace who "ann" "x"\ndrop outliers fare iqr 3\nexpect fare > 0\n' >rules.recipe
must "rules on nothing" "$lathe" -w ws clean typed recipe=rules.recipe as=cleaned
must "the same, dry" "$lathe" -w ws clean typed recipe=rules.recipe dry=yes

for pair in "two typed" "typed two" "typed left" "none typed"; do
    # shellcheck disable=SC2086
    must "diff $pair" "$lathe" -w ws --json data diff $pair
    # shellcheck disable=SC2086
    must "diff $pair by key" "$lathe" -w ws --json data diff $pair key=id
done

for form in csv arrow arrows parquet; do
    must "export as $form" "$lathe" -w ws export typed out=typed.$form
    case $form in csv) types=types=id:int,fare:float,when:time,paid:bool ;; *) types= ;; esac
    # shellcheck disable=SC2086
    must "$form comes back" "$lathe" -w ws ingest typed.$form as=back_$form $types
    [ "$(hash_of typed)" = "$(hash_of back_$form)" ] || fail "$form comes back as another table"
done
must "export of some columns" "$lathe" -w ws export typed out=some.parquet columns=who,fare where='fare > 1'
cp typed.csv part1.csv
cp two.csv part2.csv
must "files with and without rows" "$lathe" -w ws ingest 'part*.csv' as=parts
[ "$("$lathe" -w ws --json sql 'select sum(fare) as s from parts' | grep -c '6')" -ge 1 ] || fail "parts: $(cat out)"

for family in linear mlp gbdt; do
    refused "train $family" 'has no rows' "$lathe" -w ws train $family data=typed target=fare
done
awk 'BEGIN { print "id,fare,when,paid,who"; for (i = 0; i < 200; i++) print i "," i / 7 ",2024-01-02 03:04:05,true,ann" }' >many.csv
must "rows" "$lathe" -w ws ingest many.csv as=many types=id:int,fare:float,when:time,paid:bool
must "training on rows" "$lathe" -w ws train linear data=many target=fare features=id epochs=1
must "predict nothing" "$lathe" -w ws predict last head.csv out=p.csv
[ "$(wc -l <p.csv)" = 1 ] || fail "predictions of nothing: $(cat p.csv)"
must "predict an empty dataset" "$lathe" -w ws predict last typed out=p.csv
refused "drift" 'no rows' "$lathe" -w ws drift two typed

: >empty.csv
refused "an empty file" 'is empty' "$lathe" -w ws ingest empty.csv as=x
printf '\n\n' >blank.csv
refused "blank lines" 'no table' "$lathe" -w ws ingest blank.csv as=x
printf 'a\nx\ny\n' >bad.csv
refused "bad rows alone" 'reject' "$lathe" -w ws ingest bad.csv as=x types=a:int reject_limit=1
must "doctor" "$lathe" -w ws --json doctor verify=yes
grep -q '"health": "whole"' out || fail "doctor: $(cat out)"
[ "$failures" = 0 ] && echo "tables without rows: all as expected"
exit $((failures > 0))
