/* plain.h -- the workbench as lines, where there is no screen. */
#ifndef LATHE_CLI_PLAIN_H
#define LATHE_CLI_PLAIN_H

#include <lathe/command.h>

bool plain_main(const char *workspace, Error *err); /* until no run goes on */

#endif
