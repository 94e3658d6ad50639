/* manual.c -- lathe manual: the page lathe(1), made from the rows. */
#include "command_int.h"

static bool run(CommandCall *call, json_t **result, Error *err)
{
    (void)call, (void)err;
    Text page = {0};
    command_manual(&page);
    *result = json_pack("{s:s}", "help", text_str(&page));
    text_release(&page);
    return true;
}

const Command manual_command = {
    .name = "manual",
    .about = "prints the manual page lathe(1), made from the same tables",
    .hidden = true,
    .run = run,
};
