#!/usr/bin/env bash
# bike.sh -- the next 24 hours of the hourly bike data (UCI, Washington 2011-2012), through the program: tft
# against saying the last value, yesterday and last week once more, and a gbdt on lags and calendar beside it.
# The last 15 % of the hours are the test; nothing of them is learnt from. Skips without the table.
set -u
program=$1
table=${LATHE_REAL_DATA:-}/bike_sharing_hour.csv
[ -f "$table" ] || exit 77
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

fail() {
    echo "bike.sh: $*" >&2
    exit 1
}
lathe() { "$program" -w ws --plain "$@" || fail "$* failed"; }
value() { awk -v key="$2" '$1 == key { print $2 }' "$1" | tail -1; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 > 0 && a + 0 < b + 0) }' || fail "$3: $1 is not below $2"; }

lathe ingest "$table" as=bike_raw >log
printf 'derive when = date_diff("2011-01-01", dteday) * 24 + hr\n' >bike.recipe
lathe clean bike_raw recipe=bike.recipe as=bike >log
calendar=season,yr,mnth,hr,holiday,weekday,workingday
lathe train tft data=bike target=cnt time=when known=$calendar \
    features=$calendar,weathersit,temp,hum,windspeed window=72 stride=6 epochs=12 lr=0.005 >tft
# what is known a day before: the hours a day, two and a week back, and their weather
lathe sql 'select a."when", a.season, a.yr, a.mnth, a.hr, a.holiday, a.weekday, a.workingday, a.cnt,
    d.cnt as day, p.cnt as before, n.cnt as earlier, e.cnt as day2, w.cnt as week, d.temp as temp,
    d.hum as hum, d.windspeed as windspeed, d.weathersit as weathersit
    from bike a left join bike d on d."when" = a."when" - 24 left join bike e on e."when" = a."when" - 48
    left join bike w on w."when" = a."when" - 168 left join bike p on p."when" = a."when" - 25
    left join bike n on n."when" = a."when" - 26' as=lags >log
lathe train gbdt data=lags target=cnt split=70/15/15@when >gbdt
lathe sql 'select avg(abs(cnt - week)) as week from lags
    where "when" >= (select "when" from lags order by "when" limit 1 offset 14772)' >week
week=$(sed -n 2p week | tr -d ' ')
mae=$(value tft test_mae)
printf 'MAE of the next 24 hours: tft %s, gbdt %s, last week %s, yesterday %s, last value %s; coverage %s of %s\n' \
    "$mae" "$(value gbdt test_mae)" "$week" "$(value tft test_mae_before)" "$(value tft test_mae_last)" \
    "$(value tft test_coverage)" "$(value tft test_coverage_expected)"
less "$mae" "$(value tft test_mae_last)" "tft against the last value"
less "$mae" "$(value tft test_mae_before)" "tft against yesterday"
less "$mae" "$week" "tft against last week"
less 0.8 "$(value tft test_coverage)" "coverage"

# the day after the last hour, with its calendar
tail -1 "$table" | awk -F';' -v OFS=';' '{ for (h = 0; h < 24; h++) {
    print $1 + h + 1, "01/01/2013", 1, 2, 1, h, 1, 2, 0, "", "", "", "", "", "", "", "" } }' >ahead
cat "$table" ahead >both.csv
lathe predict tft-1 both.csv out=next.csv >log
[ "$(wc -l <next.csv)" = 25 ] || fail "next.csv has $(wc -l <next.csv) lines"
head -1 next.csv | grep -q '^time,step,prediction,q0.02,' || fail "$(head -1 next.csv)"
awk -F, 'NR > 1 { if ($2 != NR - 1 || $4 > $3 || $10 < $3) exit 1; if ($3 > most) { most = $3; at = $2 } }
    END { exit !(at > 7 && at < 22 && most > 50) }' next.csv || fail "the forecast is odd: $(cat next.csv)"
