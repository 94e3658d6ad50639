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
};

/* The number behind a key of the table. */
double profile_key_real(ColumnType type, uint64_t key);
/* The finite values of the exact table, ascending; the caller frees. */
Weighted *profile_table_sorted(const ColumnProfiler *p, size_t *n);
/* Before the table would lose a value: the sketches begin with all it holds. */
void profile_begin_sketches(ColumnProfiler *p);
static inline bool profile_is_full(const ColumnProfiler *p, size_t more)
{
    return !p->hll && p->frequent.used + more > FREQUENT_MOST;
}
bool profile_all_finite(const double *v, size_t n);
/* A block of finite values into zeros, negatives, least, most, mean, squares. */
void profile_add_moments(ColumnProfiler *p, const double *v, size_t n);

#endif
