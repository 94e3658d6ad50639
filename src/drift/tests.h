/* tests.h -- the one list of drift tests; its order is the order of help and forms. */
#define DRIFT_TESTS(X) \
    X(ks)              \
    X(wasserstein)     \
    X(jensen_shannon)  \
    X(chi_square)      \
    X(z_proportion)    \
    X(psi)             \
    X(psi_deciles)     \
    X(kl)              \
    X(hellinger)       \
    X(l_infinity)      \
    X(total_variation) \
    X(pca_reconstruction) \
    X(domain_classifier)
