/* token.c -- lathe token: the bearer tokens of servers that listen beyond loopback. */
#include "command_int.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static void actor_name(char *into, size_t size)
{
    const struct passwd *p = getpwuid(geteuid());
    if (p)
        snprintf(into, size, "%s", p->pw_name);
    else
        snprintf(into, size, "user %ld", (long)geteuid());
}

/* 256 bits in hexadecimal, with a mark by which a scanner of repositories finds what slipped into one. */
static bool make_secret(char out[80], Error *err)
{
    uint8_t byte[32];
    if (getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte)
        return error_set(err, ERROR_IO, "token: the system has no random numbers");
    int n = snprintf(out, 80, "lathe_");
    for (size_t i = 0; i < sizeof byte; i++)
        n += snprintf(out + n, 80 - (size_t)n, "%02x", byte[i]);
    return true;
}

static bool run_list(CommandCall *call, json_t **result, Error *err)
{
    Arena a = {0};
    TokenRow *row;
    size_t n;
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_tokens(s, &a, &row, &n, err);
    *result = ok ? json_array() : NULL;
    for (size_t i = 0; ok && i < n; i++) {
        json_t *o = json_object();
        result_text(o, "name", row[i].name);
        result_time(o, "created", row[i].created);
        result_time(o, "revoked", row[i].revoked);
        json_array_append_new(*result, o);
    }
    store_close(s);
    arena_release(&a);
    return ok;
}

static bool run_add(CommandCall *call, json_t **result, Error *err)
{
    char secret[80], actor[64];
    actor_name(actor, sizeof actor);
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok =
        s && make_secret(secret, err) && store_token_add(s, call_word(call, 0), secret, actor, err);
    store_close(s);
    if (!ok)
        return false;
    *result = json_object();
    result_text(*result, "name", call_word(call, 0));
    result_text(*result, "token", secret);
    result_text(*result, "note", "shown this once; send it as Authorization: Bearer TOKEN");
    return true;
}

static bool run_revoke(CommandCall *call, json_t **result, Error *err)
{
    char actor[64];
    actor_name(actor, sizeof actor);
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && store_token_revoke(s, call_word(call, 0), actor, err);
    store_close(s);
    if (!ok)
        return false;
    *result = json_object();
    result_text(*result, "revoked", call_word(call, 0));
    return true;
}

static const Arg name_arg[] = {{.name = "NAME", .kind = ARG_WORD, .about = "whose it is"}, ARG_END};

static const Command list_verb = {.name = "list",
                                  .about = "the tokens there are",
                                  .example = "lathe token list",
                                  .run = run_list};
static const Command add_verb = {.name = "add",
                                 .about = "makes a token and shows it, once",
                                 .example = "lathe token add ci",
                                 .args = name_arg,
                                 .run = run_add};
static const Command revoke_verb = {.name = "revoke",
                                    .about =
                                        "servers no longer take it, within a fraction of a second",
                                    .example = "lathe token revoke ci",
                                    .args = name_arg,
                                    .run = run_revoke};
static const Command *const verbs[] = {&list_verb, &add_verb, &revoke_verb, NULL};

const Command token_command = {
    .name = "token",
    .about = "who may ask a server that listens beyond loopback",
    .details = "Of a token only a salt and a SHA-256 are kept. Who adds or revokes one stands in "
               "the audit.",
    .example = "lathe token add ci",
    .verbs = verbs,
};
