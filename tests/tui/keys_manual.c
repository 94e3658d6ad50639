/* keys_manual.c -- man/lathe-keys.5 against the tables: its example is a file of keys that can be read, it names
 * every pane, every named key, and the frame's keys that it speaks of are what the table has. */
#include "tui/keymap.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static Text manual; /* plain: without the marks of troff */

static int read_manual(void **state)
{
    (void)state;
    Error err = {0};
    Text raw = {0};
    if (!file_read(LATHE_SOURCE_DIR "/man/lathe-keys.5", &raw, 1 << 20, &err))
        return -1;
    for (const char *c = text_str(&raw); *c; c++)
        if (c[0] == '\\' && c[1] == '-')
            continue;
        else
            text_putc(&manual, *c);
    text_release(&raw);
    return 0;
}

static int drop_manual(void **state)
{
    (void)state;
    text_release(&manual);
    return 0;
}

static void the_example_can_be_read(void **state)
{
    (void)state;
    char path[] = "/tmp/lathe-keys-XXXXXX";
    Error err = {0};
    KeyTables tables = {0};
    const char *from = strstr(text_str(&manual), ".EX\n"), *to = from ? strstr(from, ".EE") : NULL;
    assert_non_null(to);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    from += 4;
    assert_int_equal(write(fd, from, (size_t)(to - from)), to - from);
    close(fd);
    keymap_normal(&tables);
    bool read = keymap_read(&tables, path, &err);
    unlink(path);
    if (!read)
        fail_msg("%s", err.text);
    keymap_release(&tables);
}

/* "by the name on its tab in small letters": that holds for every pane. */
static void panes_are_called_as_their_tabs(void **state)
{
    (void)state;
    assert_non_null(strstr(text_str(&manual), "by the name on its tab in small letters"));
    for (size_t i = 0; panes[i]; i++) {
        assert_int_equal(strlen(panes[i]->name), strlen(panes[i]->title));
        for (size_t k = 0; panes[i]->title[k]; k++)
            assert_int_equal(tolower((unsigned char)panes[i]->title[k]), panes[i]->name[k]);
    }
}

static void every_named_key_is_told(void **state)
{
    (void)state;
    static const Key named[] = {' ',      NKEY_ENTER, NKEY_ESC,  NKEY_TAB,    NKEY_BACKSPACE,
                                NKEY_UP,  NKEY_DOWN,  NKEY_LEFT, NKEY_RIGHT,  NKEY_HOME,
                                NKEY_END, NKEY_PGUP,  NKEY_PGDN, NKEY_INSERT, NKEY_DELETE};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        Text name = {0};
        key_print(named[i], &name);
        if (!strstr(text_str(&manual), text_str(&name)))
            fail_msg("man/lathe-keys.5 does not name %s", text_str(&name));
        text_release(&name);
    }
}

static void its_keys_do_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *key, *command;
    } said[] = {{"F3", "record"}, {"F4", "replay-keys"}, {"Ctrl-P", "palette"}, {":", "command"}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        Text line = {0};
        const KeyRow *row = frame_commands;
        while (row->command && !text_equal(row->name, said[i].command))
            row++;
        text_printf(&line, ".B %s\n", said[i].key);
        assert_non_null(strstr(text_str(&manual), text_str(&line)));
        assert_true(row->command && strstr(row->keys, said[i].key));
        text_release(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_can_be_read),
        cmocka_unit_test(panes_are_called_as_their_tabs),
        cmocka_unit_test(every_named_key_is_told),
        cmocka_unit_test(its_keys_do_what_it_says),
    };
    return cmocka_run_group_tests(tests, read_manual, drop_manual);
}
