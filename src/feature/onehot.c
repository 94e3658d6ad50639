/* onehot.c -- a category as one float a word, 1 for the row's own and 0 for the others.
 *
 * Where training rows had missing or rare words these share a float of their own, the first.
 * Where they had none, an unseen word is all zeros: a float that was never 1 would bring in
 * weights that nothing has taught. */
#include "feature_int.h"

typedef struct OneHot {
    Lexicon words;
    bool unseen; /* float 0 stands for code 0 */
} OneHot;

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    OneHot *state = mem_alloc(sizeof *state);
    lexicon_keep(&state->words, &s->words, (uint64_t)o->words_least);
    state->unseen = s->missing > 0 || state->words.word.count < s->words.word.count;
    in->state = state;
    in->dense = state->words.word.count + state->unseen;
    in->missing = false; /* the unseen float says it */
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)codes;
    const OneHot *s = in->state;
    int32_t *code = ARENA_NEW(a, int32_t, c->rows);
    lexicon_encode(&s->words, c, a, code, 1);
    for (size_t row = 0; row < c->rows; row++)
        if (code[row] || s->unseen)
            dense.at[row * dense.stride + (size_t)code[row] - !s->unseen] = 1.0f;
}

static void describe(const Input *in, size_t i, Text *name)
{
    const OneHot *s = in->state;
    if (s->unseen && i == 0) {
        text_puts(name, "other");
        return;
    }
    const Word *w = &s->words.word.at[i - s->unseen];
    text_puts(name, "= ");
    text_add(name, w->text, utf8_fit(w->text, w->size, 40));
}

static json_t *save(const Input *in)
{
    const OneHot *s = in->state;
    return json_pack("{s:o, s:b}", "words", lexicon_to_json(&s->words), "unseen", (int)s->unseen);
}

static bool load(Input *in, const json_t *from, Error *err)
{
    OneHot *state = mem_alloc(sizeof *state);
    in->state = state;
    if (!json_is_boolean(json_object_get(from, "unseen")))
        return error_set(err, ERROR_PARSE, "unseen: expected true or false");
    state->unseen = json_is_true(json_object_get(from, "unseen"));
    if (!lexicon_from_json(&state->words, json_object_get(from, "words"), err))
        return false;
    in->dense = state->words.word.count + state->unseen;
    return true;
}

static void release(Input *in)
{
    if (in->state)
        lexicon_release(&((OneHot *)in->state)->words);
    mem_free(in->state);
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)codes;
    const OneHot *s = in->state;
    int64_t *code = mem_alloc(sizeof *code * (in->dense + 1));
    for (size_t i = 0; i < in->dense; i++)
        code[i] = (int64_t)(i + !s->unseen);
    const char *is =
        onnx_node(o, "Equal", onnx_lexicon(o, &s->words, x), onnx_wholes(o, code, in->dense), NULL);
    *dense = onnx_cast(o, is, ONNX_FLOAT);
    mem_free(code);
}

const Encoder onehot_encoder = {
    .name = "onehot",
    .about = "a category as one float a word",
    .types = TYPE_BIT(COLUMN_TEXT),
    .accepts = TYPE_BIT(COLUMN_TYPE_COUNT) - 1, /* others as they print */
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
