/* deploy.c -- 7 Deploy: which models answer, what is rolled out and how far, who did what; every move by a key. */
#include "deploy_int.h"

enum { MODE_BROWSE = 1, MODE_TYPE = 2 };
enum {
    DEPLOY_NEW = PANE_COMMANDS,
    DEPLOY_MOVE, /* and MOVE_COUNT from here */
    DEPLOY_CHECK = DEPLOY_MOVE + MOVE_COUNT,
    DEPLOY_SETTINGS,
    DEPLOY_ALIAS,
    DEPLOY_REMOVE,
    DEPLOY_MORE,
    DEPLOY_LESS,
    DEPLOY_DEFAULT
};

// clang-format off
static const KeyRow keys[] = {
    {DEPLOY_NEW,                 "new-deployment",    "a", "new",     "a name under which a model answers", 0},
    {DEPLOY_MOVE + MOVE_SHADOW,  "deploy-shadow",     "s", "shadow",  "a candidate answers as well; its answers are compared, never given", 0},
    {DEPLOY_MOVE + MOVE_CANARY,  "deploy-canary",     "c", "canary",  "a candidate has the first step's share of the requests", 0},
    {DEPLOY_MOVE + MOVE_STEP,    "deploy-step",       "t", "step",    "the next step of the plan; after the last it is promoted", 0},
    {DEPLOY_MOVE + MOVE_GREEN,   "deploy-green",      "b", "blue-green", "all requests go to a candidate, the old model stands by", 0},
    {DEPLOY_MOVE + MOVE_PROMOTE, "deploy-promote",    "p", "promote", "the candidate is the model, champion moves to it", 0},
    {DEPLOY_MOVE + MOVE_BACK,    "deploy-back",       "r", "back",    "the model has all requests again; live: the model before", 0},
    {DEPLOY_MOVE + MOVE_STOP,    "deploy-stop",       "x", "stop",    "nothing answers: 503", 0},
    {DEPLOY_MOVE + MOVE_START,   "deploy-start",      "i", "start",   "the model answers again", 0},
    {DEPLOY_CHECK,               "deploy-check",      "v", "check",   "check the roll-out's step now: success rate, latency, the gate's rules", 0},
    {DEPLOY_SETTINGS,            "deploy-settings",   "e", "settings", "the settings of the deployment under the cursor", 0},
    {DEPLOY_ALIAS,               "model-alias",       "m", "alias",   "an alias for the model under the cursor", 0},
    {DEPLOY_REMOVE,              "remove-deployment", "D", NULL,      "remove a stopped deployment", 0},
    {DEPLOY_MORE,                "more-of-setting",   "+", NULL,      "the next larger or next value of the setting", 0},
    {DEPLOY_LESS,                "less-of-setting",   "-", NULL,      "the next smaller or previous value of the setting", 0},
    {DEPLOY_DEFAULT,             "default-setting",   "=", NULL,      "the setting under the cursor back to its default", 0},
    {0}};
// clang-format on

/* ---- state ------------------------------------------------------------------------------------------------------- */

static void create(void *state, Ui *ui)
{
    DeployState *s = state;
    s->ui = ui;
    s->shown = DEPLOY_MODELS;
    params_init(deploy_params, &s->set);
    size_t n = 0;
    while (deploy_params[n].kind != PARAM_KIND_END)
        n++;
    s->field = mem_alloc((n + 1) * sizeof *s->field);
    for (size_t i = 0; i < n; i++)
        s->field[s->fields++] = (FormField){.row = &deploy_params[i], .settings = &s->set};
}

static void destroy(void *state)
{
    DeployState *s = state;
    deploy_view_free(s->view);
    form_release(&s->form);
    params_release(deploy_params, &s->set);
    mem_free(s->field);
    vec_release(&s->choice);
}

static bool tick(void *state, Ui *ui)
{
    DeployState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool stale = s->view && s->view->busy && ui_visible(ui, s) && ui_now(ui) - s->read_at >= 1.0;
    if (snap->number == s->seen && !stale)
        return false;
    s->seen = snap->number;
    deploy_load(s);
    return ui_visible(ui, state);
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    (void)ui;
    deploy_layout(state, rows, cols);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    (void)ui;
    deploy_draw(state, c);
}

static unsigned mode(const void *state)
{
    const DeployState *s = state;
    return s->part == DEPLOY_FORM && s->form.editing ? MODE_TYPE : MODE_BROWSE;
}

/* ---- commands -------------------------------------------------------------------------------------------------------- */

static Reply to_part(DeployState *s, DeployPart part)
{
    s->part = part;
    if (part != DEPLOY_LIST)
        s->shown = part;
    return REPLY_DRAW;
}

static Reply in_form(DeployState *s, int command)
{
    if (!deploy_at(s))
        return REPLY_IGNORED;
    if (command == UI_LEFT || command == UI_RIGHT) {
        if (form_nudge(&s->form, s->field, s->fields, command == UI_RIGHT ? 1 : -1))
            deploy_set(s);
        return REPLY_DRAW;
    }
    Reply reply = form_command(&s->form, s->field, s->fields, command);
    if (command == UI_MARK)
        deploy_set(s);
    return reply;
}

static Reply in_table(DeployState *s, int command)
{
    TableSource src = deploy_table(s, s->part);
    if (command == UI_OPEN && s->part == DEPLOY_LIST && deploy_at(s))
        return to_part(s, DEPLOY_FORM);
    if (command == UI_OPEN && s->part == DEPLOY_MODELS && src.rows) {
        deploy_alias_ask(s);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&s->table[s->part], &src, command);
    if (reply == REPLY_DRAW && s->part == DEPLOY_LIST && deploy_at(s)) {
        s->name[0] = 0; /* the cursor says which from here on */
        deploy_follow(s);
    }
    return reply;
}

static Reply own(DeployState *s, int command)
{
    if (command >= DEPLOY_MOVE && command < DEPLOY_CHECK)
        deploy_move_ask(s, (DeployMove)(command - DEPLOY_MOVE));
    else if (command == DEPLOY_NEW)
        deploy_new_ask(s);
    else if (command == DEPLOY_CHECK)
        deploy_check_ask(s);
    else if (command == DEPLOY_REMOVE)
        deploy_remove_ask(s);
    else if (command == DEPLOY_SETTINGS)
        return to_part(s, DEPLOY_FORM);
    else if (command == DEPLOY_ALIAS && s->part != DEPLOY_MODELS)
        return to_part(s, DEPLOY_MODELS);
    else if (command == DEPLOY_ALIAS)
        deploy_alias_ask(s);
    else if (command == DEPLOY_MORE || command == DEPLOY_LESS)
        return in_form(s, command == DEPLOY_MORE ? UI_RIGHT : UI_LEFT);
    else if (command == DEPLOY_DEFAULT) {
        form_reset(&s->form, s->field, s->fields);
        deploy_set(s);
    }
    return REPLY_DRAW;
}

static Reply copy(DeployState *s, Ui *ui)
{
    TableSource src = deploy_table(s, s->part);
    Text text = {0};
    if (src.rows > s->table[s->part].at) {
        src.cell(s, s->table[s->part].at, 0, &(Cell){.text = &text});
        ui_copy(ui, text_str(&text));
    }
    text_release(&text);
    return REPLY_DRAW;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    DeployState *s = state;
    switch (command) {
    case UI_NEXT_PART:
        return to_part(s, (DeployPart)((s->part + 1) % DEPLOY_PARTS));
    case UI_PREV_PART:
        return to_part(s, (DeployPart)((s->part + DEPLOY_PARTS - 1) % DEPLOY_PARTS));
    case UI_BACK:
        return s->part == DEPLOY_LIST ? REPLY_IGNORED : to_part(s, DEPLOY_LIST);
    case UI_COPY:
        return s->part == DEPLOY_FORM ? REPLY_IGNORED : copy(s, ui);
    }
    if (command >= PANE_COMMANDS)
        return own(s, command);
    return s->part == DEPLOY_FORM ? in_form(s, command) : in_table(s, command);
}

static Reply on_key(void *state, Key key, Ui *ui)
{
    DeployState *s = state;
    bool set = false;
    (void)ui;
    Reply reply = form_key(&s->form, s->field, s->fields, key, &set);
    if (set)
        deploy_set(s);
    return reply;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    DeployState *s = state;
    (void)ui;
    int part = m->id - DEPLOY_ZONES;
    if (part < 0 || part >= DEPLOY_PARTS)
        return REPLY_IGNORED;
    to_part(s, (DeployPart)part);
    if (part == DEPLOY_FORM)
        return form_mouse(&s->form, s->field, s->fields, m);
    TableSource src = deploy_table(s, s->part);
    table_mouse(&s->table[part], &src, m);
    if (part == DEPLOY_LIST) {
        s->name[0] = 0;
        deploy_follow(s);
    }
    return m->kind == MOUSE_DOUBLE ? in_table(s, UI_OPEN) : REPLY_DRAW;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const DeployState *s = state;
    const DeploymentRow *row = deploy_at(s);
    bool models = ui_snapshot(ui)->models > 0;
    if (command < PANE_COMMANDS)
        return NULL;
    if (command == DEPLOY_NEW || command == DEPLOY_ALIAS)
        return models ? NULL : "there is no model yet: a finished run makes one (4 Train)";
    if (command >= DEPLOY_MOVE && command < DEPLOY_CHECK)
        return deploy_why_not(s, (DeployMove)(command - DEPLOY_MOVE));
    if (!row)
        return "there is no deployment yet; a makes one";
    if (command == DEPLOY_CHECK &&
        (text_equal(row->state, "live") || text_equal(row->state, "stopped")))
        return "nothing is rolled out: there is no step to check";
    if (command == DEPLOY_REMOVE && !text_equal(row->state, "stopped"))
        return "it answers: stop it first";
    if ((command == DEPLOY_MORE || command == DEPLOY_LESS || command == DEPLOY_DEFAULT) &&
        s->part != DEPLOY_FORM)
        return "e goes to the settings";
    return NULL;
}

static bool table_shown(const void *state, TableSource *out)
{
    const DeployState *s = state;
    if (s->part == DEPLOY_FORM)
        return false;
    *out = deploy_table(s, s->part);
    return out->rows > 0;
}

/* How many are being rolled out; red when checks fail. */
static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const DeployState *s = state;
    size_t rolling = 0, failing = 0;
    (void)ui;
    for (size_t i = 0; s->view && i < s->view->rows; i++) {
        const DeploymentRow *d = &s->view->row[i];
        rolling += !text_equal(d->state, "live") && !text_equal(d->state, "stopped");
        failing += d->failed > 0;
    }
    if (rolling)
        text_printf(into, "%s%zu", failing ? "!" : "", rolling);
    *style = failing ? STYLE_BAD : STYLE_WARN;
}

const Pane deploy_pane = {
    .name = "deploy",
    .title = "Deploy",
    .about = "models in production: versions, roll-outs step by step, gates, who did what",
    .keys = keys,
    .state_size = sizeof(DeployState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_TYPE,
    .on_key = on_key,
    .table = table_shown,
    .badge = badge,
};
