/* help.c -- usage, --help and the manual page, all made from the rows. */
#include "command_int.h"

#include <ctype.h>
#include <string.h>

static void add_args(const Command *c, Text *into)
{
    for (const Arg *a = c->args; a && a->name; a++)
        text_printf(into, a->optional ? " [%s]%s" : " %s%s", a->name, a->many ? "..." : "");
}

static void upper(const char *s, Text *into)
{
    for (; *s; s++)
        text_putc(into, (char)toupper((unsigned char)*s));
}

static void add_setting(const Param *row, Text *into)
{
    text_puts(into, row->required ? " " : " [");
    text_printf(into, "%s=", row->name);
    if (row->kind == PARAM_KIND_PICK) {
        for (const char *const *pick = row->picks; *pick; pick++)
            text_printf(into, "%s%s", pick == row->picks ? "" : "|", *pick);
    } else if (row->kind == PARAM_KIND_BOOL) {
        text_puts(into, "yes|no");
    } else if (row->unit && *row->unit) {
        upper(row->unit, into);
    } else {
        text_puts(into, row->kind == PARAM_KIND_TEXT ? "TEXT" : "N");
    }
    text_puts(into, row->required ? "" : "]");
}

void command_usage(const Command *parent, const Command *c, Text *into)
{
    text_printf(into, "lathe %s%s%s", parent ? parent->name : "", parent ? " " : "", c->name);
    if (c->verbs)
        text_puts(into, " VERB");
    add_args(c, into);
    for (const Param *row = c->params; row && row->kind; row++)
        add_setting(row, into);
    for (const Param *row = c->shared; row && row->kind; row++)
        add_setting(row, into);
    if (c->extras)
        text_puts(into, " [KEY=VALUE...]");
}

static void help_settings(const Param *rows, Text *into)
{
    Text normal = {0}, range = {0};
    for (const Param *row = rows; row && row->kind; row++) {
        text_reset(&normal);
        text_reset(&range);
        param_default(row, &normal);
        param_range(row, &range);
        text_printf(into, "  %-14s %s", row->name, row->help);
        if (row->kind != PARAM_KIND_TEXT && range.count)
            text_printf(into, " (%s)", text_str(&range));
        if (normal.count && !row->required)
            text_printf(into, " [%s]", text_str(&normal));
        text_putc(into, '\n');
    }
    text_release(&normal);
    text_release(&range);
}

static void help_one(const Command *parent, const Command *c, Text *into)
{
    text_puts(into, "usage: ");
    command_usage(parent, c, into);
    text_printf(into, "\n\n%s%s", c->about, text_ends(c->about, ".") ? "\n" : ".\n");
    if (c->details)
        text_printf(into, "\n%s\n", c->details);
    if (c->verbs) {
        text_puts(into, "\nverbs:\n");
        for (const Command *const *v = c->verbs; *v; v++) {
            Text usage = {0};
            command_usage(c, *v, &usage);
            text_printf(into, "  %s\n      %s\n", text_str(&usage), (*v)->about);
            text_release(&usage);
        }
    }
    if (c->args && c->args->name) {
        text_puts(into, "\narguments:\n");
        for (const Arg *a = c->args; a->name; a++)
            text_printf(into, "  %-14s %s\n", a->name, a->about);
    }
    if (c->params_size) {
        text_puts(into, "\nsettings, written key=value:\n");
        help_settings(c->params, into);
        help_settings(c->shared, into);
    }
    if (c->extras)
        text_printf(into, "  %-14s %s\n", "KEY=VALUE", c->extras);
    if (c->more)
        c->more(into);
    if (c->example)
        text_printf(into, "\nexample:\n  %s\n", c->example);
}

static void help_all(Text *into)
{
    text_puts(into, "usage: lathe [-w DIR] [--json] [--plain] [VERB ARGS key=value...]\n\n"
                    "A terminal workbench for tabular machine learning. Without a verb it opens the\n"
                    "workbench on the workspace.\n\nverbs:\n");
    for (const Command *const *c = commands; *c; c++)
        if (!(*c)->hidden)
            text_printf(into, "  %-9s %s\n", (*c)->name, (*c)->about);
    text_puts(into,
              "\noptions:\n"
              "  -w DIR     the workspace folder (LATHE_WORKSPACE, else .lathe); made when needed\n"
              "  --json     one JSON document on standard output and nothing else there\n"
              "  --plain    plain lines, no screen and no colour\n"
              "  --version  the version\n"
              "\nlathe VERB --help tells about a verb. Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}

void command_help(const Command *parent, const Command *c, Text *into)
{
    if (c)
        help_one(parent, c, into);
    else
        help_all(into);
}

/* ---- the manual page ---------------------------------------------------------------------------- */

/* Text for roff: no line may begin with a dot or quote, backslashes and hyphens as themselves. */
static void roff(const char *s, Text *into)
{
    bool start = true;
    for (; *s; s++) {
        if (start && (*s == '.' || *s == '\''))
            text_puts(into, "\\&");
        if (*s == '\\')
            text_puts(into, "\\e");
        else if (*s == '-')
            text_puts(into, "\\-");
        else
            text_putc(into, *s);
        start = *s == '\n';
    }
    text_putc(into, '\n');
}

static void roff_settings(const Param *rows, Text *into)
{
    for (const Param *row = rows; row && row->kind; row++) {
        text_printf(into, ".br\n.B %s=\n", row->name);
        roff(row->help, into);
    }
}

static void roff_command(const Command *parent, const Command *c, Text *into)
{
    Text usage = {0};
    command_usage(parent, c, &usage);
    text_puts(into, ".TP\n.B ");
    roff(text_str(&usage), into);
    roff(c->about, into);
    text_release(&usage);
    for (const Arg *a = c->args; a && a->name; a++) {
        text_printf(into, ".br\n.I %s\n", a->name);
        roff(a->about, into);
    }
    roff_settings(c->params, into);
    roff_settings(c->shared, into);
    if (c->extras) {
        text_puts(into, ".br\n.B KEY=VALUE\n");
        roff(c->extras, into);
    }
    if (c->details) {
        text_puts(into, ".IP\n");
        roff(c->details, into);
    }
    for (const Command *const *v = c->verbs; v && *v; v++)
        roff_command(c, *v, into);
}

static void roff_rows(const char *title, const Param *rows, Text *into)
{
    Text normal = {0}, range = {0};
    text_printf(into, ".SS %s\n", title);
    for (const Param *row = rows; row->kind; row++) {
        text_reset(&normal);
        text_reset(&range);
        param_default(row, &normal);
        param_range(row, &range);
        text_printf(into, ".TP\n.B %s\n", row->name);
        roff(row->help, into);
        text_printf(into, "(%s", text_str(&range));
        text_printf(into, normal.count ? "; default %s%s%s)\n" : "%s%s%s)\n", text_str(&normal),
                    row->by_batch ? "; not of a gbdt, whose steps take all rows" : "",
                    row->live ? "; may be changed while a run trains" : "");
    }
    text_release(&normal);
    text_release(&range);
}

void command_manual(Text *into)
{
    text_puts(into, ".\\\" Made by `lathe manual`; do not edit.\n"
                    ".TH LATHE 1 \"\" \"lathe " LATHE_VERSION "\" \"User Commands\"\n"
                    ".SH NAME\nlathe \\- a terminal workbench for tabular machine learning\n"
                    ".SH SYNOPSIS\n.B lathe\n[\\-w DIR] [\\-\\-json] [\\-\\-plain] [VERB ARGS key=value...]\n"
                    ".SH DESCRIPTION\n");
    roff("Opens a table (a CSV on disk or over HTTP), shows it, cleans it with rules that can be "
         "previewed and undone, trains models on it with curves that move while it trains and "
         "hyperparameters that can be changed while it runs, compares runs kept in SQLite and "
         "says when data drift away from what a model learnt from. Without a verb it opens the "
         "workbench; every verb also works after : inside it.",
         into);
    text_puts(into, ".SH OPTIONS\n");
    text_puts(into, ".TP\n.B \\-w DIR\n");
    roff("the workspace folder (default: the environment's LATHE_WORKSPACE, else .lathe)", into);
    text_puts(into, ".TP\n.B \\-\\-json\n");
    roff("one JSON document on standard output and nothing else there", into);
    text_puts(into, ".TP\n.B \\-\\-plain\n");
    roff("plain lines: no screen, no colour", into);
    text_puts(into, ".TP\n.B \\-\\-version\n");
    roff("the version", into);
    text_puts(into, ".SH VERBS\n");
    for (const Command *const *c = commands; *c; c++)
        if (!(*c)->hidden)
            roff_command(NULL, *c, into);
    text_puts(into, ".SH HYPERPARAMETERS\n");
    roff_rows("Of every run", run_params, into);
    roff_rows("Of the features", feature_params, into);
    for (const ModelFamily *const *f = model_families; *f; f++) {
        text_printf(into, ".SS Family %s\n", (*f)->name);
        roff((*f)->about, into);
        if ((*f)->params && (*f)->params->kind)
            roff_rows((*f)->title, (*f)->params, into);
    }
    text_puts(into,
              ".SH ENVIRONMENT\n.TP\n.B LATHE_WORKSPACE\nthe workspace folder when \\-w is not given\n"
              ".TP\n.B LATHE_THEME\nthe theme of the workbench\n"
              ".TP\n.B NO_COLOR\nwhen set, no colours\n"
              ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage.\n"
              ".SH FILES\n.TP\n.I DIR/lathe.db\nthe workspace's SQLite file\n"
              ".TP\n.I DIR/datasets/HASH.arrow\nimmutable datasets (Arrow IPC)\n"
              ".TP\n.I DIR/runs/ID/\ncheckpoints, log and bundle of a run\n"
              ".SH SEE ALSO\n.BR lathe\\-models (7),\n.BR lathe\\-recipe (7),\n.BR lathe\\-themes (5)\n");
}
