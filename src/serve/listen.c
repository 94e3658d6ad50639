/* listen.c -- ADDRESS:PORT to a listening socket: loopback, or anywhere for a server that is guarded. */
#include "serve_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAITING 512 /* connections that the system keeps for us until we take them */

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} Address;

/* "127.0.0.1:8808", "[::1]:8808", "localhost:8808" */
static bool parse(const char *text, Address *out, socklen_t *size, Error *err)
{
    char host[64];
    int64_t port;
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (!colon || !n || n >= sizeof host || !text_to_int(colon + 1, strlen(colon + 1), &port) ||
        port < 0 || port > 65535)
        return error_set(err, ERROR_USAGE,
                         "listen=%.80s: expected ADDRESS:PORT, such as 127.0.0.1:8808", text);
    bool bracketed = text[0] == '[' && text[n - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? n - 2 : n), text + bracketed);
    const char *name = strcmp(host, "localhost") ? host : "127.0.0.1";
    *out = (Address){0};
    if (!bracketed && inet_pton(AF_INET, name, &out->four.sin_addr) == 1) {
        out->four.sin_family = AF_INET;
        out->four.sin_port = htons((uint16_t)port);
        *size = sizeof out->four;
        return true;
    }
    if (bracketed && inet_pton(AF_INET6, host, &out->six.sin6_addr) == 1) {
        out->six.sin6_family = AF_INET6;
        out->six.sin6_port = htons((uint16_t)port);
        *size = sizeof out->six;
        return true;
    }
    return error_set(err, ERROR_USAGE,
                     "listen=%.80s: expected an address in numbers, such as 127.0.0.1 or [::1]",
                     text);
}

static bool is_loopback(const Address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->four.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->six.sin6_addr);
}

static void print(const Address *a, char said[80])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (a->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->four.sin_addr, host, sizeof host);
        snprintf(said, 80, "%s:%u", host, (unsigned)ntohs(a->four.sin_port));
    } else {
        inet_ntop(AF_INET6, &a->six.sin6_addr, host, sizeof host);
        snprintf(said, 80, "[%s]:%u", host, (unsigned)ntohs(a->six.sin6_port));
    }
}

bool listen_is_loopback(const char *address, bool *out, Error *err)
{
    Address a;
    socklen_t size;
    if (!parse(address, &a, &size, err))
        return false;
    *out = is_loopback(&a);
    return true;
}

int listen_open(const char *address, bool guarded, char said[80], Error *err)
{
    Address a;
    socklen_t size;
    if (!parse(address, &a, &size, err))
        return -1;
    if (!guarded && !is_loopback(&a)) {
        error_set(
            err, ERROR_USAGE,
            "listen=%.80s: beyond loopback (127.0.0.1, [::1]) only with TLS and a token: give "
            "cert=FILE key=FILE, and lathe token add NAME",
            address);
        return -1;
    }
    int on = 1, fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, &a.any, size) != 0 || listen(fd, WAITING) != 0 ||
        getsockname(fd, &a.any, &size) != 0) {
        error_set(err, ERROR_IO, "listen=%.80s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    print(&a, said);
    return fd;
}
