/* clean_int.h -- the Clean pane's state, shared by its files:
 *   clean.c          the pane: keys and commands           clean_draw.c     the rules
 *   clean_radius.c   what a rule does to the data          clean_jobs.c     draft, preview, effects, apply
 *   clean_suggest.c  rules the data ask for          clean_take.c     ... shown, and taken with a key
 *   clean_edit.c     a rule while it is typed        clean_ask.c      questions                         */
#ifndef LATHE_TUI_CLEAN_INT_H
#define LATHE_TUI_CLEAN_INT_H

#include "clean_suggest.h"

#include "../chart.h"
#include "../ui.h"
#include "../widgets.h"

enum { CLEAN_DRAFT_SLOT = 1, CLEAN_SAVE_SLOT, CLEAN_SAMPLE_SLOT, CLEAN_EXACT_SLOT, CLEAN_EFFECT_SLOT, CLEAN_APPLY_SLOT,
       CLEAN_FILE_SLOT, CLEAN_SUGGEST_SLOT };
enum { CLEAN_ZONE_RULES = 1, CLEAN_ZONE_SUGGESTIONS };

typedef struct CleanState {
    OpenDataset *data;          /* held */
    Recipe *recipe;             /* the draft; NULL until it is loaded */
    size_t at, top;             /* rule under the cursor, first shown */
    int rows;                   /* rules that can be shown */
    bool editing, inserting;    /* a rule is being typed: a new one at `at`, or that at `at` */
    LineEdit line;
    size_t typed_line;          /* of the recipe's text, with what is typed in it */
    Error error;                /* of the rule typed, or of the recipe */
    Schema schema;              /* before the rule that is typed: for completion */
    Preview *preview;           /* of the rule under the cursor or being typed; NULL: none */
    bool preview_old;           /* a newer one is being computed */
    ApplyReport *effect;        /* of all rules; NULL: not known */
    Error effect_error;
    Suggestions *suggestions;   /* NULL: not looked for yet, or not found out */
    bool suggesting;            /* they are shown in place of the rules */
    size_t suggest_at, suggest_top;
    char file[400];             /* last recipe file */
    Text edited, edited_of;     /* what came from the editor and is no recipe yet; the rules at that time */
} CleanState;

/* clean_jobs.c */
void clean_load(CleanState *s, Ui *ui);           /* the draft of s->data */
void clean_save(CleanState *s, Ui *ui);
void clean_changed(CleanState *s, Ui *ui);        /* the recipe: save, preview, effects anew */
void clean_preview(CleanState *s, Ui *ui);        /* the rule under the cursor, or what is typed */
void clean_measure(CleanState *s, Ui *ui);
void clean_apply(CleanState *s, const char *name, Ui *ui);
void clean_write_file(CleanState *s, const char *path, Ui *ui);
void clean_read_file(CleanState *s, const char *path, Ui *ui);

/* clean_edit.c */
void clean_edit(CleanState *s, bool inserting, size_t at, const char *text, Ui *ui); /* begins to type */
void clean_take_offer(CleanState *s, Ui *ui);     /* a rule made up in another pane goes on here */
void clean_accept(CleanState *s, Ui *ui);         /* into the recipe, or the error is shown */
bool clean_insert(CleanState *s, size_t at, const char *rule, Error *err); /* checked as what is typed is */
void clean_complete(CleanState *s, Ui *ui);
bool clean_popup_takes(CleanState *s, Key key, Ui *ui); /* the candidates that are shown, if any */

/* clean_ask.c */
void clean_ask_kind(CleanState *s, Ui *ui);
void clean_ask_name(CleanState *s, Ui *ui);       /* and applies */
void clean_ask_file(CleanState *s, bool write, Ui *ui);
void clean_in_editor(CleanState *s, Ui *ui);      /* the recipe as text in the user's editor, and back */

/* clean_draw.c */
void clean_draw_rules(const CleanState *s, const Canvas *c, const Ui *ui);
void clean_draw_rule(const Canvas *c, int row, int col, int width, const char *text, Style ground, bool on); /* in colours */
const RuleEffect *clean_effect(const CleanState *s, size_t i); /* of a rule; NULL: it is off, or not known yet */
/* clean_write.c: the pane as files */
bool clean_table_shown(const void *state, TableSource *out);
bool clean_chart_shown(const void *state, Arena *a, Chart *out, char title[160]);
/* clean_radius.c */
void clean_draw_radius(const CleanState *s, const Canvas *c, const Ui *ui);

/* clean_take.c */
void clean_suggest(CleanState *s, Ui *ui);        /* looks for suggestions */
size_t clean_suggestions(const CleanState *s);
const Suggestion *clean_suggestion(const CleanState *s); /* under the cursor, while they are shown; NULL: none */
bool clean_taken(const CleanState *s, const Suggestion *one, size_t *at); /* is it a rule of the recipe? */
void clean_suggesting(CleanState *s, bool on, Ui *ui);
Reply clean_suggest_move(CleanState *s, int command, Ui *ui);
void clean_take(CleanState *s, Ui *ui);           /* into the recipe, or out of it again */
int  clean_suggest_room(int rows);                /* how many fit */
void clean_draw_suggestions(const CleanState *s, const Canvas *c);

#endif
