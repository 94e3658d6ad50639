/* labels.c -- distinct labels and how often each was seen. */
#include "drift_int.h"

struct Labels {
    VEC(char) bytes;
    VEC(size_t) end; /* of label i in bytes, with its 0 */
    VEC(double) seen;
    uint32_t *slot; /* [slots], a power of two; 0 empty, else 1 + index */
    size_t slots;
};

Labels *labels_create(void)
{
    return mem_alloc(sizeof(Labels));
}

void labels_destroy(Labels *l)
{
    if (!l)
        return;
    vec_release(&l->bytes);
    vec_release(&l->end);
    vec_release(&l->seen);
    mem_free(l->slot);
    mem_free(l);
}

size_t labels_count(const Labels *l)
{
    return l->end.count;
}

const char *labels_text(const Labels *l, size_t i, size_t *n)
{
    size_t start = i ? l->end.at[i - 1] : 0;
    if (n)
        *n = l->end.at[i] - start - 1;
    return l->bytes.at + start;
}

double labels_seen(const Labels *l, size_t i)
{
    return l->seen.at[i];
}

static size_t slot_of(const Labels *l, const char *s, size_t n)
{
    size_t at = hash_bytes(s, n, 0) & (l->slots - 1);
    for (; l->slot[at]; at = (at + 1) & (l->slots - 1)) {
        size_t have;
        const char *text = labels_text(l, l->slot[at] - 1, &have);
        if (have == n && memcmp(text, s, n) == 0)
            break;
    }
    return at;
}

size_t labels_find(const Labels *l, const char *s, size_t n)
{
    if (!l->slots)
        return SIZE_MAX;
    uint32_t found = l->slot[slot_of(l, s, n)];
    return found ? found - 1 : SIZE_MAX;
}

static void grow(Labels *l)
{
    l->slots = l->slots ? 2 * l->slots : 64;
    mem_free(l->slot);
    l->slot = mem_alloc(l->slots * sizeof *l->slot);
    for (size_t i = 0; i < l->end.count; i++) {
        size_t n;
        const char *text = labels_text(l, i, &n);
        l->slot[slot_of(l, text, n)] = (uint32_t)(i + 1);
    }
}

size_t labels_add(Labels *l, const char *s, size_t n, double count)
{
    if (2 * (l->end.count + 1) > l->slots)
        grow(l);
    size_t at = slot_of(l, s, n);
    if (!l->slot[at]) {
        for (size_t i = 0; i < n; i++)
            vec_add(&l->bytes, s[i]);
        vec_add(&l->bytes, '\0');
        vec_add(&l->end, l->bytes.count);
        vec_add(&l->seen, 0.0);
        l->slot[at] = (uint32_t)l->end.count;
    }
    size_t label = l->slot[at] - 1;
    l->seen.at[label] += count;
    return label;
}
