/* doctor_disk.c -- can the workspace be written? A file system whose journal was aborted, or whose disk fails,
 * can still be read, and says no more than "read-only" or "input/output error" to whoever writes.
 *
 * A full disk or a missing permission is said by the command that meets it, and the workspace is whole. */
#include "doctor_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* 0, or why a few bytes could not be brought to the disk. */
static int try_to_write(const char *dir)
{
    char block[4096] = "lathe doctor";
    Text path = {0};
    text_printf(&path, "%s/.doctor-XXXXXX", dir);
    int file = mkostemp(path.at, O_CLOEXEC), why = file < 0 ? errno : 0;
    if (file >= 0 && (write(file, block, sizeof block) < 0 || fsync(file) != 0))
        why = errno;
    if (file >= 0) {
        close(file);
        unlink(path.at);
    }
    text_release(&path);
    return why;
}

/* Where the file system of a path is mounted, and from what: as /proc/self/mountinfo says it. */
static bool mount_of(const char *path, char *at, char *device, size_t room)
{
    struct stat st;
    char line[4096], number[32], mounted[1024], from[1024];
    FILE *f = stat(path, &st) == 0 ? fopen("/proc/self/mountinfo", "re") : NULL;
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *rest = strstr(line, " - ");
        found = rest && sscanf(line, "%*s %*s %31s %*s %1023s", number, mounted) == 2 &&
                sscanf(rest, " - %*s %1023s", from) == 1;
        char own[32];
        snprintf(own, sizeof own, "%u:%u", major(st.st_dev), minor(st.st_dev));
        found = found && text_equal(own, number);
    }
    if (f)
        fclose(f);
    if (found) {
        snprintf(at, room, "%s", mounted);
        snprintf(device, room, "%s", from);
    }
    return found;
}

void doctor_disk(const char *dir, json_t *findings)
{
    char at[1024] = "its mount", device[1024] = "its device";
    int why = try_to_write(dir);
    if (why == 0 || why == ENOSPC || why == EDQUOT || why == EACCES || why == EPERM)
        return;
    Text text = {0};
    mount_of(dir, at, device, sizeof at);
    if (why == EROFS)
        text_printf(&text,
                    "%s: nothing can be written: %s is read-only. Linux makes it so when its journal or disk"
                    " fails (see dmesg): copy what you need, unmount it, fsck %s; else mount -o remount,rw",
                    dir, at, device);
    else
        text_printf(&text,
                    "%s: nothing can be written: %s. The disk of %s fails, or its journal was aborted (see"
                    " dmesg): copy what you need elsewhere, unmount it, fsck %s",
                    dir, strerror(why), at, device);
    json_array_append_new(findings,
                          json_pack("{s:s, s:s}", "level", "error", "text", text_str(&text)));
    text_release(&text);
}
