/* ops.c -- the one list of operators. A new operator is one descriptor and one word in OPS. */
#include "nn_int.h"

#define AS_ENTRY(name) &name##_op,
const Op *const ops[] = {OPS(AS_ENTRY) NULL};
