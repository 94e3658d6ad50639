/* tokens.c -- bearer tokens: who may ask a server that listens beyond loopback.
 *
 * Of a secret only a salt of its own and SHA-256(salt, secret) are kept, both in hexadecimal. The secrets
 * are random (lathe token makes them of 256 bits), so that no slower hash is needed. Whether one is known is
 * found by hashing it with every salt and comparing all digits each time: how long that takes says nothing. */
#include "store_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define LEAST 16 /* characters of a secret */

static void hash_of(const char *salt, const char *secret, size_t n, char out[65])
{
    uint8_t digest[32];
    Sha256 *h = sha256_create();
    sha256_add(h, salt, strlen(salt));
    sha256_add(h, secret, n);
    sha256_finish(h, digest);
    sha256_hex(digest, out);
}

static bool make_salt(char out[33], Error *err)
{
    uint8_t byte[16];
    if (getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte)
        return error_set(err, ERROR_IO, "token: the system has no random numbers");
    for (size_t i = 0; i < sizeof byte; i++)
        snprintf(out + 2 * i, 3, "%02x", byte[i]);
    return true;
}

static bool check_name(const char *name, Error *err)
{
    size_t n = strlen(name);
    bool fine = n > 0 && n <= 64;
    for (size_t i = 0; i < n; i++)
        fine = fine && (unsigned char)name[i] > ' ' && name[i] != 0x7f;
    return fine || error_set(err, ERROR_USAGE,
                             "token: expected a name of 1 to 64 characters without spaces");
}

static bool audit_token(Store *s, const char *name, const char *actor, const char *what, Error *err)
{
    char subject[80];
    snprintf(subject, sizeof subject, "token %s", name);
    return store_audit_add(s, actor, what, subject, "", err);
}

/* A revoked name may be given again; one that counts may not. */
static bool add(Store *s, const char *name, const char *salt, const char *hash, Error *err)
{
    int64_t there;
    if (!store_number(s, err, &there, 0,
                      "SELECT count(*) FROM tokens WHERE name = ?1 AND revoked = 0", "t", name))
        return false;
    if (there)
        return error_set(err, ERROR_USAGE,
                         "token %s is there already; revoke it first or choose another name", name);
    return store_exec(s, err,
                      "INSERT OR REPLACE INTO tokens(name, salt, hash, created, revoked)"
                      " VALUES(?1, ?2, ?3, ?4, 0)",
                      "ttti", name, salt, hash, time_now());
}

bool store_token_add(Store *s, const char *name, const char *secret, const char *actor, Error *err)
{
    char salt[33], hash[65];
    if (!check_name(name, err))
        return false;
    if (strlen(secret) < LEAST)
        return error_set(err, ERROR_USAGE, "token %s: expected a secret of %d characters or more",
                         name, LEAST);
    if (!make_salt(salt, err) || !store_begin(s, err))
        return false;
    hash_of(salt, secret, strlen(secret), hash);
    if (add(s, name, salt, hash, err) && audit_token(s, name, actor, "add", err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_token_revoke(Store *s, const char *name, const char *actor, Error *err)
{
    if (!store_begin(s, err))
        return false;
    bool ok = store_exec(s, err, "UPDATE tokens SET revoked = ?2 WHERE name = ?1 AND revoked = 0",
                         "ti", name, time_now());
    if (ok && sqlite3_changes(s->db) == 0)
        ok = error_set(err, ERROR_USAGE, "no token %.80s that counts; lathe token list shows them",
                       name);
    if (ok && audit_token(s, name, actor, "revoke", err))
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

bool store_tokens(Store *s, Arena *a, TokenRow **out, size_t *n, Error *err)
{
    VEC(TokenRow) rows = {0};
    bool ok;
    sqlite3_stmt *q =
        store_query(s, err, "SELECT name, created, revoked FROM tokens ORDER BY name", "");
    while (store_next(s, q, &ok, err))
        vec_add(&rows, (TokenRow){store_text(q, 0, a), sqlite3_column_int64(q, 1),
                                  sqlite3_column_int64(q, 2)});
    store_give(&rows, a, out, n);
    return ok;
}

/* All 64 digits, whatever the first ones are. */
static bool same(const char *a, const char *b)
{
    unsigned char differ = 0;
    for (size_t i = 0; i < 64; i++)
        differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}

bool store_token_check(Store *s, const char *secret, size_t n, Arena *a, const char **name)
{
    bool ok, known = false;
    if (name)
        *name = "";
    sqlite3_stmt *q =
        store_query(s, NULL, "SELECT name, salt, hash FROM tokens WHERE revoked = 0", "");
    while (store_next(s, q, &ok, NULL)) {
        char hash[65];
        const char *kept = (const char *)sqlite3_column_text(q, 2);
        hash_of((const char *)sqlite3_column_text(q, 1), secret, n, hash);
        if (!kept || strlen(kept) != 64 || !same(hash, kept))
            continue;
        known = true;
        if (name)
            *name = store_text(q, 0, a);
    }
    return ok && known;
}
