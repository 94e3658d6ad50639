/* recipe_int.h -- what the files of the recipe room share: words, trees, vectors, rules, frames.
 *
 * The way of a rule:
 *
 *     text --lexer.c--> words --a rule's parse--> its settings, with trees of Node
 *          --a rule's bind (expr_check.c)--> typed trees, and the columns that come out (Shape)
 *          --a rule's apply (expr_eval.c)--> a Frame: the columns of one chunk, and who is alive
 *
 * Rows that a rule drops stay in the Frame and are only marked; plan_apply gathers the living once,
 * at the end. So a dropped row is still computed on, and its result is never seen. */
#ifndef LATHE_RECIPE_INT_H
#define LATHE_RECIPE_INT_H

#include <lathe/recipe.h>

/* ---- words: lexer.c ------------------------------------------------------------------------ */

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_STRING, /* '...' or "...": text */
    TOKEN_NAME,   /* a bare word: keyword, function or column */
    TOKEN_QUOTED, /* `...` or [...]: always a column */
    TOKEN_SIGN
} TokenKind;

typedef struct Token {
    TokenKind kind;
    uint32_t column;  /* where it begins, in characters from 1 */
    const char *text; /* its value without quotes, or the sign; in the arena */
    size_t size;
    double real;      /* NUMBER */
    int64_t integer;  /* NUMBER, when whole */
    bool whole;
} Token;

/* Reads one rule or one expression. After the first failure every call fails and err is set. */
typedef struct Parser {
    const char *text; /* the line */
    size_t at;        /* bytes read; behind `now` */
    Token now;        /* the word looked at */
    Arena *arena;
    Error *err;
    size_t line;      /* 0: errors name no line */
    uint32_t indent;  /* added to columns: what stood before the text on its line */
    unsigned depth;   /* of nested parentheses, against exhausting the stack */
    bool failed;
} Parser;

void parser_begin(Parser *p, const char *text, size_t line, Arena *a, Error *err);
void parser_next(Parser *p);
bool parser_fail(Parser *p, uint32_t column, const char *fmt, ...) PRINTF_LIKE(3, 4); /* false */
bool parser_expected(Parser *p, const char *what); /* "expected WHAT, found ..."; false */
bool parser_is(const Parser *p, const char *sign_or_word); /* words in any case */
bool parser_take(Parser *p, const char *sign_or_word);     /* and moves on */
bool parser_need(Parser *p, const char *sign_or_word);
bool parser_end(Parser *p);                                /* nothing may follow */
/* "line 3, column 12: ..."; line 0 leaves the line out. Always false. */
bool place_error(Error *err, size_t line, uint32_t column, const char *fmt, ...) PRINTF_LIKE(4, 5);

typedef struct NameAt {
    const char *name;
    uint32_t column; /* in the text */
    size_t field;    /* after bind: index among the columns */
} NameAt;
typedef struct NameList {
    size_t count;
    NameAt *at;
} NameList;
bool parser_name(Parser *p, NameAt *out);        /* a column's name, new or known */
bool parser_names(Parser *p, NameList *out);     /* A, B, C */
bool parser_number(Parser *p, Token *out);       /* with an optional minus */
bool parser_value(Parser *p, Token *out);        /* number, text, true, false or null (END) */
bool name_is_plain(const char *name);            /* needs no backticks */

/* ---- trees: expr_parse.c, expr_check.c ----------------------------------------------------- */

typedef struct Span {
    const char *at;
    size_t size;
} Span;

typedef enum Op {
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD,         /* arithmetic */
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,       /* comparison */
    OP_COUNT
} Op;

typedef struct Vector Vector;
/* Computes n rows. Missing values of the arguments are dealt with outside: out->has is set before
 * the call, and a kernel only clears entries (through vector_has). A REAL result that is not finite
 * becomes missing outside as well. Text arguments are spans. */
typedef void Kernel(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a);

typedef enum NodeKind {
    NODE_CONSTANT, /* type and value, or missing */
    NODE_COLUMN,   /* name, field */
    NODE_APPLY,    /* kernel over args; missing when one of them is */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_IS_NULL,
    NODE_CASE,     /* when, then, when, then, ..., else */
    NODE_COALESCE,
    NODE_IN,       /* x, items; after the check an APPLY */
    NODE_EVAL_END, /* the kinds below are gone after the check */
    NODE_BINARY,   /* op */
    NODE_NEGATE,
    NODE_BETWEEN,
    NODE_LIKE,
    NODE_CONCAT,
    NODE_CALL,     /* name */
    NODE_CAST      /* type */
} NodeKind;

typedef struct Node Node;
struct Node {
    NodeKind kind;
    ColumnType type;
    uint32_t column;   /* in the text */
    size_t slot;       /* place among the results of a block */
    bool numbered;     /* slot is set */
    Node *checked;     /* what the check made of it; trees may share branches */
    size_t args;
    Node **arg;
    Op op;
    Kernel *kernel;
    bool missing;      /* CONSTANT: null; its type is open until something asks */
    bool open;         /* CONSTANT null whose type is not known yet */
    bool null_item;    /* IN: the list has a null */
    const char *name;  /* COLUMN, CALL */
    size_t field;      /* COLUMN */
    union {            /* CONSTANT */
        double real;
        int64_t integer; /* INT, TIME, DATE, BOOL */
        Span text;       /* terminated */
    };
};

struct Expr {
    Arena arena;       /* of a public expression; empty inside a plan */
    Node *root;
    Node **node;       /* [nodes], by slot; arguments before those who use them */
    size_t nodes;
};

typedef struct ShapeField {
    const char *name;
    ColumnType type;
    Role role;
    bool on_target;             /* is the target, or was computed from it */
    bool private;
} ShapeField;

/* The columns while a plan is bound, rule by rule. Arena memory. */
typedef struct Shape {
    ShapeField *field;
    size_t count, room;
    Arena *arena;
    size_t line;                /* of the rule being bound */
    Error *err;
    VEC(size_t) reads;          /* fields (before the rule) that its outcome depends on */
    VEC(const char *) writes;   /* columns it changes or makes */
} Shape;

Node *expr_parse_tree(Parser *p);                         /* NULL on failure */
Node *node_column(Arena *a, const char *name, uint32_t column);
Node *node_call(Arena *a, const char *function, Node *argument); /* for rules that are one call */
Node *node_constant(Arena *a, const Token *value);        /* of parser_value */
Expr *expr_bind(Node *tree, Shape *s);                    /* NULL on failure */
bool  expr_bind_bool(Node *tree, Shape *s, const char *who, Expr **out); /* must be true or false */
Node *node_cast(Arena *a, Node *from, ColumnType to);     /* checked nodes; NULL: no such cast */
Kernel *kernel_compare(Op op, ColumnType type);
Kernel *kernel_arithmetic(Op op, ColumnType type);
Kernel *kernel_negate(ColumnType type);
Kernel *kernel_cast(ColumnType from, ColumnType to);      /* NULL: no such cast */
Kernel *kernel_in(ColumnType type);
Kernel kernel_like;
bool node_fold(Node *n, Arena *a); /* a node over constants becomes a constant */
bool text_to_bool(const char *s, size_t n, bool *out);
Span span_trim(Span s);

size_t shape_need(Shape *s, const NameAt *name);          /* field, or SIZE_MAX and the error */
bool shape_need_all(Shape *s, NameList *names);           /* fills in field, notes reads */
size_t shape_find(const Shape *s, const char *name);
void shape_read(Shape *s, size_t field);
void shape_write(Shape *s, const char *name);
void shape_add(Shape *s, const char *name, ColumnType type, Role role);
void shape_remove(Shape *s, size_t field);

/* ---- vectors: expr_eval.c ------------------------------------------------------------------ */

#define TEXT_MOST 16384 /* bytes of one rule or expression */
#define BLOCK_ROWS 2048 /* rows computed at a time, so that temporaries stay in the cache */

/* One node's results for one block. DATE and BOOL are widened (int64, byte). TEXT is a span a row,
 * or a code a row into `word` (not all distinct). Where has is 0, truth is 0. */
struct Vector {
    ColumnType type;
    bool constant;          /* every row the same */
    const uint8_t *has;     /* [n] 1: has a value; NULL: all have */
    union {
        const uint8_t *truth;
        const int64_t *integer;
        const double *real;
        const Span *span;
    };
    const int32_t *code;    /* TEXT, coded: span is not set */
    const Span *word;
    size_t words;
    void *buffer;           /* room for n results, this node's own */
    uint8_t *has_buffer;    /* [n] */
};

uint8_t *vector_has(Vector *v, size_t n);  /* writable, all 1 where it was NULL */
#define VECTOR_OUT(type, out) ((type *)(out)->buffer)

size_t type_size(ColumnType t);            /* of an element in a Vector */
void bits_unpack(const uint8_t *bits, size_t from, size_t n, uint8_t *bytes);
void bits_pack(const uint8_t *bytes, size_t n, uint8_t *bits);
/* A text column from spans; words where they repeat. has NULL: all. */
bool column_of_spans(const Span *span, const uint8_t *has, size_t rows, Arena *a, Column *out,
                     Error *err);
/* The same from a code a row into words that need not be distinct. */
bool column_of_codes(const int32_t *code, const Span *word, size_t words, const uint8_t *has,
                     size_t rows, Arena *a, Column *out, Error *err);
void column_valid(const uint8_t *has, size_t rows, Arena *a, Column *out); /* sets out->valid */
void column_missing(ColumnType type, size_t rows, Arena *a, Column *out); /* name stays */

/* ---- functions: functions.c ---------------------------------------------------------------- */

/* takes: a letter an argument. R number as float64; N number, whole if all N are; T text; S any,
 * printed as text; M moment (timestamp or date, as timestamp). A final '?' makes the last argument
 * optional, a final '*' lets it repeat. gives: R, N, T, I (int64), B. */
typedef struct Function {
    FunctionKind kind;
    const char *takes;
    char gives;
    Kernel *kernel;   /* for REAL (and everything that is not N) */
    Kernel *whole;    /* N: for INT */
    Node *(*expand)(Arena *a, Node *call); /* instead of a kernel: what it stands for, unchecked */
    const char *example;
} Function;
extern const Function number_functions[], text_functions[], date_functions[], logic_functions[];
const Function *function_find(const char *name);
const Function *function_nearest(const char *name);
const Function *function_at(size_t i);
size_t function_least(const Function *f); /* arguments */
size_t function_most(const Function *f);  /* SIZE_MAX: any number */

/* ---- statistics from training rows: fit.c -------------------------------------------------- */

typedef struct Step Step;

typedef enum NeedKind { NEED_MOMENTS, NEED_QUARTILES, NEED_MODE } NeedKind;

/* What a rule wants to know of a column; filled in by plan_fit or from JSON. */
typedef struct Need {
    NeedKind kind;
    const char *name;
    size_t field;             /* among the columns before the rule */
    ColumnType type;
    bool fitted;
    uint64_t count;           /* training rows with a value; 0: nothing is known */
    double mean, deviation;   /* MOMENTS; deviation with n-1 */
    double low, middle, high; /* QUARTILES 25, 50, 75 % (type 7 of Hyndman and Fan) */
    double number;            /* MODE of numbers; the smallest of the most frequent */
    Span word;                /* MODE of text; the first in byte order */
} Need;

size_t step_needs(const Step *step, Need **first); /* how many */

/* ---- rules --------------------------------------------------------------------------------- */

/* One chunk on its way through the rules. Columns are replaced, never written into. */
typedef struct Frame {
    size_t rows, columns;
    Column *column;           /* [room of the plan] */
    uint8_t *alive;           /* [rows] 1: still there */
    size_t living;
    uint16_t *reason;         /* [rows], or NULL: nobody asks */
    Arena *arena;
    const Chunk *in;
    struct Memory *memory;    /* of the rule that runs, if it has one */
    size_t rule;              /* number of the rule that runs, from 0 */
    uint64_t failed, judged;  /* expect: rows that failed, rows that had an answer */
    uint8_t *fails;           /* expect: [rows] 1 where it failed; NULL: the rule is no expect */
    uint64_t first_failed;    /* origin of the first */
} Frame;
void frame_chunk(const Frame *f, Chunk *out);          /* the columns as a chunk, all rows */
void frame_drop(Frame *f, const uint8_t *keep);        /* [rows] 1 stays */
/* The values as float64, NaN where missing; of REAL without missing rows, the column's own. */
const double *column_reals(const Column *c, Arena *a);

/* A rule while it is said in ONNX, onnx.c */
typedef struct OnnxAt OnnxAt;
const char *onnx_before(const OnnxAt *at, const char *name); /* a column before the rule; NULL: it cannot be said */
/* The same, and this value where it is missing. */
const char *onnx_filled(const OnnxAt *at, const char *column, ColumnType type, double number, const char *word);

typedef struct Rule {
    RuleKind kind;
    size_t size;                                       /* of its settings */
    bool (*parse)(Parser *p, void *self);              /* what follows the name */
    bool (*bind)(void *self, Shape *s);                /* checks, and says what comes out */
    bool (*apply)(const void *self, Frame *f, Error *err);
    size_t (*needs)(void *self, Need **first);         /* NULL: no statistics */
    bool drops;                                        /* rows */
    bool ordered;                                      /* has a Memory; sees chunks in their order */
    double (*gate)(const void *self);                  /* expect: share of rows that must hold */
    const char *(*onnx)(const void *self, const OnnxAt *at); /* the column it writes; NULL: it cannot be said */
    const char *(*before)(const void *self, const char *name); /* rename: what it was called */
} Rule;
const Rule *rule_at(size_t i);
/* Finds the rule whose name opens the line, parses the rest. NULL on failure. */
const Rule *rule_parse(Parser *p, void **self);
bool rule_check(const char *text, size_t line, uint32_t indent, Error *err); /* syntax only */

/* What an ordered rule remembers across chunks: the rows it has seen, as 128-bit hashes. {0} is
 * empty. memory.c */
typedef struct Memory {
    uint64_t (*seen)[2];      /* [room], a power of two */
    size_t count, room;
    unsigned shift;           /* of a hash's upper half: what is left is its place */
    bool in_file;
    const char *dir;          /* for such a file; NULL: TMPDIR, else /var/tmp */
    uint64_t heap_most;       /* bytes; 0: an eighth of the memory */
    uint64_t touched;         /* bytes of the file since pages were let go of */
} Memory;
/* The hashes whose fresh[i] is 1, in their order: it stays 1 for those that were not there. */
bool memory_add(Memory *m, uint64_t (*hash)[2], size_t n, uint8_t *fresh, Error *err);
void memory_release(Memory *m);

/* ---- plans: plan.c ------------------------------------------------------------------------- */

struct Step {
    const Rule *rule;
    void *self;
    size_t line;              /* in the recipe's text */
    size_t index;             /* of the rule in the recipe, those switched off counted */
    const char *text;
    bool on_target;           /* depends on the target, which scoring does not have */
    size_t reads, writes;
    const size_t *read;       /* fields before the step */
    const char *const *write; /* names */
    ShapeField *field;        /* the columns before the step */
    size_t fields;
};

struct Plan {
    Arena arena;
    char *text;               /* of the recipe */
    Schema in, out;
    Step *step;
    size_t steps, width;      /* width: most columns at any step */
    bool fitted;              /* no statistic is left to compute */
    size_t rules;             /* of the recipe, those switched off counted */
};

struct PlanState {
    size_t count;
    Memory *memory;           /* [steps] */
};

#define RULES_MOST 256
Plan *plan_create_until(const Recipe *r, size_t rules, const Schema *in, Error *err);
bool frame_begin(Frame *f, const Plan *p, const Chunk *in, Arena *a, bool *no_target, Error *err);
bool frame_step(Frame *f, const Plan *p, size_t step, PlanState *state, bool no_target, Error *err);
/* The rows that live; with or without where they come from. left.c */
void frame_finish(const Frame *f, bool origin, Chunk *out);

/* Where chunks come from: a dataset, a sample of one, or a list in a test. */
typedef struct ChunkSource {
    size_t count;
    uint64_t rows;
    void (*get)(void *context, size_t i, Arena *a, Chunk *out);
    void *context;
} ChunkSource;
ChunkSource source_of_dataset(const Dataset *d);
bool plan_fit_source(Plan *p, const ChunkSource *from, const Split *split, Pool *pool,
                     Progress *progress, const Stop *stop, Error *err);
void plan_note_fitted(Plan *p); /* sets p->fitted: nothing is left to fit */

/* Runs steps [0, until) over all chunks: in parallel, `ordered` rules one chunk after the other.
 * `each` sees chunk i's frame on a worker, before step s (s == until: at the end); `merge` sees
 * it afterwards, in the order of chunks, on the caller. Either may be NULL. */
typedef struct Pass {
    const Plan *plan;
    size_t until;
    Pool *pool;
    Progress *progress;
    const Stop *stop;
    const char *dir; /* for what does not fit into memory; NULL: TMPDIR, else /var/tmp */
    bool (*each)(void *context, size_t i, size_t step, Frame *f, Error *err);
    bool (*merge)(void *context, size_t i, Frame *f, Error *err);
    void *context;
} Pass;
bool pass_run(const Pass *pass, const ChunkSource *from, Error *err);

/* Marks rows where the columns differ; one has a value and the other not counts. */
void column_differ(const Column *before, const Column *after, uint8_t *changed, Arena *arena);

/* The frame as it was before a step. */
typedef struct Watch {
    Column *column;
    size_t columns, living;
    uint8_t *alive;           /* who lived; NULL unless asked for */
} Watch;
void watch_begin(Watch *w, const Frame *f);
const Column *watch_before(const Watch *w, const char *name); /* NULL: there was none */
const Column *frame_column(const Frame *f, const char *name);
uint8_t *watch_changed(const Watch *w, const Frame *f, const Step *step); /* [rows] 0 or 1 */

/* How two columns go together: means, and sums of squares and products around them. {0} is empty. leak.c */
typedef struct Together { double n, x, y, xx, yy, xy; } Together;
void together_add(Together *t, const double *x, const double *y, const uint8_t *alive, size_t rows);
void together_merge(Together *t, const Together *one);
double together_r(const Together *t);                  /* NaN: too few, or one does not vary */
const char *leak_target(const Plan *p);                /* NULL: the schema names none */
void leak_tell(const Plan *p, const Step *step, const char *const *name, const Together *with, size_t columns,
               Preview *out);

/* Values and how often they occur, in the order they appeared. {0} is empty. */
typedef struct Tally {
    Span word;
    uint64_t count[2];        /* preview: before, after */
} Tally;
typedef struct Counter {
    VEC(Tally) list;
    uint32_t *slot;           /* [room] index into list + 1, 0 = free */
    size_t room;
    Arena arena;              /* the words */
} Counter;
void counter_add(Counter *c, Span word, size_t side, uint64_t count);
void counter_release(Counter *c);

json_t *fit_to_json(const Plan *p);
bool fit_from_json(Plan *p, const json_t *from, Error *err);

#endif
