/* families.c -- the registry. A new family is one file and one word in MODEL_FAMILIES. */
#include <lathe/model.h>

#include "families.h"

#define AS_EXTERN(name) extern const ModelFamily name##_family;
#define AS_ENTRY(name)  &name##_family,
MODEL_FAMILIES(AS_EXTERN)
const ModelFamily *const model_families[] = {MODEL_FAMILIES(AS_ENTRY) NULL};

const ModelFamily *model_family(const char *name)
{
    for (size_t i = 0; model_families[i]; i++)
        if (text_equal(model_families[i]->name, name))
            return model_families[i];
    return NULL;
}

bool model_family_takes(const ModelFamily *family, const Param *row)
{
    return !(row->by_batch && family && family->whole_batch);
}
