/* deploy_tables.c -- the lists of the Deploy pane: deployments, model versions, checks of gates, the audit. */
#include "deploy_int.h"

#include <math.h>
#include <string.h>

static void add_time(int64_t micros, Text *into)
{
    Text whole = {0};
    time_format(micros - micros % 1000000, &whole);
    text_puts(into,
              whole.count > 5 ? text_str(&whole) + 5 : text_str(&whole)); /* the year is known */
    text_release(&whole);
}

static void add_ms(double seconds, Text *into)
{
    if (isfinite(seconds))
        text_printf(into, seconds < 0.01 ? "%.2f" : "%.0f", seconds * 1e3);
}

/* ---- deployments ------------------------------------------------------------------------------------------------ */

enum {
    LIST_NAME,
    LIST_STATE,
    LIST_MODEL,
    LIST_CANDIDATE,
    LIST_PERCENT,
    LIST_RATE,
    LIST_P99,
    LIST_ERRORS,
    LIST_COUNT
};
static const TableColumn list_columns[LIST_COUNT] = {
    [LIST_NAME] = {.title = "Deployment", .width = 12},
    [LIST_STATE] = {.title = "State", .width = 7},
    [LIST_MODEL] = {.title = "Model", .width = 11},
    [LIST_CANDIDATE] = {.title = "Candidate", .width = 11},
    [LIST_PERCENT] = {.title = "%", .width = 3, .align = ALIGN_RIGHT},
    [LIST_RATE] = {.title = "req/min", .width = 7, .align = ALIGN_RIGHT},
    [LIST_P99] = {.title = "p99 ms", .width = 6, .align = ALIGN_RIGHT},
    [LIST_ERRORS] = {.title = "Errors", .width = 6, .align = ALIGN_RIGHT},
};

static Style state_style(const char *state)
{
    return text_equal(state, "live")      ? STYLE_GOOD
           : text_equal(state, "stopped") ? STYLE_BAD
                                          : STYLE_WARN;
}

static void list_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DeployState *s = context;
    const DeploymentRow *d = &s->view->row[row];
    const DeployMinute *t = &s->view->traffic[row];
    switch (column) {
    case LIST_NAME:
        text_puts(out->text, d->name);
        out->style = STYLE_STRONG;
        break;
    case LIST_STATE:
        text_puts(out->text, d->state);
        out->style = state_style(d->state);
        break;
    case LIST_MODEL:
        deploy_model_name(s, d->model, out->text);
        break;
    case LIST_CANDIDATE:
        deploy_model_name(s, d->candidate, out->text);
        out->style = STYLE_DIM;
        break;
    case LIST_PERCENT:
        if (d->percent > 0)
            text_printf(out->text, "%.3g", d->percent);
        out->style = STYLE_NUMBER;
        break;
    case LIST_RATE:
        text_add_count(out->text, (double)t->requests);
        out->style = STYLE_NUMBER;
        break;
    case LIST_P99:
        add_ms(t->p99, out->text);
        out->style = STYLE_NUMBER;
        break;
    default:
        text_printf(out->text, "%lld", (long long)t->errors);
        out->style = t->errors ? STYLE_BAD : STYLE_DIM;
    }
}

/* ---- models ---------------------------------------------------------------------------------------------------------- */

enum { MODEL_NAME, MODEL_ALIAS, MODEL_FAMILY, MODEL_TARGET, MODEL_RUN, MODEL_MADE, MODEL_COUNT };
static const TableColumn model_columns[MODEL_COUNT] = {
    [MODEL_NAME] = {.title = "Model", .width = 14},
    [MODEL_ALIAS] = {.title = "Aliases", .width = 14},
    [MODEL_FAMILY] = {.title = "Family", .width = 8},
    [MODEL_TARGET] = {.title = "Target", .width = 12},
    [MODEL_RUN] = {.title = "Run", .width = 5, .align = ALIGN_RIGHT},
    [MODEL_MADE] = {.title = "Made", .width = 14, .stretch = true},
};

static void model_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DeployState *s = context;
    const Snapshot *snap = ui_snapshot(s->ui);
    const ModelRow *m = &snap->model[row];
    const RunRow *run = snapshot_run(snap, m->run);
    switch (column) {
    case MODEL_NAME:
        text_printf(out->text, "%s/%lld", m->name, (long long)m->version);
        out->style = STYLE_STRONG;
        break;
    case MODEL_ALIAS:
        text_puts(out->text, m->alias);
        out->style = STYLE_ACCENT;
        break;
    case MODEL_FAMILY:
        text_puts(out->text, run ? run->family : "");
        break;
    case MODEL_TARGET:
        text_puts(out->text, run ? run->target : "");
        out->style = STYLE_ROLE_TARGET;
        break;
    case MODEL_RUN:
        text_printf(out->text, "%lld", (long long)m->run);
        out->style = STYLE_NUMBER;
        break;
    default:
        add_time(m->created, out->text);
        out->style = STYLE_TIME;
    }
}

/* ---- checks ------------------------------------------------------------------------------------------------------------ */

enum {
    CHECK_RULE,
    CHECK_PASSED,
    CHECK_VALUE,
    CHECK_OTHER,
    CHECK_P,
    CHECK_MODEL,
    CHECK_TIME,
    CHECK_NOTE,
    CHECK_COUNT
};
static const TableColumn check_columns[CHECK_COUNT] = {
    [CHECK_RULE] = {.title = "Rule", .width = 22},
    [CHECK_PASSED] = {.title = "Passed", .width = 6},
    [CHECK_VALUE] = {.title = "Value", .width = 9, .align = ALIGN_RIGHT},
    [CHECK_OTHER] = {.title = "Incumbent", .width = 9, .align = ALIGN_RIGHT},
    [CHECK_P] = {.title = "p", .width = 7, .align = ALIGN_RIGHT},
    [CHECK_MODEL] = {.title = "Model", .width = 12},
    [CHECK_TIME] = {.title = "When", .width = 14},
    [CHECK_NOTE] = {.title = "Note", .width = 10, .stretch = true},
};

static void add_real(double v, Text *into)
{
    if (isfinite(v))
        text_printf(into, "%.4g", v);
}

static void add_share(double v, Text *into)
{
    if (isfinite(v))
        text_printf(into, v < 0.001 ? "%.0e" : "%.3f", v);
}

static void check_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DeployState *s = context;
    const GateCheckRow *k = &s->view->check[row];
    out->style = STYLE_NUMBER;
    switch (column) {
    case CHECK_RULE:
        text_puts(out->text, k->rule);
        out->style = STYLE_PLAIN;
        break;
    case CHECK_PASSED:
        text_puts(out->text, k->passed ? "yes" : "no");
        out->style = k->passed ? STYLE_GOOD : STYLE_BAD;
        break;
    case CHECK_VALUE:
        add_real(k->value, out->text);
        break;
    case CHECK_OTHER:
        add_real(k->other, out->text);
        break;
    case CHECK_P:
        add_share(k->p, out->text);
        break;
    case CHECK_MODEL:
        deploy_model_name(s, k->model, out->text);
        out->style = STYLE_PLAIN;
        break;
    case CHECK_TIME:
        add_time(k->time, out->text);
        out->style = STYLE_TIME;
        break;
    default:
        text_puts(out->text, k->note);
        out->style = STYLE_DIM;
    }
}

/* ---- audit --------------------------------------------------------------------------------------------------------------- */

enum { AUDIT_TIME, AUDIT_ACTOR, AUDIT_WHAT, AUDIT_SUBJECT, AUDIT_TEXT, AUDIT_COUNT };
static const TableColumn audit_columns[AUDIT_COUNT] = {
    [AUDIT_TIME] = {.title = "When", .width = 14},
    [AUDIT_ACTOR] = {.title = "Who", .width = 10},
    [AUDIT_WHAT] = {.title = "What", .width = 9},
    [AUDIT_SUBJECT] = {.title = "Of what", .width = 20},
    [AUDIT_TEXT] = {.title = "", .name = "text", .width = 20, .stretch = true},
};

static void audit_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DeployState *s = context;
    const AuditRow *a = &s->view->audit[row];
    switch (column) {
    case AUDIT_TIME:
        add_time(a->time, out->text);
        out->style = STYLE_TIME;
        break;
    case AUDIT_ACTOR:
        text_puts(out->text, a->actor);
        break;
    case AUDIT_WHAT:
        text_puts(out->text, a->what);
        out->style = STYLE_STRONG;
        break;
    case AUDIT_SUBJECT:
        text_puts(out->text, a->subject);
        break;
    default:
        text_puts(out->text, a->text);
        out->style = STYLE_DIM;
    }
}

TableSource deploy_table(const DeployState *s, DeployPart part)
{
    const DeployView *v = s->view;
    switch (part) {
    case DEPLOY_MODELS:
        return (TableSource){.context = s,
                             .rows = ui_snapshot(s->ui)->models,
                             .columns = MODEL_COUNT,
                             .column = model_columns,
                             .cell = model_cell,
                             .empty = "No model yet: a finished run makes one (4 Train)."};
    case DEPLOY_CHECKS:
        return (TableSource){.context = s,
                             .rows = v ? v->checks : 0,
                             .columns = CHECK_COUNT,
                             .column = check_columns,
                             .cell = check_cell,
                             .empty = "Nothing was checked yet: lathe gate, or v on a roll-out."};
    case DEPLOY_AUDIT:
        return (TableSource){.context = s,
                             .rows = v ? v->audits : 0,
                             .columns = AUDIT_COUNT,
                             .column = audit_columns,
                             .cell = audit_cell,
                             .empty = "Nothing was done yet."};
    default:
        return (TableSource){
            .context = s,
            .rows = v ? v->rows : 0,
            .columns = LIST_COUNT,
            .column = list_columns,
            .cell = list_cell,
            .empty = "No deployment yet: a makes one of a model; it answers with lathe serve."};
    }
}
