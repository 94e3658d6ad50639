/* macro.c -- keys written down while they are pressed, and a file of them played back.
 *
 *     # a macro: one step a line
 *     press j j Enter        keys, as `?` names them
 *     type drop missing fare as it is
 *     line train mlp data=trips target=fare      `:` and the line
 *     see 3 rules            wait until it is on the screen; 30 s, or what `patience` said
 *     gone Reading           wait until it is not
 *     wait 0.5               seconds
 *     patience 120           seconds for see and gone from here on
 *     stay                   hand over to the user instead of leaving
 *
 * A recorded macro has press and type alone; see and gone make a journey of it that can fail. */
#include "tui_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS(X) X(PRESS, "press") X(TYPE, "type") X(LINE, "line") X(SEE, "see") X(GONE, "gone") X(WAIT, "wait") \
    X(PATIENCE, "patience") X(STAY, "stay")
#define AS_ENUM(id, name) STEP_##id,
typedef enum StepKind { STEPS(AS_ENUM) STEP_COUNT } StepKind;
#undef AS_ENUM
static const char *const step_names[] = {
#define AS_NAME(id, name) name,
    STEPS(AS_NAME)
#undef AS_NAME
};

#define PATIENCE 30.0
#define IDLE_MOST 20.0 /* seconds that a key waits for work that goes on */

typedef struct Step {
    StepKind kind;
    unsigned long line;
    const char *words; /* in the text */
} Step;

struct Replay {
    char path[400];
    char *text; /* owned; words point into it */
    VEC(Step) step;
    size_t at, byte; /* step, and how far in its words */
    double since, until, patience;
    bool stay, program; /* program: `lathe replay`, which leaves at the end */
};

/* ---- recording --------------------------------------------------------------------------------------- */

static bool typing(const Ui *ui)
{
    return ui->overlay ? ui->overlay->kind->text : pane_text_mode(ui_pane(ui), ui->state[ui->at]);
}

static void flush_typed(Recording *r)
{
    if (r->typed.count)
        text_printf(&r->text, "type %s\n", text_str(&r->typed));
    if (r->pressed.count)
        text_printf(&r->text, "press%s\n", text_str(&r->pressed));
    text_reset(&r->typed);
    text_reset(&r->pressed);
}

void macro_note(Ui *ui, Key key)
{
    Recording *r = &ui->recording;
    if (!r->on)
        return;
    bool text = typing(ui) && key_is_text(key);
    if (text ? r->pressed.count : r->typed.count)
        flush_typed(r);
    if (text && key == ' ' && !r->typed.count) /* a step's words begin behind its blanks */
        text = false;
    if (text) {
        Text one = {0};
        key_print(key, &one);
        text_puts(&r->typed, key == ' ' ? " " : text_str(&one));
        text_release(&one);
        return;
    }
    if (r->typed.count)
        flush_typed(r);
    text_putc(&r->pressed, ' ');
    key_print(key, &r->pressed);
    if (r->pressed.count > 70)
        flush_typed(r);
}

static void last_path(const Ui *ui, char *out, size_t size)
{
    snprintf(out, size, "%s/last.macro", ui->workspace);
}

/* `:record` ended it: played, those keys would begin a recording. */
static void forget_the_line(Recording *r)
{
    char *all = text_copy(text_str(&r->text)), *line = strstr(all, " :\ntype record");
    if (line) {
        if (line - all >= 6 && memcmp(line - 6, "\npress", 6) == 0)
            line -= 6; /* no other key was pressed in that step */
        text_reset(&r->text);
        text_add(&r->text, all, (size_t)(line - all));
        text_puts(&r->text, "\n");
    }
    mem_free(all);
}

void macro_record(Ui *ui, const char *path)
{
    Recording *r = &ui->recording;
    Error err = {0};
    if (!r->on) {
        last_path(ui, r->path, sizeof r->path);
        if (path && *path)
            snprintf(r->path, sizeof r->path, "%s", path);
        text_reset(&r->text);
        text_printf(&r->text, "# keys of the pane %s on\npress %zu\n", ui_pane(ui)->name, ui->at + 1);
        r->on = true;
        ui_say(ui, STYLE_INFO, "recording keys; F3 ends it, F4 plays them");
        return;
    }
    flush_typed(r);
    if (path)
        forget_the_line(r);
    r->on = false;
    if (file_write(r->path, text_str(&r->text), r->text.count, &err))
        ui_say(ui, STYLE_GOOD, "recorded in %s; F4 plays it", r->path);
    else
        ui_error(ui, &err);
}

/* ---- reading a macro -------------------------------------------------------------------------------------- */

static bool check_words(const Step *s, Error *err)
{
    double seconds;
    Key key;
    bool none = s->kind == STEP_STAY;
    if (none == (*s->words != 0))
        return error_set(err, ERROR_PARSE, none ? "stay takes no words" : "%s: what is missing", step_names[s->kind]);
    if ((s->kind == STEP_WAIT || s->kind == STEP_PATIENCE) && !text_to_real(s->words, strlen(s->words), &seconds))
        return error_set(err, ERROR_PARSE, "%s: expected seconds, found '%s'", step_names[s->kind], s->words);
    for (const char *w = s->words; s->kind == STEP_PRESS && *w;) {
        size_t n = strcspn(w, " ");
        if (n && !key_parse(w, n, &key))
            return error_set(err, ERROR_PARSE, "press: no key '%.*s'", (int)n, w);
        w += n + strspn(w + n, " ");
    }
    return true;
}

static bool add_step(Replay *r, unsigned long line, char *s, Error *err)
{
    s += strspn(s, " \t");
    size_t n = strcspn(s, " ");
    if (!*s || *s == '#')
        return true;
    for (int k = 0; k < STEP_COUNT; k++)
        if (strlen(step_names[k]) == n && strncmp(s, step_names[k], n) == 0) {
            Step step = {(StepKind)k, line, s + n + (s[n] == ' ')};
            vec_add(&r->step, step);
            return check_words(&step, err);
        }
    return error_set(err, ERROR_PARSE, "expected press, type, line, see, gone, wait, patience or stay, found '%.*s'",
                     (int)n, s);
}

void replay_destroy(Replay *r)
{
    if (!r)
        return;
    mem_free(r->text);
    vec_release(&r->step);
    mem_free(r);
}

Replay *replay_read(const char *path, Error *err)
{
    Text text = {0};
    if (!file_read(path, &text, 1 << 20, err))
        return NULL;
    Replay *r = mem_alloc(sizeof *r);
    snprintf(r->path, sizeof r->path, "%s", path);
    text_puts(&text, "");
    r->text = text.at ? text_take(&text) : text_copy("");
    r->patience = PATIENCE;
    unsigned long line = 0;
    for (char *s = r->text; s && *s;) {
        char *end = strchr(s, '\n');
        if (end)
            *end = 0;
        size_t n = strlen(s);
        if (n && s[n - 1] == '\r')
            s[n - 1] = 0;
        if (!add_step(r, ++line, s, err)) {
            error_in(err, "%s: line %lu", path, line);
            replay_destroy(r);
            return NULL;
        }
        s = end ? end + 1 : NULL;
    }
    return r;
}

/* ---- playing ------------------------------------------------------------------------------------------------ */

static bool on_screen(const Ui *ui, const char *words)
{
    Text row = {0};
    bool there = false;
    for (int i = 0; i < screen_rows(ui->screen) && !there; i++) {
        text_reset(&row);
        screen_row_text(ui->screen, i, &row);
        there = strstr(text_str(&row), words) != NULL;
    }
    text_release(&row);
    return there;
}

static void end(Ui *ui)
{
    Replay *r = ui->replay;
    bool leave = r->program && !r->stay;
    ui->replay = NULL;
    replay_destroy(r);
    if (leave)
        ui->quit = true;
}

static void fail(Ui *ui, const Step *s, const char *what)
{
    Error err = {0};
    error_set(&err, ERROR_PARSE, "%s: line %lu: %s %s: %s", ui->replay->path, s->line, step_names[s->kind], s->words,
              what);
    if (ui->replay->program) {
        ui->failed = err;
        ui->replay->stay = false;
    } else {
        ui_error(ui, &err);
    }
    end(ui);
}

/* Work that a key started is waited for, as a person would; trainings are no jobs. */
static bool busy(const Ui *ui)
{
    return jobs_count(ui->jobs) > 0 && ui->now - ui->replay->since < IDLE_MOST;
}

static Key next_key(Replay *r, const char *words, bool text)
{
    const char *s = words + r->byte;
    Key key = 0;
    if (text) {
        const char *at = s;
        key = utf8_next(&at, s + strlen(s));
        r->byte += (size_t)(at - s);
        return key;
    }
    s += strspn(s, " ");
    size_t n = strcspn(s, " ");
    key_parse(s, n, &key);
    r->byte = (size_t)(s - words) + n;
    r->byte += strspn(words + r->byte, " ");
    return key;
}

/* One key, or one look. true: at once again. */
static bool step(Ui *ui)
{
    Replay *r = ui->replay;
    if (r->at == r->step.count) {
        if (!busy(ui))
            end(ui);
        return false;
    }
    const Step *s = &r->step.at[r->at];
    double seconds;
    bool done = true, text = s->kind == STEP_TYPE || s->kind == STEP_LINE;
    switch (s->kind) {
    case STEP_LINE:
        if (busy(ui))
            return false;
        undo_before(ui);
        ui_line(ui, s->words);
        undo_after(ui);
        break;
    case STEP_PRESS:
    case STEP_TYPE:
        if (busy(ui))
            return false;
        frame_key(ui, next_key(r, s->words, text));
        if (!ui->replay)
            return false;
        done = !s->words[r->byte];
        break;
    case STEP_SEE:
    case STEP_GONE:
        done = on_screen(ui, s->words) == (s->kind == STEP_SEE);
        if (!done && ui->now - r->since > r->patience) {
            fail(ui, s, s->kind == STEP_SEE ? "it did not come" : "it did not go");
            return false;
        }
        break;
    case STEP_WAIT:
        text_to_real(s->words, strlen(s->words), &seconds);
        done = ui->now - r->since >= seconds;
        break;
    case STEP_PATIENCE:
        text_to_real(s->words, strlen(s->words), &r->patience);
        break;
    default:
        r->stay = true;
    }
    bool acted = s->kind <= STEP_LINE;
    if (acted)
        r->since = ui->now;
    if (done) {
        r->at++;
        r->byte = 0;
        r->since = ui->now;
    }
    return done && !acted;
}

void replay_step(Ui *ui)
{
    while (ui->replay && step(ui))
        ;
}

bool replay_active(const Ui *ui)
{
    return ui->replay != NULL;
}

/* ---- asking for it --------------------------------------------------------------------------------------------- */

void replay_start(Ui *ui, const char *path, bool program)
{
    Error err = {0};
    char last[400];
    last_path(ui, last, sizeof last);
    if (ui->replay)
        return;
    if (!*path && !file_exists(last)) {
        ui_say(ui, STYLE_WARN, "no keys were recorded yet: F3 begins, F3 again ends");
        return;
    }
    ui->replay = replay_read(*path ? path : last, &err);
    if (ui->replay) {
        ui->replay->program = program;
        ui->replay->since = ui->now;
    } else if (program) {
        ui->failed = err;
        ui->quit = true;
    } else {
        ui_error(ui, &err);
    }
}
