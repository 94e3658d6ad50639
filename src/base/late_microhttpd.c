/* late_microhttpd.c -- libmicrohttpd, loaded by the first server, with GnuTLS behind it. See late.h. */
#include "late.h"

#include <microhttpd.h>

#include <stdarg.h>

LATE(MICROHTTPD, void, MHD_stop_daemon, (struct MHD_Daemon *d), (d))
LATE(MICROHTTPD, enum MHD_Result, MHD_is_feature_supported, (enum MHD_FEATURE feature), (feature))
LATE(MICROHTTPD, enum MHD_Result, MHD_add_connection,
     (struct MHD_Daemon *d, MHD_socket socket, const struct sockaddr *from, socklen_t size), (d, socket, from, size))
LATE(MICROHTTPD, void, MHD_suspend_connection, (struct MHD_Connection *c), (c))
LATE(MICROHTTPD, void, MHD_resume_connection, (struct MHD_Connection *c), (c))
LATE(MICROHTTPD, const char *, MHD_lookup_connection_value,
     (struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key), (c, kind, key))
LATE(MICROHTTPD, enum MHD_Result, MHD_queue_response,
     (struct MHD_Connection *c, unsigned status, struct MHD_Response *r), (c, status, r))
LATE(MICROHTTPD, void, MHD_destroy_response, (struct MHD_Response *r), (r))
LATE(MICROHTTPD, enum MHD_Result, MHD_add_response_header,
     (struct MHD_Response *r, const char *name, const char *value), (r, name, value))
LATE(MICROHTTPD, struct MHD_Response *, MHD_create_response_from_buffer_with_free_callback,
     (size_t size, void *buffer, MHD_ContentReaderFreeCallback done), (size, buffer, done))

/* The library's own form for a list of options that someone else began to read. */
struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback may, void *may_context,
                                    MHD_AccessHandlerCallback handle, void *context, ...)
{
    LATE_REAL(MICROHTTPD, MHD_start_daemon_va)
    va_list options;
    va_start(options, context);
    struct MHD_Daemon *d = real(flags, port, may, may_context, handle, context, options);
    va_end(options);
    return d;
}

/* No kind of information takes a further argument. */
const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c, enum MHD_ConnectionInfoType what, ...)
{
    LATE_REAL(MICROHTTPD, MHD_get_connection_info)
    return real(c, what);
}
