/* profile_int.h -- a column while it is being profiled; shared by the profile's files. */
#ifndef LATHE_PROFILE_INT_H
#define LATHE_PROFILE_INT_H

#include "data_int.h"

struct ColumnProfiler {
    ColumnType type;
    uint64_t count, missing;
    uint64_t zeros, negatives, nans, trues;
    uint64_t finite; /* behind mean and squares */
    double least, most, mean, squares;
    uint64_t shortest, longest;
    Frequent frequent; /* keys: mix64 of the bits, or of the text's hash */
    Hll *hll;          /* once `frequent` is not exact any more */
    unsigned floor;    /* no register of it is lower */
    uint64_t floor_at; /* how many rows until that is looked at again */
    Quantile quantile;
    uint64_t dice;
    uint64_t expected; /* rows that all parts together will see, if that is known; for samples */
};

/* So many rows of a column of numbers are looked at together, in the cache. */
#define PROFILE_BLOCK 2048
typedef uint64_t __attribute__((may_alias)) ProfileBits;
typedef struct ProfileBlock {
    size_t n, nans; /* what is neither missing nor NaN; how many NaN there were */
    bool finite;    /* none is infinite and there was no NaN */
    const ProfileBits *bits; /* [n] the doubles' bits (-0 is 0), or the integers */
    double v[PROFILE_BLOCK]; /* [n] */
    uint64_t room[PROFILE_BLOCK];
} ProfileBlock;
/* Rows [from, from + rows) of a column of REAL, INT, DATE or TIME. */
void profile_load(const Column *c, size_t from, size_t rows, ProfileBlock *b);

/* The number behind a key of the table. */
double profile_key_real(ColumnType type, uint64_t key);
/* The finite values of the exact table, ascending; the caller frees. */
Weighted *profile_table_sorted(const ColumnProfiler *p, size_t *n);
/* Before the table would lose a value: the sketches begin with all it holds. */
void profile_begin_sketches(ColumnProfiler *p);
static inline bool profile_is_full(const ColumnProfiler *p, size_t more)
{
    return !p->hll && p->frequent.used + more > frequent_most(&p->frequent);
}
/* These parts together will see so many rows. Have they seen more values than are counted exactly, they
 * all go over to sketches now, with samples as sparse as so many rows want them. Whether they have. */
bool profile_expect(ColumnProfiler *const *part, size_t parts, uint64_t rows);
/* With 0 for -0; returns whether all are finite. */
bool profile_copy_reals(double *restrict to, const double *restrict from, size_t n);
/* Keys whose counts will be shown but are estimates, most frequent first, and the sum of these. Returns
 * how many. */
#define PROFILE_RECOUNT (2 * PROFILE_TOP)
size_t profile_estimates(const ColumnProfiler *p, uint64_t *key, size_t most, uint64_t *rows);
/* Their true counts instead of the table. */
void profile_set_counts(ColumnProfiler *p, const uint64_t *key, const uint64_t *count, size_t n);
/* A block of finite values into zeros, negatives, least, most, mean, squares. */
void profile_add_moments(ColumnProfiler *p, const double *v, size_t n);

struct Profiler {
    size_t columns;
    char **name;
    ColumnProfiler **column;
    uint64_t rows;
};

#endif
