/* store_place.h -- for tests of the store: a workspace of their own with two connections and the log. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <lathe/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

typedef struct Place {
    char dir[64];
    Store *s, *other;
    PredictionLog *log; /* NULL until a test opens it */
    Arena a;
    Error err;
} Place;

static inline int setup(void **state)
{
    Place *p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/lathe-store-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    p->s = store_open(p->dir, STORE_WRITE, &p->err);
    p->other = store_open(p->dir, STORE_WRITE, &p->err);
    *state = p;
    return p->s && p->other ? 0 : -1;
}

static inline int teardown(void **state)
{
    Place *p = *state;
    prediction_log_close(p->log);
    store_close(p->s);
    store_close(p->other);
    arena_release(&p->a);
    dir_remove(p->dir, NULL);
    free(p);
    return 0;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s", p->err.text);                                                           \
    } while (0)

static inline void says(Place *p, bool result, const char *words)
{
    assert_false(result);
    if (!strstr(p->err.text, words))
        fail_msg("expected '%s' in '%s'", words, p->err.text);
    p->err = (Error){0};
}

#endif
