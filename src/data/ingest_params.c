/* ingest_params.c -- what can be said about a source instead of letting it be guessed, declared once. */
#include "reader_int.h"

static const char *const header_picks[] = {"auto", "yes", "no", NULL};

const Param ingest_params[] = {
    PARAM_TEXT(IngestOptions, delimiter, "delimiter", "", "one character, \\t, or empty to guess"),
    PARAM_TEXT(IngestOptions, quote, "quote", "", "one character, none, or empty to guess"),
    PARAM_PICK(IngestOptions, header, "header", 0, header_picks, "is the first line names?"),
    PARAM_TEXT(IngestOptions, encoding, "encoding", "", "utf-8, latin-1, or empty to guess"),
    PARAM_TEXT(IngestOptions, null_words, "null", "",
               "words that mean missing, with commas between; empty to guess"),
    PARAM_TEXT(IngestOptions, types, "types", "",
               "COLUMN:TYPE,... with bool, int64, float64, timestamp, date or text"),
    PARAM_TEXT(IngestOptions, decimal, "decimal", "", ". or , or empty to guess"),
    PARAM_INT(IngestOptions, skip, "skip", -1, -1, 1e6, "lines",
              "lines before the table; -1 to guess"),
    PARAM_REAL(IngestOptions, reject_limit, "reject_limit", 0.1, 0, 1, "",
               "share of bad rows that is an error"),
    PARAM_END,
};

void ingest_options_copy(IngestOptions *into, const IngestOptions *from)
{
    params_init(ingest_params, into);
    if (!from)
        return;
    char **text[] = {&into->delimiter,  &into->quote, &into->encoding,
                     &into->null_words, &into->types, &into->decimal};
    char *const given[] = {from->delimiter,  from->quote, from->encoding,
                           from->null_words, from->types, from->decimal};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        mem_free(*text[i]);
        *text[i] = text_copy(given[i] ? given[i] : "");
    }
    into->header = from->header;
    into->skip = from->skip;
    into->reject_limit = from->reject_limit;
}
