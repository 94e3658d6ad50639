/* base.h -- the ground floor: errors, memory, text, threads, random numbers, files, time, settings.
 *
 * Nothing here knows a table, a model or a screen. The rules that hold in the whole house:
 *
 *   - What can fail takes a last `Error *err` and returns bool (or a pointer, NULL on failure).
 *     It leaves err alone on success and sets it once on failure.
 *   - x_create/x_destroy and x_open/x_close own the object; x_init/x_release fill and empty the
 *     caller's storage; a zeroed struct may be released, NULL may be destroyed.
 *   - Small requests for memory abort when refused; sizes that the user's data set are asked for
 *     with mem_try and become ERROR_SPACE.
 *   - No mutable globals. Randomness travels as Rng *, threads as Pool *, time as a value.
 *
 *     Error err = {0};
 *     Text text = {0};
 *     if (!file_read("taxi.recipe", &text, 1 << 20, &err))
 *         fprintf(stderr, "%s\n", err.text);   // taxi.recipe: cannot open: No such file ...
 *     text_release(&text);
 */
#ifndef LATHE_BASE_H
#define LATHE_BASE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* ---- errors ------------------------------------------------------------------------------- */

#define ERROR_KINDS(X)  /* name, meaning */ \
    X(USAGE, "asked for in the wrong way")          /* exit 2; every other kind is exit 1 */ \
    X(IO,    "could not read or write")             \
    X(PARSE, "could not make sense of the data")    \
    X(SHAPE, "sizes or kinds do not agree")         \
    X(SPACE, "too large for the memory there is")   \
    X(STOP,  "stopped on request")

#define AS_ENUM(name, meaning) ERROR_##name,
typedef enum ErrorKind { ERROR_NONE, ERROR_KINDS(AS_ENUM) } ErrorKind;
#undef AS_ENUM

typedef struct Error {
    ErrorKind kind;  /* for callers that branch */
    char text[400];  /* for people, one line: the place, what was expected, what was found */
} Error;

/* Both always return false, so a failing function can `return error_set(...)`. err may be NULL. */
bool error_set(Error *err, ErrorKind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool error_in(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3); /* puts "place: " in front */

/* ---- memory ------------------------------------------------------------------------------- */

void *mem_alloc(size_t size);              /* zeroed; aborts when there is none */
void *mem_resize(void *old, size_t size);  /* aborts when there is none; new bytes undefined */
void *mem_try(size_t size, Error *err);    /* zeroed, 64-byte aligned; NULL and ERROR_SPACE */
void *mem_copy(const void *from, size_t size);
char *text_copy(const char *from);         /* NULL stays NULL */
void  mem_free(void *p);                   /* for all of the above */

/* An Arena hands out memory that goes all at once. {0} is an empty arena. One thread at a time. */
typedef struct Arena { struct ArenaBlock *block; size_t used; } Arena;
void *arena_alloc(Arena *a, size_t size);          /* zeroed, 64-byte aligned; aborts */
void *arena_raw(Arena *a, size_t size);            /* as it comes: for what is filled at once */
char *arena_text(Arena *a, const char *from);
char *arena_printf(Arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
void  arena_reset(Arena *a);                       /* empty again, memory kept */
void  arena_release(Arena *a);
#define ARENA_NEW(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/* A Vec is a growing array: `struct { T *at; size_t count, room; }`, zeroed to begin with. */
#define VEC(T) struct { T *at; size_t count, room; }
#define vec_add(v, ...) (*vec_slot(v) = (__VA_ARGS__))
#define vec_slot(v) (vec_grow_((void **)&(v)->at, &(v)->count, &(v)->room, sizeof *(v)->at), \
                     &(v)->at[(v)->count - 1])
#define vec_last(v) (&(v)->at[(v)->count - 1])
#define vec_release(v) (mem_free((v)->at), (v)->at = NULL, (v)->count = (v)->room = 0)
#define vec_reserve(v, n) vec_reserve_((void **)&(v)->at, &(v)->room, (n), sizeof *(v)->at) /* room for so many */
void vec_grow_(void **at, size_t *count, size_t *room, size_t size);
void vec_reserve_(void **at, size_t *room, size_t n, size_t size);

/* ---- text --------------------------------------------------------------------------------- */

/* A growing string, always terminated once something was added; {0} is "" (text_str gives ""). */
typedef struct Text { char *at; size_t count, room; } Text;
void  text_add(Text *t, const char *bytes, size_t n);
void  text_puts(Text *t, const char *s);
void  text_putc(Text *t, char c);
void  text_printf(Text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void  text_reset(Text *t);
void  text_release(Text *t);
char *text_take(Text *t);             /* the caller frees with mem_free; t is empty again */
const char *text_str(const Text *t);  /* borrowed until the next change */

bool   text_equal(const char *a, const char *b);              /* NULL equals NULL */
bool   text_starts(const char *s, const char *prefix);
bool   text_ends(const char *s, const char *suffix);
bool   text_has_word(const char *words, const char *word); /* one of them, with blanks between */
bool   text_like(const char *s, size_t n, const char *pattern); /* SQL LIKE: % and _, UTF-8 */
size_t text_distance(const char *a, const char *b);           /* edits, for "did you mean" */
/* The nearest of n names, or NULL when none is near: the tail of "no column X, did you mean Y?" */
const char *text_nearest(const char *word, const char *const *names, size_t n);

/* Numbers as people and files write them. Both parse the whole of [s, s+n) or return false. */
bool text_to_real(const char *s, size_t n, double *out); /* also nan, inf; correctly rounded */
bool text_to_int(const char *s, size_t n, int64_t *out);
void text_add_real(Text *t, double value);        /* shortest form that reads back the same */
void text_add_int(Text *t, int64_t value);
void text_add_count(Text *t, double value);       /* 12,345 or 1.2M; for screens */
void text_add_bytes(Text *t, double bytes);       /* 1.4 GB */
void text_add_seconds(Text *t, double seconds);   /* 850 ms, 12 s, 3 m 04 s, 2 h 10 m */

/* UTF-8 measured in terminal columns. */
uint32_t utf8_next(const char **s, const char *end); /* U+FFFD for a broken byte; moves s */
bool     utf8_valid(const char *s, size_t n);
size_t   utf8_width(const char *s, size_t n);        /* columns; wide = 2, combining = 0 */
size_t   utf8_fit(const char *s, size_t n, size_t columns); /* bytes that fit in so many columns */

/* ---- settings that are declared once ------------------------------------------------------- */

/* A Param row says everything about one setting: the form, the check, completion, --help, the
 * manual, the tuner's space and the stored form derive from it. Tables end with PARAM_END.
 * The settings live in a plain struct; a row knows its field's place in it.
 * Text fields are char* owned by the struct (params_init allocates, params_release frees).    */
typedef enum ParamKind { PARAM_KIND_END, PARAM_KIND_BOOL, PARAM_KIND_INT, PARAM_KIND_REAL,
                         PARAM_KIND_PICK, PARAM_KIND_TEXT, PARAM_KIND_SIZES } ParamKind;
typedef struct ParamSizes { int count; int at[8]; } ParamSizes; /* "128,128": layer widths */

typedef struct Param {
    ParamKind kind;
    const char *name;            /* as typed: lr=, hidden= */
    size_t offset;               /* of the field in the settings' struct */
    double normal, least, most;  /* default and range (INT, REAL; SIZES: range of one size) */
    const char *text;            /* default of TEXT and SIZES as text; "" for none */
    const char *const *picks;    /* PICK: NULL-ended names; the field is an int index */
    const char *unit, *help;
    bool log;                    /* searched and nudged on a logarithmic scale */
    bool live;                   /* may be changed while a run trains */
    bool by_batch;               /* says nothing to a family whose steps take all rows */
    bool required;
} Param;

#define PARAM_BOOL(S, f, n, dflt, hlp, ...) \
    { .kind = PARAM_KIND_BOOL, .name = n, .offset = offsetof(S, f), .normal = dflt, .most = 1, \
      .unit = "", .help = hlp, __VA_ARGS__ }
#define PARAM_INT(S, f, n, dflt, lo, hi, un, hlp, ...) \
    { .kind = PARAM_KIND_INT, .name = n, .offset = offsetof(S, f), .normal = dflt, .least = lo, \
      .most = hi, .unit = un, .help = hlp, __VA_ARGS__ }
#define PARAM_REAL(S, f, n, dflt, lo, hi, un, hlp, ...) \
    { .kind = PARAM_KIND_REAL, .name = n, .offset = offsetof(S, f), .normal = dflt, .least = lo, \
      .most = hi, .unit = un, .help = hlp, __VA_ARGS__ }
#define PARAM_PICK(S, f, n, dflt, names, hlp, ...) \
    { .kind = PARAM_KIND_PICK, .name = n, .offset = offsetof(S, f), .normal = dflt, \
      .picks = names, .unit = "", .help = hlp, __VA_ARGS__ }
#define PARAM_TEXT(S, f, n, dflt, hlp, ...) \
    { .kind = PARAM_KIND_TEXT, .name = n, .offset = offsetof(S, f), .text = dflt, .unit = "", \
      .help = hlp, __VA_ARGS__ }
#define PARAM_SIZES(S, f, n, dflt, lo, hi, un, hlp, ...) \
    { .kind = PARAM_KIND_SIZES, .name = n, .offset = offsetof(S, f), .text = dflt, .least = lo, \
      .most = hi, .unit = un, .help = hlp, __VA_ARGS__ }
#define PARAM_END { .kind = PARAM_KIND_END }

const Param *param_find(const Param *rows, const char *name);           /* NULL if absent */
void params_init(const Param *rows, void *settings);                    /* the defaults */
void params_release(const Param *rows, void *settings);                 /* frees TEXT fields */
/* Parses, checks range; "lr: expected a number from 1e-06 to 1, found 'fast'" (ERROR_USAGE). */
bool param_set(const Param *row, void *settings, const char *value, Error *err);
bool params_set(const Param *rows, void *settings, const char *name, const char *value, Error *err);
void param_get(const Param *row, const void *settings, Text *into);     /* round-trips */
void param_default(const Param *row, Text *into);
void param_range(const Param *row, Text *into);   /* "1e-06 .. 1", "relu | gelu", "sizes 1 .. 4096" */

/* ---- randomness ---------------------------------------------------------------------------- */

/* xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64. The state is the struct: copy it
 * to save it. The same seed and stream give the same numbers on every machine. */
typedef struct Rng { uint64_t s[4]; } Rng;
void     rng_seed(Rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(Rng *r);
double   rng_unit(Rng *r);                       /* [0, 1) */
double   rng_normal(Rng *r);
uint64_t rng_below(Rng *r, uint64_t n);          /* unbiased */
void     rng_shuffle(Rng *r, uint32_t *order, size_t n);
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed); /* 64 bits, well mixed; for tables */

/* ---- threads ------------------------------------------------------------------------------- */

/* A fixed set of workers for loops inside one piece of work. pool_run calls body(job, i, worker)
 * for i in [0, count) on all threads (the caller is one of them) and returns when all are done.
 * No allocation. Which thread takes which i is not fixed: sum per i, then in order of i.
 * worker is in [0, pool_threads). One pool_run at a time; not from inside a body.
 * A NULL pool means "on the caller alone".                                                    */
typedef struct Pool Pool;
/* Who goes first where there are more threads than processors; of the calling thread and what it starts. */
void thread_prompt(void);       /* a person waits for it: short turns, soon. Not for what it starts. */
void thread_patient(int nice);  /* much work and nobody waits: long turns, after the others (nice: 0 to 19) */

Pool  *pool_create(size_t threads);              /* 0: as many as there are cores */
void   pool_destroy(Pool *pool);
size_t pool_threads(const Pool *pool);
void   pool_run(Pool *pool, size_t count, void (*body)(void *job, size_t i, size_t worker), void *job);
/* The same, but a thread begins with its own part of the i's, the same part each time, and then helps the
 * others: what it wrote in the last loop is still in its cache. */
void   pool_run_near(Pool *pool, size_t count, void (*body)(void *job, size_t i, size_t worker), void *job);

/* Stopping is a question: the owner raises the flag, the worker asks once a batch. */
typedef struct Stop { atomic_bool asked; } Stop;
void stop_ask(Stop *s);
bool stop_asked(const Stop *s);                  /* NULL: never */

/* How far a piece of work is: newest wins, may be skipped. The worker writes, anyone reads.
 * NULL everywhere means nobody looks. */
typedef struct Progress {
    _Atomic uint64_t done, total;                /* total 0: not known */
    _Atomic(const char *) unit;                  /* "bytes", "rows"; static text */
    _Atomic(const char *) what;                  /* "reading", "sorting"; static text */
    _Atomic double since;                        /* clock_now when that began */
    Stop stop;                                   /* raised by the one who looks */
    /* Set before the work begins, or NULL: */
    const Stop *also;                            /* another's, that ends the work as well; borrowed */
    void (*look)(void *context);                 /* called now and then by the thread that began the work, */
    void *context;                               /* which may ask for a stop there: see progress_look */
} Progress;
void progress_begin(Progress *p, const char *what, const char *unit, uint64_t total);
void progress_add(Progress *p, uint64_t more);
bool progress_stopped(const Progress *p);        /* NULL: never. Any thread. */
/* Calls look: by the caller of a pool_run alone (worker 0), between two pieces of work. */
void progress_look(const Progress *p);

/* ---- several processes ------------------------------------------------------------------------ */

/* The processes that do one piece of work together, each on its share of the rows: started by mpirun in
 * a build with LATHE_MPI (team_mpi.c). NULL is a team of one, which is what everybody else has: every
 * call below takes it and does nothing. Member 0 leads: it alone has the store. All members make the
 * same calls in the same order, each from one thread. The first failure (a member is gone, or silent for
 * too long) is kept: from then on every call returns false at once and leaves its numbers as they are.
 *
 *     team_sum_f32(team, gradient, n);         // each its own before, all of them the sum after
 *     if (!team_sound(team, err))              // asked once a step, not after every call
 *         return false;                                                                               */
typedef struct Team Team;
bool   team_open(Team **out, const Stop *stop, Error *err); /* NULL without mpirun; stop: borrowed */
void   team_close(Team *t);
size_t team_rank(const Team *t);
size_t team_size(const Team *t);
/* Each element becomes its sum over the members. Whole numbers wrap around, so their sums are exact. */
bool   team_sum_f32(Team *t, float *at, size_t n);
bool   team_sum_f64(Team *t, double *at, size_t n);
bool   team_sum_u32(Team *t, uint32_t *at, size_t n);
bool   team_sum_u64(Team *t, uint64_t *at, size_t n);
bool   team_tell(Team *t, size_t from, void *at, size_t size); /* what that member has, to all */
bool   team_await(Team *t, void *at, size_t size); /* the leader's word, however long it takes */
bool   team_lost(const Team *t);                 /* a call has failed */
bool   team_sound(Team *t, Error *err);          /* looks whether the others live; false says who does not */
/* False for all if it is false for one: then all have the error of the first of these. */
bool   team_agree(Team *t, bool ok, Error *err);

/* ---- files, time, machine ------------------------------------------------------------------ */

bool file_read(const char *path, Text *into, size_t most, Error *err);
/* Writes to a new name beside path, flushes it to disk, renames: whole or not at all. */
bool file_write(const char *path, const void *bytes, size_t n, Error *err);
bool file_exists(const char *path);
bool dir_create(const char *path, Error *err);           /* with parents; there already is fine */
bool dir_flush(const char *path, Error *err);            /* fsync of the folder after a rename */
bool dir_remove(const char *path, Error *err);           /* with all that is in it */

/* Read-only, the whole file. Where it can no longer be read (it was cut short, its disk is gone) stand
 * zeros, from some byte on to the end, in place of a signal; then the map is torn. */
typedef struct FileMap { const uint8_t *at; size_t size; struct FileGuard *guard; } FileMap;
bool filemap_open(FileMap *m, const char *path, Error *err); /* size 0: at is a valid pointer */
bool filemap_of(FileMap *m, int fd, const char *name, Error *err); /* fd stays the caller's */
bool filemap_torn(const FileMap *m);  /* ask when a loop over it is done */
bool filemap_whole(const FileMap *m, const char *name, Error *err); /* the same, as an error */
void filemap_close(FileMap *m);
void filemap_guard(void); /* after others took SIGBUS: the guard stands in front of them again */

/* Bytes of memory this process may have: the machine's, or what limits and control groups leave. */
uint64_t machine_memory(void);

double  clock_now(void);                          /* seconds, monotonic */
int64_t time_now(void);                           /* microseconds since 1970 UTC */
/* Civil time (proleptic Gregorian, UTC). days: since 1970-01-01. */
int64_t date_days(int year, int month, int day);
void    date_civil(int64_t days, int *year, int *month, int *day);
void    time_format(int64_t micros, Text *into);  /* 2026-11-21 20:33:45, with .ffffff if any */
void    date_format(int32_t days, Text *into);    /* 2026-11-21 */
bool    time_parse(const char *s, size_t n, int64_t *micros); /* ISO forms, date or date and time */

/* SHA-256 (libcrypto), for names of datasets and models. */
typedef struct Sha256 Sha256;
Sha256 *sha256_create(void);
void    sha256_add(Sha256 *h, const void *bytes, size_t n);
void    sha256_finish(Sha256 *h, uint8_t out[32]); /* and destroys h */
void    sha256_bytes(const void *bytes, size_t n, uint8_t out[32]);
void    sha256_hex(const uint8_t digest[32], char out[65]);

/* One line to the log file of the workspace and, if asked, to standard error. */
typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;
typedef struct Log Log;
Log *log_open(const char *path, LogLevel least, Error *err); /* path NULL: standard error */
void log_close(Log *log);
void log_line(Log *log, LogLevel level, const char *fmt, ...) PRINTF_LIKE(3, 4); /* log may be NULL */

/* ---- models as others run them -------------------------------------------------------------- */

/* An ONNX model (onnx.ai) while it is written: values are named, nodes make values of values. Each
 * operator, encoder, rule and family says its own part, so the file follows from the same rows as the
 * scoring does. Everything handed in is copied; every name returned is the Onnx's.
 *
 *     const char *z = onnx_node(o, "Mul", x, onnx_floats(o, scale, width, 0), NULL);
 *     z = onnx_node(o, "Concat", z, y, NULL);
 *     onnx_set_whole(o, "axis", 1);                    // an attribute of the node made last
 */
typedef enum OnnxType { ONNX_FLOAT = 1, ONNX_WHOLE = 7, ONNX_TEXT = 8, ONNX_BOOL = 9, ONNX_REAL = 11 } OnnxType;
typedef struct Onnx Onnx;
Onnx *onnx_create(Error *err);                /* NULL: this build has no ONNX, and the error says why */
void  onnx_destroy(Onnx *o);
/* [rows][width]; `about` is for who feeds it. */
const char *onnx_input(Onnx *o, const char *name, OnnxType type, size_t width, const char *about);
void  onnx_output(Onnx *o, const char *value, const char *name, OnnxType type, size_t width, const char *about);
void  onnx_note(Onnx *o, const char *key, const char *text);
/* Constants. cols 0: one-dimensional. */
const char *onnx_floats(Onnx *o, const float *at, size_t rows, size_t cols);
const char *onnx_reals(Onnx *o, const double *at, size_t rows, size_t cols);
const char *onnx_wholes(Onnx *o, const int64_t *at, size_t n);
const char *onnx_float(Onnx *o, float value); /* of one number, which goes with any shape */
const char *onnx_real(Onnx *o, double value);
const char *onnx_whole(Onnx *o, int64_t value); /* of no dimension: Gather takes its axis away */
/* op: "Add"; "ml.LabelEncoder" of the domain ai.onnx.ml. Inputs end with NULL. */
const char *onnx_node(Onnx *o, const char *op, ...);
const char *onnx_node_of(Onnx *o, const char *op, const char *const *input, size_t n);
const char *onnx_cast(Onnx *o, const char *x, OnnxType to);
const char *onnx_reshape(Onnx *o, const char *x, const int64_t *shape, size_t rank);
const char *onnx_join(Onnx *o, const char *const *x, size_t n); /* side by side; one: itself */
void  onnx_set_whole(Onnx *o, const char *key, int64_t value);
void  onnx_set_wholes(Onnx *o, const char *key, const int64_t *at, size_t n);
void  onnx_set_float(Onnx *o, const char *key, float value);
void  onnx_set_floats(Onnx *o, const char *key, const float *at, size_t n);
void  onnx_set_text(Onnx *o, const char *key, const char *value);
void  onnx_set_texts(Onnx *o, const char *key, const char *const *at, const size_t *size, size_t n);
bool  onnx_write(const Onnx *o, Text *into, Error *err);

#endif
