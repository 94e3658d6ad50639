/* doctor.c -- lathe doctor: what is installed, what the terminal can do, is the workspace whole? */
#include "doctor_int.h"

#include <lathe/nn.h>

#include <cblas.h>
#include <curl/curl.h>
#include <langinfo.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

typedef struct DoctorSettings { int verify; } DoctorSettings;

static json_t *libraries(void)
{
    json_t *o = json_object();
    result_text(o, "sqlite", sqlite3_libversion());
    result_text(o, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
    result_text(o, "zlib", zlibVersion());
    result_text(o, "zstd", ZSTD_versionString());
    result_text(o, "openblas", openblas_get_config());
    result_text(o, "jansson", jansson_version_str());
    return o;
}

#define RATE_SIDE    512 /* a cache's worth of a matrix */
#define RATE_SECONDS 0.05

static void product_rate(json_t *about, json_t *rates, Products p, Precision as, const char *name,
                         const CommandCall *call)
{
    Text text = {0};
    Error err = {0};
    if (!products_there(p, as, &err)) {
        result_text(about, name, err.text);
        return;
    }
    products_about(p, as, &text);
    result_text(about, name, text_str(&text));
    result_real(rates, name, products_rate(p, as, RATE_SIDE, RATE_SECONDS, call->pool));
    text_release(&text);
}

/* Who can multiply matrices here (products=, precision=), and how fast on all threads. */
static void products(json_t *into, const CommandCall *call)
{
    json_t *about = json_object(), *rates = json_object();
    for (int p = 0; p < PRODUCTS_COUNT; p++)
        product_rate(about, rates, (Products)p, PRECISION_FLOAT32, products_names[p], call);
    product_rate(about, rates, PRODUCTS_ONEDNN, PRECISION_BF16, "bf16", call);
    json_object_set_new(into, "products", about);
    json_object_set_new(into, "products_gflops", rates);
}

/* A program on the PATH, without running it. */
static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    Arena arena = {0};
    char *rest = arena_text(&arena, path ? path : ""), *dir;
    bool found = false;
    while (!found && (dir = strsep(&rest, ":")))
        found = *dir && access(arena_printf(&arena, "%s/%s", dir, program), X_OK) == 0;
    arena_release(&arena);
    return found;
}

static json_t *machine(const CommandCall *call)
{
    struct utsname name;
    json_t *o = json_object();
    if (uname(&name) == 0)
        result_text(o, "system", name.release);
    result_int(o, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    result_int(o, "threads_used", (int64_t)pool_threads(call->pool));
    Text memory = {0};
    text_add_bytes(&memory, (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
    result_text(o, "memory", text_str(&memory));
    text_release(&memory);
    result_text(o, "gnuplot", on_path("gnuplot") ? "found" : "missing: plots need gnuplot-nox");
    return o;
}

static json_t *terminal(void)
{
    static const char *const names[] = {"TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "TMUX",
                                        "SSH_TTY", "LATHE_THEME"};
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            result_text(o, names[i], getenv(names[i]));
    const char *color = getenv("COLORTERM"), *term = getenv("TERM");
    bool full = color && (strstr(color, "truecolor") || strstr(color, "24bit"));
    result_text(o, "colours", getenv("NO_COLOR")               ? "off"
                              : full                           ? "truecolor"
                              : term && strstr(term, "256")    ? "256"
                              : term && strcmp(term, "dumb")   ? "16 or fewer"
                                                               : "none");
    result_text(o, "characters", strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "UTF-8" : "ASCII only");
    json_object_set_new(o, "is_terminal", json_boolean(isatty(STDOUT_FILENO)));
    return o;
}

/* Recomputes the hash of every dataset file: slow, so only when asked. */
static bool verify_all(Store *s, const CommandCall *call, json_t *findings, Error *err)
{
    Arena arena = {0};
    DatasetRow *rows;
    size_t n;
    bool ok = store_datasets(s, &arena, &rows, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        Error bad = {0};
        Dataset *d = dataset_open(store_path(s, &arena, "datasets/%s.arrow", rows[i].hash), &bad);
        if (!d || !dataset_verify(d, call->pool, &bad))
            json_array_append_new(findings, json_string(bad.text));
        dataset_close(d);
    }
    arena_release(&arena);
    return ok;
}

static bool workspace(const CommandCall *call, json_t *into, Error *err)
{
    const DoctorSettings *set = call->settings;
    result_text(into, "workspace", call->workspace);
    if (!file_exists(call->workspace)) {
        result_text(into, "health", "no workspace there yet; ingest makes it");
        return true;
    }
    json_t *findings = json_array();
    doctor_disk(call->workspace, findings); /* it may be why the store does not open */
    bool told = json_array_size(findings) > 0; /* then the store's own words are one more of them */
    Error why = {0};
    Store *s = call_store(call, STORE_READ, &why);
    bool ok = s && store_check(s, findings, &why) && (!set->verify || verify_all(s, call, findings, &why));
    if (!ok && told)
        json_array_append_new(findings, json_pack("{s:s, s:s}", "level", "error", "text", why.text));
    else if (!ok && err)
        *err = why;
    if (ok && store_warning(s))
        json_array_append_new(findings, json_string(store_warning(s)));
    if (ok)
        result_text(into, "health", json_array_size(findings) ? "see findings" : "whole");
    if (!ok)
        result_text(into, "health", "cannot be read");
    if (json_array_size(findings))
        json_object_set(into, "findings", findings);
    json_decref(findings);
    store_close(s);
    return ok || told;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    *result = json_object();
    result_text(*result, "lathe", LATHE_VERSION);
    json_object_set_new(*result, "libraries", libraries());
    products(*result, call);
    json_object_set_new(*result, "machine", machine(call));
    json_object_set_new(*result, "terminal", terminal());
    return workspace(call, *result, err);
}

static const Param params[] = {
    PARAM_BOOL(DoctorSettings, verify, "verify", 0, "recompute the hash of every dataset, too"), PARAM_END};

const Command doctor_command = {
    .name = "doctor",
    .about = "what is installed, what the terminal can do, is the workspace whole",
    .example = "lathe doctor verify=yes",
    .params = params,
    .params_size = sizeof(DoctorSettings),
    .run = run,
};
