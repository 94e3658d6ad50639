#!/usr/bin/env bash
# pretrain.sh -- tabnet with few labels: of California's 13,209 training rows 400 keep their target. Beginning
# with what the others taught it without labels beats beginning from nothing (mean of four seeds, one split,
# test RMSE). Skips without the table.
set -u
program=$1
table=${LATHE_REAL_DATA:-}/california_housing.csv
[ -f "$table" ] || exit 77
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

fail() {
    echo "pretrain.sh: $*" >&2
    exit 1
}
lathe() { "$program" -w ws --plain "$@" || fail "$* failed"; }

lathe ingest "$table" as=housing >log
lathe sql 'select id, longitude, latitude, housing_median_age, total_rooms, total_bedrooms, population,
    households, median_income, ocean_proximity,
    case when id < 13210 and id % 33 <> 0 then null else median_house_value end as value
    from (select h.*, (row_number() over () * 7919) % 20641 as id from housing h)' as=few >log
columns=longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,median_income,ocean_proximity
mean() { # EPOCHS of pre-training: the mean test RMSE
    for seed in 1 2 3 4; do
        lathe train tabnet data=few target=value features=$columns split=64/16/20@id batch=128 epochs=100 \
            lr=0.01 pretrain="$1" seed=$seed 2>"log.$1.$seed" | awk '$1 == "test_rmse" { print $2 }'
    done | awk '{ sum += $1 } END { if (NR != 4) exit 1; print sum / NR }'
}
scratch=$(mean 0) || fail "a run failed"
pretrained=$(mean 30) || fail "a run failed"
echo "400 labels, test RMSE: from nothing $scratch, pre-trained $pretrained"
awk -v a="$scratch" -v b="$pretrained" 'BEGIN { exit !(b < 0.95 * a) }' || fail "pre-training did not help"
