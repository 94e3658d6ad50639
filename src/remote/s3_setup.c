/* s3_setup.c -- who asks S3, and where: the environment, else the profile files.
 *
 * The variables and files are those of Amazon's own tools, in their order: keys in the environment win
 * over a profile, AWS_REGION over AWS_DEFAULT_REGION over the profile's. A profile that gets its keys by
 * a role, single sign-on or a program is named and refused. The files are read here and not by inih,
 * whose lines end at 200 characters in Debian's build: a session token is longer. */
#include "remote_int.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MOST ((size_t)4 << 20)

typedef struct Profile {
    const char *name;
    bool found;
    char *access, *secret, *token, *region, *endpoint, *role;
} Profile;

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* ---- the files ------------------------------------------------------------------------------------- */

static char *trim(char *s)
{
    s += strspn(s, " \t\r");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        s[--n] = 0;
    return s;
}

static void put(char **into, const char *value)
{
    mem_free(*into);
    *into = *value ? text_copy(value) : NULL;
}

static void take_setting(Profile *p, const char *key, const char *value)
{
    static const char *const elsewhere[] = {"role_arn", "sso_session", "sso_start_url",
                                            "credential_process", "web_identity_token_file"};
    if (text_equal(key, "aws_access_key_id"))
        put(&p->access, value);
    else if (text_equal(key, "aws_secret_access_key"))
        put(&p->secret, value);
    else if (text_equal(key, "aws_session_token"))
        put(&p->token, value);
    else if (text_equal(key, "region"))
        put(&p->region, value);
    else if (text_equal(key, "endpoint_url"))
        put(&p->endpoint, value);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (text_equal(key, elsewhere[i]))
            put(&p->role, key);
}

/* [name] in credentials; [profile name], and [default], in config */
static bool is_section_of(char *line, const Profile *p, bool config)
{
    char *end = strchr(line, ']');
    if (end)
        *end = 0;
    char *name = trim(line + 1);
    if (config && !text_equal(name, "default")) {
        if (!text_starts(name, "profile") || !strchr(" \t", name[7]) || !name[7])
            return false;
        name = trim(name + 7);
    }
    return text_equal(name, p->name);
}

static bool read_profiles(Profile *p, const char *path, bool config, bool wanted, Error *err)
{
    Text text = {0};
    if (!file_exists(path) && !wanted)
        return true;
    if (!file_read(path, &text, FILE_MOST, err))
        return false;
    bool inside = false;
    char *rest = text.at ? text.at : NULL;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        bool nested = *line == ' ' || *line == '\t'; /* of a setting with settings of its own */
        line = trim(line);
        if (*line == '[') {
            inside = is_section_of(line, p, config);
            p->found |= inside;
            continue;
        }
        char *equals = strchr(line, '=');
        if (!inside || nested || !equals || *line == '#' || *line == ';')
            continue;
        *equals = 0;
        take_setting(p, trim(line), trim(equals + 1));
    }
    if (text.at)
        explicit_bzero(text.at, text.count);
    text_release(&text);
    return true;
}

static void add_home(Text *into)
{
    const char *home = env("HOME");
    struct passwd *me = home ? NULL : getpwuid(getuid());
    text_puts(into, home ? home : me ? me->pw_dir : "");
}

static bool read_file(Profile *p, const char *variable, const char *name, bool config, Error *err)
{
    Text path = {0};
    const char *given = env(variable);
    if (given && *given != '~') {
        text_puts(&path, given);
    } else {
        add_home(&path);
        text_puts(&path, given ? given + 1 : name);
    }
    bool ok = read_profiles(p, text_str(&path), config, given != NULL, err) ||
              error_in(err, "%s", given ? variable : "S3 profiles");
    text_release(&path);
    return ok;
}

static bool load_profile(Profile *p, Error *err)
{
    const char *named = env("AWS_PROFILE") ? env("AWS_PROFILE") : env("AWS_DEFAULT_PROFILE");
    p->name = named ? named : "default";
    if (!read_file(p, "AWS_CONFIG_FILE", "/.aws/config", true, err) ||
        !read_file(p, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", false, err))
        return false;
    return p->found || !named ||
           error_set(err, ERROR_USAGE,
                     "AWS_PROFILE=%s: no such profile in ~/.aws/credentials or ~/.aws/config",
                     named);
}

static void forget(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    mem_free(*secret);
    *secret = NULL;
}

static void profile_release(Profile *p)
{
    forget(&p->access), forget(&p->secret), forget(&p->token);
    mem_free(p->region), mem_free(p->endpoint), mem_free(p->role);
}

/* ---- both ------------------------------------------------------------------------------------------- */

static bool choose_keys(S3Setup *s, const Profile *p, Error *err)
{
    const char *access = env("AWS_ACCESS_KEY_ID"), *secret = env("AWS_SECRET_ACCESS_KEY");
    if (!access != !secret)
        return error_set(err, ERROR_USAGE, "%s is set but %s is not; set both, or none",
                         access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                         access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    Text from = {0};
    if (access) {
        s->access = text_copy(access), s->secret = text_copy(secret);
        s->token = env("AWS_SESSION_TOKEN") ? text_copy(env("AWS_SESSION_TOKEN")) : NULL;
        text_puts(&from, "the environment");
    } else if (p->access && p->secret) {
        s->access = text_copy(p->access), s->secret = text_copy(p->secret);
        s->token = p->token ? text_copy(p->token) : NULL;
        text_printf(&from, "profile %s", p->name);
    } else if (p->access || p->secret) {
        return error_set(err, ERROR_USAGE,
                         "profile %s: aws_access_key_id and aws_secret_access_key belong together",
                         p->name);
    } else if (p->role) {
        return error_set(
            err, ERROR_USAGE,
            "profile %s gets its keys by %s, which lathe does not ask; put keys into the "
            "environment (aws configure export-credentials --format env)",
            p->name, p->role);
    }
    s->from = text_take(&from);
    return true;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

static bool check_place(const S3Setup *s, Error *err)
{
    if (s->endpoint && !text_starts(s->endpoint, "http://") &&
        !text_starts(s->endpoint, "https://"))
        return error_set(err, ERROR_USAGE,
                         "AWS_ENDPOINT_URL: expected http:// or https://, found '%s'", s->endpoint);
    for (const char *c = s->region; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *c))
            return error_set(err, ERROR_USAGE,
                             "AWS_REGION: expected a region such as eu-west-1, "
                             "found '%s'",
                             s->region);
    return true;
}

bool s3_setup_load(S3Setup *s, Error *err)
{
    Profile p = {0};
    *s = (S3Setup){0};
    bool ok = load_profile(&p, err) && choose_keys(s, &p, err);
    if (ok) {
        const char *region = first_of(env("AWS_REGION"), env("AWS_DEFAULT_REGION"), p.region);
        const char *endpoint =
            first_of(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL"), p.endpoint);
        s->region_known = region != NULL;
        s->region = text_copy(region ? region : "us-east-1");
        s->endpoint = endpoint ? text_copy(endpoint) : NULL;
        for (size_t n = endpoint ? strlen(endpoint) : 0; n && s->endpoint[n - 1] == '/';)
            s->endpoint[--n] = 0;
        ok = check_place(s, err);
    }
    profile_release(&p);
    if (!ok)
        s3_setup_release(s);
    return ok;
}

void s3_setup_release(S3Setup *s)
{
    forget(&s->access), forget(&s->secret), forget(&s->token);
    mem_free(s->region), mem_free(s->endpoint), mem_free(s->from);
    *s = (S3Setup){0};
}
