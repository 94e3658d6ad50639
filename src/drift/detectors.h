/* detectors.h -- the one list of streaming detectors; its order is the order of help and forms. */
#define DETECTORS(X) \
    X(adwin)         \
    X(page_hinkley)  \
    X(ddm)           \
    X(eddm)          \
    X(kswin)         \
    X(hddm_a)        \
    X(hddm_w)
