/* class_weights.c -- how much a row of each class counts: class_weight=balanced, or what was said of each,
 * class_weight=yes:5,no:1; a class of which nothing was said counts 1. */
#include "train_int.h"

#include <string.h>

static bool class_named(Job *j, const char *name, size_t n, size_t *at, Error *err)
{
    size_t classes = features_shape(j->features)->classes;
    const char **names = mem_alloc((classes + 1) * sizeof *names);
    for (*at = 0; *at < classes; ++*at) {
        names[*at] = features_class(j->features, *at);
        if (strlen(names[*at]) == n && !memcmp(names[*at], name, n))
            break;
    }
    if (*at == classes) {
        const char *asked = arena_printf(&j->arena, "%.*s", (int)n, name);
        const char *near = text_nearest(asked, names, classes);
        error_set(err, ERROR_USAGE, "class_weight: %s is no class of %s%s%s%s", asked,
                  j->row.target, near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    }
    mem_free(names);
    return *at < classes;
}

/* NAME:WEIGHT; a name may have colons of its own */
static bool take_one(Job *j, const char *piece, size_t n, Error *err)
{
    size_t colon = n, at;
    double weight;
    while (colon > 0 && piece[colon - 1] != ':')
        colon--;
    if (colon < 2 || !text_to_real(piece + colon, n - colon, &weight) ||
        !(weight > 0 && weight <= 1e6))
        return error_set(
            err, ERROR_USAGE,
            "class_weight: expected none, balanced or CLASS:WEIGHT,..., weights above 0 and at "
            "most 1e6, found '%.*s'",
            (int)n, piece);
    if (!class_named(j, piece, colon - 1, &at, err))
        return false;
    j->class_weight[at] = (float)weight;
    return true;
}

bool job_class_weights(Job *j, Error *err)
{
    const ModelShape *s = features_shape(j->features);
    const char *said = j->spec.params.class_weight;
    if (!*said || text_equal(said, "none"))
        return true;
    if (!task_has_classes(&j->spec, s->task, j->row.target, err))
        return false;
    bool balanced = text_equal(said, "balanced");
    j->class_weight = ARENA_NEW(&j->arena, float, s->classes);
    for (size_t i = 0; i < s->classes; i++)
        j->class_weight[i] = balanced ? (float)features_class_weight(j->features, i) : 1.0f;
    for (const char *at = said; !balanced && *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (!take_one(j, at, n, err))
            return false;
        at += n;
    }
    return true;
}
