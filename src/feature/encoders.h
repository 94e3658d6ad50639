/* encoders.h -- the one list of encoders: a new one is a file and a row here. */
#define ENCODERS(X) \
    X(standard) X(quantile) X(spike) X(raw) X(flag) X(onehot) X(embed) X(timestamp)
