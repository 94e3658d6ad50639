/* error.c -- one line that says what went wrong, of fixed size so that reporting cannot fail. */
#include <lathe/base.h>

#include <stdio.h>
#include <string.h>

/* One line whatever the data held: control characters would break the terminal and the log. */
static void make_one_line(char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    size_t lead = n; /* a character cut in half by the end of the buffer goes */
    while (lead > 0 && n - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead > 0 && (unsigned char)text[lead - 1] >= 0xC0) {
        unsigned char c = (unsigned char)text[lead - 1];
        size_t want = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        if (n - lead < want)
            text[lead - 1] = '\0';
    }
}

bool error_set(Error *err, ErrorKind kind, const char *fmt, ...)
{
    if (!err)
        return false;
    char text[sizeof err->text]; /* the arguments may point into err->text */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    make_one_line(text);
    err->kind = kind;
    memcpy(err->text, text, sizeof text);
    return false;
}

bool error_in(Error *err, const char *fmt, ...)
{
    if (!err)
        return false;
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    int place = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t at = place < 0 ? 0 : (size_t)place < sizeof text ? (size_t)place : sizeof text - 1;
    const char *tail[] = {": ", err->text};
    for (size_t part = 0; part < 2; part++)
        for (const char *s = tail[part]; *s && at < sizeof text - 1; s++)
            text[at++] = *s;
    text[at] = '\0';
    make_one_line(text);
    memcpy(err->text, text, sizeof text);
    return false;
}
