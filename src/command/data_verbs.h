/* data_verbs.h -- the verbs of `lathe data` that have a file of their own. */
#ifndef DATA_VERBS_H
#define DATA_VERBS_H

#include "command_int.h"

extern const Command data_describe_verb, data_freq_verb, data_pivot_verb, data_correlate_verb;
json_t *data_column_json(const Field *f, const ColumnProfile *p); /* data.c: a row of the schema table */

#endif
