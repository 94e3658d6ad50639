/* drift_choose.c -- which two datasets are compared, and comparing them. */
#include "drift_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Proposed: the dataset of the newest run, or the oldest one; not the one that was chosen to be judged. */
const DatasetRow *drift_reference(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *row = *s->reference ? snapshot_dataset(snap, s->reference) : NULL;
    if (row)
        return row;
    row = snap->runs ? snapshot_dataset(snap, snap->run[0].dataset) : NULL;
    for (size_t i = snap->datasets; (!row || text_equal(row->hash, s->current)) && i-- > 0;)
        row = &snap->dataset[i];
    return row;
}

/* Of two months cleaned alike, the one with the same columns is the better guess; a table of quite
 * other columns is none. */
const DatasetRow *drift_current(const DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = drift_reference(s), *best = NULL;
    if (*s->current && snapshot_dataset(snap, s->current))
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

const char *drift_cannot(const DriftState *s)
{
    const DatasetRow *reference = drift_reference(s), *current = drift_current(s);
    if (ui_snapshot(s->ui)->datasets < 2)
        return "two datasets are needed; : ingest PATH as=NAME adds one, X compares the chunks of one";
    if (!reference || !current)
        return "no other dataset has columns like these; c chooses what to judge";
    if (text_equal(reference->hash, current->hash))
        return "both are the same dataset; c chooses another, X compares its chunks";
    return NULL;
}

const char *drift_name(const DriftState *s, const char *hash)
{
    const DatasetRow *row = snapshot_dataset(ui_snapshot(s->ui), hash);
    return row ? row->name : hash;
}

static void say_drifted(Ui *ui, json_int_t drifted, size_t columns)
{
    ui_say(ui, drifted ? STYLE_WARN : STYLE_GOOD, "%lld of %zu columns drifted", (long long)drifted, columns);
}

/* The new report is in the snapshot soon; the pane shows it, so the result itself is not. */
static void done_comparing(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    ((DriftState *)owner)->comparing--;
    if (!result)
        ui_error(ui, err);
    else
        say_drifted(ui, json_integer_value(json_object_get(result, "drifted_columns")),
                    json_array_size(json_object_get(result, "columns")));
    ui_refresh(ui);
}

void drift_compare(DriftState *s, const char *more)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const DatasetRow *reference = drift_reference(s), *current = drift_current(s);
    char line[512], title[80];
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
    snprintf(title, sizeof title, "drift %.30s to %.30s", reference->name, current->name);
    s->comparing++;
    ui_command_titled(s->ui, title, line, s, done_comparing);
}

static void picked(DriftState *s, size_t item, char out[65])
{
    snprintf(out, 65, "%s", s->offered[item]);
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

/* All but the one on the other side: a dataset has not drifted from itself. */
static void choose(DriftState *s, const char *title, const DatasetRow *other, void (*done)(void *, size_t, Ui *))
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Arena arena = {0};
    MenuItem *items = ARENA_NEW(&arena, MenuItem, snap->datasets + 1);
    size_t n = 0;
    mem_free(s->offered);
    s->offered = mem_alloc((snap->datasets + 1) * sizeof *s->offered);
    for (size_t i = 0; i < snap->datasets; i++) {
        const DatasetRow *row = &snap->dataset[i];
        if (other && text_equal(row->hash, other->hash))
            continue;
        snprintf(s->offered[n], sizeof s->offered[n], "%s", row->hash);
        Text rows = {0};
        text_add_count(&rows, (double)row->rows);
        items[n++] = (MenuItem){.label = row->name,
                                .note = arena_printf(&arena, "%s rows  %.8s", text_str(&rows), row->hash)};
        text_release(&rows);
    }
    ui_menu(s->ui, title, items, n, 0, done, s);
    arena_release(&arena);
}

void drift_choose_reference(DriftState *s)
{
    const DatasetRow *chosen = *s->current ? drift_current(s) : NULL; /* what is only proposed gives way */
    choose(s, "Reference: what a model learnt from", chosen, reference_picked);
}

void drift_choose_current(DriftState *s)
{
    choose(s, "Current: what to judge", drift_reference(s), current_picked);
}

/* ---- for `u` ------------------------------------------------------------------------------------------------- */

/* What is compared next, the order of the columns, the alerts that were seen. */
bool drift_keep(const void *state, Text *into)
{
    const DriftState *s = state;
    text_printf(into, "%s\n%s\n%d %d\n%lld", s->reference, s->current, (int)s->sort, s->sort_chosen, (long long)drift_acknowledged(s->ui));
    return true;
}

bool drift_put(void *state, const char *kept, Ui *ui)
{
    DriftState *s = state;
    char *copy = text_copy(kept), *rest = copy;
    const char *reference = strsep(&rest, "\n"), *current = strsep(&rest, "\n"), *order = strsep(&rest, "\n");
    int sort = 0, chosen = 0;
    snprintf(s->reference, sizeof s->reference, "%s", reference);
    snprintf(s->current, sizeof s->current, "%s", current);
    sscanf(order ? order : "", "%d %d", &sort, &chosen);
    s->sort = (DriftOrder)sort;
    s->sort_chosen = chosen;
    ui_set_setting(ui, "drift-seen", rest ? rest : "0");
    drift_arrange(s);
    mem_free(copy);
    return true;
}
