/* embed.c -- a category as a code for the model to learn a vector for.
 *
 * Code 0 is "missing, never seen in training, or seen too rarely"; 1 is the most frequent word. */
#include "feature_int.h"

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    Lexicon *words = mem_alloc(sizeof *words);
    lexicon_keep(words, &s->words, (uint64_t)o->words_least);
    in->state = words;
    in->codes = 1;
    in->missing = false; /* code 0 says it */
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)dense;
    lexicon_encode(in->state, c, a, codes.at, codes.stride);
}

static void describe(const Input *in, size_t i, Text *name)
{
    (void)in, (void)i, (void)name;
}

static size_t cardinality(const Input *in)
{
    return ((const Lexicon *)in->state)->word.count + 1;
}

static json_t *save(const Input *in)
{
    return json_pack("{s:o}", "words", lexicon_to_json(in->state));
}

static bool load(Input *in, const json_t *from, Error *err)
{
    in->state = mem_alloc(sizeof(Lexicon));
    in->codes = 1;
    return lexicon_from_json(in->state, json_object_get(from, "words"), err);
}

static void release(Input *in)
{
    if (in->state)
        lexicon_release(in->state);
    mem_free(in->state);
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)dense;
    *codes = onnx_lexicon(o, in->state, x);
}

const Encoder embed_encoder = {
    .name = "embed",
    .about = "a category as a code with a learnt vector",
    .types = TYPE_BIT(COLUMN_TEXT),
    .accepts = TYPE_BIT(COLUMN_TYPE_COUNT) - 1, /* others as they print */
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .cardinality = cardinality,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
