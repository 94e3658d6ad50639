/* doctor_int.h -- what the files of `lathe doctor` share. */
#ifndef LATHE_DOCTOR_INT_H
#define LATHE_DOCTOR_INT_H

#include "command_int.h"

/* Adds a finding when the workspace's file system takes no bytes any more. doctor_disk.c */
void doctor_disk(const char *dir, json_t *findings);

#endif
