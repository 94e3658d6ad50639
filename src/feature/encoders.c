/* encoders.c -- the registry made from encoders.h. */
#include "feature_int.h"
#include "encoders.h"

#define AS_EXTERN(name) extern const Encoder name##_encoder;
#define AS_ENTRY(name)  &name##_encoder,
ENCODERS(AS_EXTERN)

const Encoder *encoder_find(const char *name)
{
    for (size_t i = 0; encoders[i]; i++)
        if (text_equal(encoders[i]->name, name))
            return encoders[i];
    return NULL;
}

const Encoder *const encoders[] = {ENCODERS(AS_ENTRY) NULL};
