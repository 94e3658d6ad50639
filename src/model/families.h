/* families.h -- the one list of model families. Its order is the order on screen. */
#ifndef MODEL_FAMILIES_H
#define MODEL_FAMILIES_H

#define MODEL_FAMILIES(X)                                                                          \
    X(linear)                                                                                      \
    X(mlp)                                                                                         \
    X(resnet)                                                                                      \
    X(wide_deep)                                                                                   \
    X(ft_transformer)                                                                              \
    X(tab_transformer)                                                                             \
    X(tabnet)                                                                                      \
    X(tft)                                                                                         \
    X(gbdt)

#endif
