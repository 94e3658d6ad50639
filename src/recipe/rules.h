/* rules.h -- the one list of cleaning rules. Its order is the order in help and manual.
 *
 * A rule is one file with one const Rule at its foot, and one row here. The smallest to copy is
 * drop_missing.c. */
#define RULES(X)     \
    X(drop_missing)  \
    X(keep)          \
    X(drop)          \
    X(derive)        \
    X(clip)          \
    X(impute)        \
    X(replace)       \
    X(cast)          \
    X(drop_outliers) \
    X(dedupe)        \
    X(rename)        \
    X(drop_column)   \
    X(keep_column)   \
    X(trim)          \
    X(lower)         \
    X(upper)         \
    X(expect)
