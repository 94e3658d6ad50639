/* source.c -- where bytes come from: a path, a glob, "-", http(s)://, s3://; packed or not.
 *
 * A plain local file is read in place, from any thread. Everything else is a stream: pipes, packed
 * files, addresses. What cannot be opened a second time goes through a spool (spool.c), so that a
 * second pass is possible. Packing is told by content, never by name. */
#include "reader_int.h"

#include <lathe/remote.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct Source {
    char *name, *path;    /* for people: without secrets; of a local file, else NULL */
    int fd;               /* of a local regular file, else -1 */
    struct stat stat;     /* when it was opened */
    Stream *raw, *packed; /* bytes as they lie; unpacked, on top of raw */
    Stream *text;         /* from UTF-16, on top of those */
    Progress *progress;
    bool spooled;
    const char *packing;
    uint8_t head[16]; /* the first bytes, already taken from raw */
    size_t head_count, head_at;
    Stream replay; /* head, then raw */
};

/* ---- lists of sources ---- */

static bool is_url(const char *s)
{
    return strstr(s, "://") != NULL;
}

/* What a listing says of each object is kept: asking for thousands one by one takes long. */
static bool list_objects(const char *source, Names *out, Error *err)
{
    RemoteList l;
    if (!fetch_list(source, NULL, &l, err))
        return false;
    out->at = mem_alloc(l.count * sizeof *out->at);
    out->tag = mem_alloc(l.count * sizeof *out->tag);
    out->size = mem_alloc(l.count * sizeof *out->size);
    for (size_t i = 0; i < l.count; i++) {
        out->at[i] = text_copy(l.object[i].key);
        out->tag[i] = text_copy(l.object[i].tag);
        out->size[i] = l.object[i].size;
    }
    out->count = l.count;
    remote_list_release(&l);
    return true;
}

bool source_list(const char *source, Names *out, Error *err)
{
    *out = (Names){0};
    if (fetch_is_many(source))
        return list_objects(source, out, err);
    bool pattern = !is_url(source) && strpbrk(source, "*?[") && !file_exists(source);
    if (!pattern) {
        out->at = mem_alloc(sizeof *out->at);
        out->at[out->count++] = text_copy(source);
        return true;
    }
    glob_t found = {0};
    int failed = glob(source, GLOB_TILDE, NULL, &found);
    if (!failed) {
        out->at = mem_alloc(found.gl_pathc * sizeof *out->at);
        for (size_t i = 0; i < found.gl_pathc; i++)
            out->at[out->count++] = text_copy(found.gl_pathv[i]);
    }
    globfree(&found);
    return !failed || error_set(err, ERROR_IO, "%s: no file matches", source);
}

void names_release(Names *n)
{
    for (size_t i = 0; i < n->count; i++) {
        mem_free(n->at[i]);
        if (n->tag)
            mem_free(n->tag[i]);
    }
    mem_free(n->at), mem_free(n->tag), mem_free(n->size);
    *n = (Names){0};
}

/* ---- packing ---- */

/* The head that was looked at, then the rest. */
static bool replay_read(Stream *stream, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Source *s = (Source *)((char *)stream - offsetof(Source, replay));
    if (s->head_at == s->head_count)
        return s->raw->read(s->raw, into, room, got, err);
    size_t left = s->head_count - s->head_at;
    *got = left < room ? left : room;
    memcpy(into, s->head + s->head_at, *got);
    s->head_at += *got;
    return true;
}

static bool read_head(Source *s, Error *err)
{
    s->head_count = s->head_at = 0;
    while (s->head_count < sizeof s->head) {
        size_t got;
        if (!s->raw->read(s->raw, s->head + s->head_count, sizeof s->head - s->head_count, &got,
                          err))
            return false;
        if (!got)
            break;
        s->head_count += got;
    }
    return true;
}

/* Files that are no text at all, by their first bytes. */
static bool check_magic(const Source *s, Error *err)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } magic[] = {
        {"PK\3\4", 4, "a zip archive or spreadsheet; unpack it or save the sheet as CSV"},
        {"BZh", 3, "packed with bzip2; unpack it first (bunzip2)"},
        {"\xfd"
         "7zXZ",
         5, "packed with xz; unpack it first (unxz)"},
        {"SQLite format 3", 15, "an SQLite database; export the table as CSV"},
        {"%PDF", 4, "a PDF document, not a table"},
        {"\x7f"
         "ELF",
         4, "a program, not a table"},
        {"\x89PNG", 4, "a picture, not a table"},
        {"\x93NUMPY", 6, "a NumPy array; save it as CSV first"},
    };
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if (s->head_count >= magic[i].n && !memcmp(s->head, magic[i].bytes, magic[i].n))
            return error_set(err, ERROR_PARSE, "%s: is %s", s->name, magic[i].what);
    return true;
}

/* Text in UTF-16 says so with its first two bytes. */
static void choose_encoding(Source *s)
{
    bool little = s->head_count >= 2 && !memcmp(s->head, "\xff\xfe", 2);
    bool big = s->head_count >= 2 && !memcmp(s->head, "\xfe\xff", 2);
    if (little || big)
        s->text = utf16_stream(&s->replay, big);
}

static void choose_packing(Source *s)
{
    s->replay = (Stream){.read = replay_read};
    if (s->head_count >= 2 && !memcmp(s->head, "\x1f\x8b", 2)) {
        s->packing = "gzip";
        s->packed = gzip_stream(s->name, &s->replay);
    } else if (s->head_count >= 4 && !memcmp(s->head, "\x28\xb5\x2f\xfd", 4)) {
        s->packing = "zstd";
        s->packed = zstd_stream(s->name, &s->replay);
    } else {
        choose_encoding(s);
    }
}

/* ---- opening ---- */

static bool open_local(Source *s, Error *err)
{
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (s->fd < 0 || fstat(s->fd, &s->stat))
        return error_set(err, ERROR_IO, "%s: cannot open: %s", s->name, strerror(errno));
    if (S_ISDIR(s->stat.st_mode))
        return error_set(err, ERROR_IO,
                         "%s: is a folder; name a file or a pattern such as %s/*.csv", s->name,
                         s->name);
    if (!S_ISREG(s->stat.st_mode)) { /* a pipe: a stream that is read once */
        s->raw = file_stream(s->name, s->fd, s->progress);
        s->fd = -1;
        return true;
    }
    if (s->stat.st_size == 0)
        return error_set(err, ERROR_PARSE, "%s: is empty", s->name);
    posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    s->raw = file_stream(s->name, dup(s->fd), s->progress);
    s->raw->total = (uint64_t)s->stat.st_size;
    return true;
}

static bool open_raw(Source *s, const char *address, const SourceSetup *setup, Error *err)
{
    if (!strcmp(s->name, "-")) {
        s->raw = file_stream("standard input", dup(STDIN_FILENO), s->progress);
    } else if (fetch_knows(address)) {
        s->raw = http_stream(address, setup, err);
        if (!s->raw)
            return false;
    } else if (is_url(s->name) && !text_starts(s->name, "file://")) {
        return error_set(err, ERROR_USAGE,
                         "%s: expected a path, a pattern, -, http://, https:// or s3://", s->name);
    } else {
        s->path = text_copy(s->name + (text_starts(s->name, "file://") ? 7 : 0));
        if (!open_local(s, err))
            return false;
    }
    s->spooled = s->fd < 0 && setup && setup->spool_dir;
    if (s->spooled) {
        Stream *spool = spool_stream(s->raw, setup->spool_dir, err);
        if (!spool)
            return false;
        s->raw = spool;
    }
    return true;
}

Source *source_open(const char *name, const SourceSetup *setup, Error *err)
{
    Source *s = mem_alloc(sizeof *s);
    Arena arena = {0};
    *s = (Source){.fd = -1, .progress = setup ? setup->progress : NULL};
    s->name = text_copy(fetch_public_name(name, &arena));
    arena_release(&arena);
    if (!open_raw(s, name, setup, err) || !read_head(s, err) || !check_magic(s, err)) {
        source_close(s);
        return NULL;
    }
    if (!s->head_count) {
        error_set(err, ERROR_PARSE, "%s: is empty", source_name(s));
        source_close(s);
        return NULL;
    }
    choose_packing(s);
    return s;
}

void source_close(Source *s)
{
    if (!s)
        return;
    stream_close(s->text);
    stream_close(s->packed);
    stream_close(s->raw);
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s->name);
    mem_free(s->path);
    mem_free(s);
}

/* ---- reading ---- */

const char *source_name(const Source *s)
{
    return strcmp(s->name, "-") ? s->name : "standard input";
}

bool source_in_place(const Source *s)
{
    return s->fd >= 0 && !s->packed && !s->text;
}

int source_file(const Source *s)
{
    return s->fd;
}

uint64_t source_size(const Source *s)
{
    return s->fd >= 0 ? (uint64_t)s->stat.st_size : s->raw->total;
}

const char *source_encoding(const Source *s)
{
    return s->text ? "utf-16" : NULL;
}

const char *source_packing(const Source *s)
{
    return s->packing;
}

bool source_read_at(const Source *s, uint64_t from, void *into, size_t room, size_t *got,
                    Error *err)
{
    *got = 0;
    while (*got < room) {
        ssize_t n = pread(s->fd, (char *)into + *got, room - *got, (off_t)(from + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERROR_IO, "%s: cannot read: %s", s->name, strerror(errno));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return true;
}

bool source_read(Source *s, void *into, size_t room, size_t *got, Error *err)
{
    Stream *top = s->text ? s->text : s->packed ? s->packed : &s->replay;
    return top->read(top, into, room, got, err);
}

bool source_rewind(Source *s, Error *err)
{
    if (s->fd >= 0) {
        stream_close(s->raw);
        s->raw = file_stream(s->name, dup(s->fd), s->progress);
        s->raw->total = (uint64_t)s->stat.st_size;
        if (lseek(s->fd, 0, SEEK_SET) < 0) /* the copy shares the place */
            return error_set(err, ERROR_IO, "%s: cannot read again: %s", s->name, strerror(errno));
    } else if (!s->spooled) {
        return error_set(err, ERROR_IO, "%s: can be read only once", source_name(s));
    } else if (!spool_rewind(s->raw, err)) {
        return false;
    }
    stream_close(s->text);
    stream_close(s->packed);
    s->text = s->packed = NULL;
    if (!read_head(s, err))
        return false;
    choose_packing(s);
    return true;
}

bool source_unchanged(const Source *s, Error *err)
{
    struct stat now;
    if (s->fd < 0)
        return true;
    if (fstat(s->fd, &now))
        return error_set(err, ERROR_IO, "%s: cannot read: %s", s->name, strerror(errno));
    if (now.st_size != s->stat.st_size || now.st_mtim.tv_sec != s->stat.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != s->stat.st_mtim.tv_nsec)
        return error_set(err, ERROR_IO, "%s: changed while it was read; try again", s->name);
    return true;
}

static void stat_tag(const struct stat *at, char tag[128])
{
    snprintf(tag, 128, "%" PRIu64 "-%" PRId64 ".%09ld", (uint64_t)at->st_size,
             (int64_t)at->st_mtim.tv_sec, at->st_mtim.tv_nsec);
}

void source_tag(const Source *s, char tag[128])
{
    if (s->fd >= 0)
        stat_tag(&s->stat, tag);
    else
        memcpy(tag, s->raw->tag, 128);
}

static bool tag_now(const char *name, char tag[128])
{
    struct stat at;
    if (fetch_knows(name))
        return fetch_ask_tag(name, NULL, tag);
    if (stat(name + (text_starts(name, "file://") ? 7 : 0), &at) || !S_ISREG(at.st_mode))
        return false;
    stat_tag(&at, tag);
    return true;
}

bool source_tag_now(const Names *parts, char tag[128])
{
    if (parts->count == 1 && !parts->tag)
        return tag_now(parts->at[0], tag);
    Sha256 *all = sha256_create();
    uint8_t digest[32];
    char hex[65];
    bool ok = true;
    for (size_t i = 0; ok && i < parts->count; i++) {
        if (parts->tag)
            snprintf(tag, 128, "%s", parts->tag[i]);
        else
            ok = tag_now(parts->at[i], tag);
        sha256_add(all, parts->at[i], strlen(parts->at[i]) + 1);
        sha256_add(all, tag, strlen(tag) + 1);
    }
    sha256_finish(all, digest);
    sha256_hex(digest, hex);
    snprintf(tag, 128, "%zu files, %s", parts->count, hex);
    return ok;
}

bool source_changed(const char *source, const char *source_tag)
{
    Names parts;
    char now[128] = "";
    bool same = source_tag && source_tag[0] && source_list(source, &parts, NULL);
    if (!same)
        return true;
    same = source_tag_now(&parts, now) && !strcmp(now, source_tag);
    names_release(&parts);
    return !same;
}
