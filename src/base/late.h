/* late.h -- functions of libraries that are loaded when one of them is first called: of the shared objects that OpenBLAS,
 * oneDNN, libcurl, libmicrohttpd and snappy bring along, more than fifty, `lathe --version` and the screen need none,
 * and they are most of the time a start takes.
 *
 * A LATE row defines a function under the library's own name, so callers include the library's header and call it
 * as ever; it is nowhere said that it comes late but here. A library that is missing ends the program with one
 * line, as the dynamic linker would have at the start.
 *
 *     LATE(CURL, CURLcode, curl_easy_perform, (CURL *h), (h)) */
#ifndef LATHE_BASE_LATE_H
#define LATHE_BASE_LATE_H

#include <lathe/base.h>

#include <stdatomic.h>

/* library: the file it was found as when this was built; what the dynamic linker finds under that name comes first. */
void *late_symbol(const char *library, const char *name);

/* A pointer `real` of the function's own type, looked up once; threads that meet find the same. */
#define LATE_REAL(library, name)                                                                                       \
    static __typeof__(name) *_Atomic found;                                                                            \
    __typeof__(name) *real = atomic_load_explicit(&found, memory_order_acquire);                                       \
    if (!real) {                                                                                                       \
        *(void **)&real = late_symbol(LATHE_LATE_##library, #name);                                                    \
        atomic_store_explicit(&found, real, memory_order_release);                                                     \
    }

#define LATE(library, type, name, parameters, arguments)                                                               \
    type name parameters                                                                                               \
    {                                                                                                                  \
        LATE_REAL(library, name)                                                                                       \
        return real arguments;                                                                                         \
    }

#endif
