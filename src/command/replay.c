/* replay.c -- lathe replay: a file of keys for the workbench, checked here and played by whoever has a screen. */
#include "command_int.h"

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Text text = {0};
    bool ok = file_read(call->word[0], &text, 1 << 20, err);
    text_release(&text);
    if (ok)
        *result = json_pack("{s:s}", "replay", call->word[0]);
    return ok;
}

static const Arg args[] = {{.name = "FILE", .kind = ARG_FILE, .about = "a macro, one step a line"}, ARG_END};

const Command replay_command = {
    .name = "replay",
    .about = "plays a file of keys in the workbench, with or without a terminal",
    .details = "A macro is text, one step a line: press j j Enter; type WORDS; line COMMAND (what : takes); "
               "see TEXT and gone TEXT wait until it is, or is not, on the screen; wait SECONDS; patience SECONDS "
               "(for see and gone); stay (hand over instead of leaving); # is a comment. F3 in the workbench "
               "records one, F4 plays it.\n"
               "Without a terminal the screen is drawn in memory, 36 rows of 120 columns. A step that fails ends "
               "with status 1, its file and line, and the screen as it was.",
    .args = args,
    .example = "lathe replay tour.macro",
    .run = run,
};
