/* late.c -- functions of libraries that are loaded when one of them is first called. See late.h. */
#include "late.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *late_symbol(const char *library, const char *name)
{
    const char *file = strrchr(library, '/');
    void *handle = dlopen(file ? file + 1 : library, RTLD_LAZY);
    if (!handle)
        handle = dlopen(library, RTLD_LAZY); /* built with one that lies elsewhere */
    void *symbol = handle ? dlsym(handle, name) : NULL; /* the handle stays: so does the library */
    if (!symbol) {
        fprintf(stderr, "lathe: %s\n", dlerror());
        exit(1);
    }
    return symbol;
}
