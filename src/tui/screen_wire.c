/* screen_wire.c -- what curses writes, on its way to the terminal. See screen_wire.h. */
#include "screen_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- looks ---------------------------------------------------------------------------------------------- */

static bool is_attr(long v)
{
    return v >= 1 && v <= 9;
}

/* The attributes that 22 to 29 take away: 22 both 1 and 2. */
static unsigned taken_by(long v)
{
    return v == 22 ? 1u << 1 | 1u << 2 : 1u << (v - 20);
}

static void set_colour(WireLook *l, const char *at, size_t n, long v)
{
    char *to = v / 10 == 4 || v / 10 == 10 ? l->back : l->fore; /* 40 to 49, 100 to 107 */
    snprintf(to, sizeof l->fore, "%.*s", v == 39 || v == 49 ? 0 : (int)n, at);
}

/* Length of the parameter at `at`: with what belongs to it, as in 38;5;215. */
static size_t parameter(const char *at, const char *end, long v)
{
    size_t n = strcspn(at, ";m");
    bool extended = (v == 38 || v == 48) && n == 2 && at[n] == ';';
    int more = extended ? at[n + 1] == '5' ? 2 : 4 : 0;
    while (more-- > 0 && at + n < end && at[n] == ';')
        n += 1 + strcspn(at + n + 1, ";m");
    return n;
}

/* ESC [ ... m, from behind the bracket to the m. False: there is something in it that is not known here. */
static bool take_look(WireLook *l, const char *at, const char *end)
{
    for (bool first = true; first || at < end; first = false, at++) {
        long v = strtol(at, NULL, 10);
        size_t n = parameter(at, end, v);
        if (n >= sizeof l->fore)
            return false;
        if (v == 0)
            *l = (WireLook){0};
        else if (is_attr(v))
            l->attrs |= 1u << v;
        else if (v >= 22 && v <= 29)
            l->attrs &= ~taken_by(v);
        else if ((v >= 30 && v <= 49) || (v >= 90 && v <= 107))
            set_colour(l, at, n, v);
        else if (v != 10) /* the usual letters, which are never left */
            return false;
        at += n;
    }
    return true;
}

static void add_part(Text *out, const char *part)
{
    if (*part)
        text_printf(out, ";%s", part);
}

/* What is taken away is taken away by 0, which every terminal has. */
static void send_look(Wire *w)
{
    const WireLook *to = &w->asked;
    WireLook *now = &w->now;
    bool less = now->attrs & ~to->attrs || (*now->fore && !*to->fore) || (*now->back && !*to->back);
    Text parts = {0};
    if (w->unsure || less) {
        *now = (WireLook){0};
        text_puts(&parts, ";0");
    }
    for (int i = 1; i <= 9; i++)
        if (to->attrs & ~now->attrs & 1u << i)
            text_printf(&parts, ";%d", i);
    add_part(&parts, text_equal(to->fore, now->fore) ? "" : to->fore);
    add_part(&parts, text_equal(to->back, now->back) ? "" : to->back);
    if (parts.count)
        text_printf(&w->out, "\033[%sm", text_str(&parts) + 1);
    text_release(&parts);
    *now = *to;
    w->unsure = false;
}

/* ---- the stream ---------------------------------------------------------------------------------------------- */

/* Length of the sequence that begins at an Esc; 0: it does not end here. */
static size_t sequence(const char *at, size_t n)
{
    size_t i = 2;
    if (n < 2)
        return 0;
    if (at[1] == '[') {
        while (i < n && (at[i] < 0x40 || at[i] > 0x7e))
            i++;
        return i < n ? i + 1 : 0;
    }
    if (at[1] == ']' || at[1] == 'P') { /* up to a bell or Esc \ */
        while (i < n && at[i] != '\a' && !(at[i] == '\\' && at[i - 1] == '\033'))
            i++;
        return i < n ? i + 1 : 0;
    }
    while (i - 1 < n && at[i - 1] >= 0x20 && at[i - 1] < 0x30) /* as in Esc ( B */
        i++;
    return i <= n ? i : 0;
}

/* One that paints nothing: the cursor goes somewhere, a mode, a name. */
static bool paints_nothing(const char *at, size_t n)
{
    if (at[1] == ']' || at[1] == 'P')
        return true;
    return at[1] == '[' ? strchr("ABCDEFGHdf`a", at[n - 1]) || at[2] == '?' : strchr("(7=>", at[1]) != NULL;
}

static bool is_letter(char c)
{
    return (unsigned char)c >= ' ';
}

/* Length of what stands there: a sequence, a control character, or letters as far as they go. */
static size_t piece(const char *at, size_t n)
{
    size_t i = *at == '\033' ? sequence(at, n) : 1;
    while (is_letter(*at) && i < n && is_letter(at[i]))
        i++;
    return i ? i : n;
}

void wire_thin(Wire *w, const char *bytes, size_t n)
{
    for (size_t i = 0, length; i < n; i += length) {
        const char *at = bytes + i;
        length = piece(at, n - i);
        bool csi = length > 2 && at[1] == '[', look = csi && at[length - 1] == 'm' && at[2] != '>' && at[2] != '?';
        if (look && take_look(&w->asked, at + 2, at + length - 1))
            continue;
        if (length == 3 && !memcmp(at, "\033(B", 3) && !w->unsure)
            continue; /* a part of "no look" in many descriptions; curses is never asked for another alphabet */
        if (*at == '\033' ? !paints_nothing(at, length) : is_letter(*at))
            send_look(w);
        text_add(&w->out, at, length);
        w->unsure |= look;
    }
    send_look(w);
}

/* ---- between curses and the terminal ---------------------------------------------------------------------------- */

void wire_init(Wire *w, int terminal)
{
    int file = memfd_create("screen", MFD_CLOEXEC);
    *w = (Wire){.terminal = terminal, .unsure = true, .caught = file > 0 ? file : 0};
}

void wire_release(Wire *w)
{
    if (w->caught)
        close(w->caught);
    text_release(&w->out);
}

void wire_catch(Wire *w)
{
    w->spare = w->caught ? fcntl(w->terminal, F_DUPFD_CLOEXEC, 0) : -1;
    if (w->spare >= 0)
        dup3(w->caught, w->terminal, O_CLOEXEC);
}

static void write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, 1000);
        } else if (done < 0 && errno != EINTR) {
            return; /* the terminal has gone: the loop is told so by poll */
        }
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

void wire_send(Wire *w)
{
    if (w->spare < 0)
        return;
    dup3(w->spare, w->terminal, O_CLOEXEC);
    close(w->spare);
    off_t n = lseek(w->caught, 0, SEEK_END);
    char *bytes = n > 0 ? mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, w->caught, 0) : MAP_FAILED;
    text_reset(&w->out);
    if (bytes != MAP_FAILED) {
        wire_thin(w, bytes, (size_t)n);
        munmap(bytes, (size_t)n);
        lseek(w->caught, 0, SEEK_SET);
        if (ftruncate(w->caught, 0) < 0)
            w->unsure = true;
    }
    write_all(w->terminal, w->out.count ? w->out.at : "", w->out.count);
    wire_count(w, w->out.count);
}

void wire_count(Wire *w, size_t bytes)
{
    w->sent += bytes;
}
