/* exchange.c -- a remote seen through its listing: which objects and manifests are there. */
#include "exchange_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_folders[] = {"manifests/datasets/", "manifests/models/"};

/* ---- keys ------------------------------------------------------------------------------------------ */

static void encode_name(const char *name, Text *into)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (isalnum(c) || c == '-' || c == '_')
            text_putc(into, (char)c);
        else
            text_printf(into, "%%%02X", c);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char *decode_name(const char *s, size_t n, Arena *a)
{
    char *name = arena_alloc(a, n + 1), *to = name;
    for (size_t i = 0; i < n; i++) {
        bool hex = s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0;
        *to++ = hex ? (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2])) : s[i];
        i += hex ? 2 : 0;
    }
    return name;
}

static bool is_hash(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
            return false;
    return n == 64;
}

/* NAME/TIME-HASH.json */
static bool read_entry(const char *key, const char *rest, Arena *a, Entry *out)
{
    const char *slash = strchr(rest, '/'), *dash = slash ? strchr(slash, '-') : NULL;
    if (!dash || dash - slash != 17 || !is_hash(dash + 1, strcspn(dash + 1, ".")) ||
        !text_equal(dash + 65, ".json"))
        return false;
    char *hash = arena_text(a, dash + 1);
    hash[64] = 0;
    *out = (Entry){.key = key, .name = decode_name(rest, (size_t)(slash - rest), a), .hash = hash};
    return text_to_int(slash + 1, 16, &out->made) && *out->name;
}

static void read_entries(Exchange *x)
{
    for (int k = 0; k < 2; k++) {
        x->kind[k].at = ARENA_NEW(&x->arena, Entry, x->list.count + 1);
        for (size_t i = 0; i < x->list.count; i++) {
            const char *key = x->list.object[i].key;
            if (text_starts(key, kind_folders[k]) &&
                read_entry(key, key + strlen(kind_folders[k]), &x->arena,
                           &x->kind[k].at[x->kind[k].count]))
                x->kind[k].count++;
        }
    }
}

char *exchange_dataset_key(Exchange *x, const char *hash)
{
    return arena_printf(&x->arena, "objects/datasets/%s.arrow", hash);
}

char *exchange_file_key(Exchange *x, const char *sha256)
{
    return arena_printf(&x->arena, "objects/files/%s", sha256);
}

char *exchange_manifest_key(Exchange *x, ManifestKind kind, const char *name, int64_t made,
                            const char *hash)
{
    Text t = {0};
    text_puts(&t, kind_folders[kind]);
    encode_name(name, &t);
    char *key = arena_printf(&x->arena, "%s/%016lld-%s.json", t.at, (long long)made, hash);
    text_release(&t);
    return key;
}

/* ---- finding ----------------------------------------------------------------------------------------- */

const RemoteObject *exchange_object(const Exchange *x, const char *key)
{
    size_t low = 0, high = x->list.count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(key, x->list.object[mid].key);
        if (!order)
            return &x->list.object[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const Entry *exchange_newest(const Exchange *x, ManifestKind kind, const char *name)
{
    const Entry *found = NULL;
    for (size_t i = 0; i < x->kind[kind].count; i++)
        if (text_equal(x->kind[kind].at[i].name, name))
            found = &x->kind[kind].at[i];
    return found;
}

const Entry *exchange_by_hash(const Exchange *x, ManifestKind kind, const char *hash)
{
    const Entry *found = NULL;
    for (size_t i = 0; strlen(hash) >= 6 && i < x->kind[kind].count; i++)
        if (text_starts(x->kind[kind].at[i].hash, hash))
            found = &x->kind[kind].at[i];
    return found;
}

/* ---- opening -------------------------------------------------------------------------------------------- */

bool exchange_open(Exchange *x, CommandCall *call, const char *place, StoreMode mode, Error *err)
{
    *x = (Exchange){.call = call, .done = json_array(), .seen = json_object()};
    x->store = call_store(call, mode, err);
    x->remote = x->store ? remote_open(place, err) : NULL;
    if (!x->remote)
        return false;
    remote_setup(x->remote, &(RemoteSetup){.progress = call->progress});
    if (!remote_list(x->remote, "", &x->list, err))
        return false;
    read_entries(x);
    return true;
}

void exchange_close(Exchange *x)
{
    remote_list_release(&x->list);
    remote_close(x->remote);
    store_close(x->store);
    json_decref(x->done);
    json_decref(x->seen);
    arena_release(&x->arena);
}

void exchange_note(Exchange *x, const char *what, const char *name, const char *hash,
                   const char *state)
{
    json_t *o = json_object();
    char brief[13] = "";
    memcpy(brief, hash, strnlen(hash, 12));
    result_text(o, "what", what);
    result_text(o, "name", name);
    result_text(o, "hash", brief);
    result_text(o, "state", state);
    json_array_append_new(x->done, o);
}

json_t *exchange_result(const Exchange *x)
{
    json_t *o = json_object();
    result_text(o, "remote", remote_name(x->remote));
    result_int(o, "objects", x->moved);
    result_int(o, "bytes", x->bytes);
    result_int(o, "there_already", x->there);
    json_object_set(o, "items", x->done);
    return o;
}
