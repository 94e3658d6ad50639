/* drift_choose.c -- which two datasets are compared, and comparing them. */
#include "drift_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Proposed: the dataset of the newest run (or the oldest dataset) against the newest other one. */
const DatasetRow *drift_reference(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *row = *s->reference ? snapshot_dataset(snap, s->reference) : NULL;
    if (!row && snap->runs)
        row = snapshot_dataset(snap, snap->run[0].dataset);
    if (!row && snap->datasets)
        row = &snap->dataset[snap->datasets - 1];
    return row;
}

/* Of two months cleaned alike, the one with the same columns is the better guess; a table of quite
 * other columns is none. */
const DatasetRow *drift_current(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = drift_reference(s), *best = NULL;
    if (*s->current)
        return snapshot_dataset(snap, s->current);
    for (size_t i = 0; reference && i < snap->datasets; i++) {
        const DatasetRow *row = &snap->dataset[i];
        if (strcmp(row->hash, reference->hash) == 0 || strcmp(row->parent, reference->hash) == 0 ||
            strcmp(reference->parent, row->hash) == 0 || llabs(row->columns - reference->columns) > 4)
            continue;
        if (!best || (best->columns != reference->columns && row->columns == reference->columns))
            best = row;
    }
    return best;
}

const char *drift_name(const DriftState *s, const char *hash)
{
    const DatasetRow *row = snapshot_dataset(ui_snapshot(s->ui), hash);
    return row ? row->name : hash;
}

/* The new report is in the snapshot soon; the pane shows it, so the result itself is not. */
static void done_comparing(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    else
        ui_say(ui, STYLE_INFO, "%lld columns drifted",
               (long long)json_integer_value(json_object_get(result, "drifted_columns")));
    ui_refresh(ui);
}

void drift_compare(DriftState *s, const char *more)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = drift_reference(s), *current = drift_current(s);
    char line[512];
    if (!current && *more)
        current = reference;
    if (!reference || !current)
        return;
    snprintf(line, sizeof line, "drift %s %s %s", reference->hash, current->hash, more);
    for (size_t i = 0; i < snap->runs; i++) {
        const RunRow *run = &snap->run[i];
        if (run->status != RUN_FINISHED || strcmp(run->dataset, reference->hash) != 0)
            continue;
        snprintf(line + strlen(line), sizeof line - strlen(line), " run=%lld \"target=%s\"",
                 (long long)run->id, run->target);
        break;
    }
    s->report_at = 0;
    ui_command(s->ui, line, s, done_comparing);
}

static void picked(DriftState *s, size_t item, char out[65])
{
    const Snapshot *snap = ui_snapshot(s->ui);
    if (item < snap->datasets)
        snprintf(out, 65, "%s", snap->dataset[item].hash);
    ui_draw(s->ui);
}

static void reference_picked(void *owner, size_t item, Ui *ui)
{
    (void)ui;
    picked(owner, item, ((DriftState *)owner)->reference);
}

static void current_picked(void *owner, size_t item, Ui *ui)
{
    (void)ui;
    picked(owner, item, ((DriftState *)owner)->current);
}

static void choose(DriftState *s, const char *title, void (*done)(void *, size_t, Ui *))
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Arena arena = {0};
    MenuItem *items = ARENA_NEW(&arena, MenuItem, snap->datasets + 1);
    for (size_t i = 0; i < snap->datasets; i++)
        items[i] = (MenuItem){.label = snap->dataset[i].name,
                              .note = arena_printf(&arena, "%lld rows  %.8s",
                                                   (long long)snap->dataset[i].rows,
                                                   snap->dataset[i].hash)};
    ui_menu(s->ui, title, items, snap->datasets, 0, done, s);
    arena_release(&arena);
}

void drift_choose_reference(DriftState *s)
{
    choose(s, "Reference: what a model learnt from", reference_picked);
}

void drift_choose_current(DriftState *s)
{
    choose(s, "Current: what to judge", current_picked);
}
