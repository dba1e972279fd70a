// Files: what a program that keeps something asks of the system.
// A path is octets without a NUL, shorter than MARTLET_PATH_SIZE. What can fail returns -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  // Octets of a path with its NUL: Linux's own names are shorter, and mount points rarely longer.
  MARTLET_PATH_SIZE = 512,

  // Octets of the scratch array: what is read of one file at a time. A line of /proc/self/mountinfo has
  // two paths, of 4 KiB at most each, before what is looked for; longer texts are read line by line.
  MARTLET_SCRATCH_SIZE = 8192,
};

// Where a file is read to, one at a time: MARTLET_SCRATCH_SIZE octets of static memory.
uint8_t *_Nonnull martlet_scratch(void);

// Opens a directory for this process alone; makes it, for its owner only, when it is not there.
// -EWOULDBLOCK when another process has it. The descriptor is kept until the process ends. Where the
// file system has no locks, *unlocked is the -errno that says so, and another process is not noticed.
int martlet_open_directory(const uint8_t *_Nullable path, size_t path_count, int *_Nonnull unlocked);

// Refusals beside those of the system: numbers beyond each errno, returned negative.
enum {
  MARTLET_ANOTHER_OWNER = 4096, // another user owns it
  MARTLET_OTHERS_MAY,           // others may read it (a file), or write to it
  MARTLET_NO_MODES,             // its file system keeps no permissions, and all may read what is there
  MARTLET_NO_FILE,              // it is no regular file
  MARTLET_DAMAGED,              // for the caller: what it holds is not what was written
};

// The number of the user that this process is (geteuid).
uint32_t martlet_user(void);

// Reads a regular file of a directory that is this user's alone: -MARTLET_ANOTHER_OWNER or
// -MARTLET_OTHERS_MAY where it is not. -EFBIG when it has more than `count` octets. How many there were.
long martlet_read_own_file(int directory, const uint8_t *_Nullable name, size_t name_count,
                           uint8_t *_Nonnull octets, size_t count);

// Reads at most `count` octets of a file that nobody but this user, or root and its group, may read.
long martlet_read_secret_file(const uint8_t *_Nullable path, size_t path_count,
                              uint8_t *_Nonnull octets, size_t count);

// Gives a file, or whatever has its name, the name NAME.damaged0, or the first of ten that is free.
int martlet_set_aside(int directory, const uint8_t *_Nonnull name, size_t name_count);

// Reads a file from its start, at most `count` octets; how many there were. `directory` is what
// `path` is relative to, or negative: the path begins at the root (martlet_set_root).
long martlet_read_file(int directory, const uint8_t *_Nullable path, size_t path_count,
                       uint8_t *_Nonnull octets, size_t count);

// Opens a regular file to be read; how many octets it has. The descriptor, or -errno: -EISDIR for what
// is no regular file.
int martlet_open_file(int directory, const uint8_t *_Nullable path, size_t path_count,
                      int64_t *_Nonnull size);

// Reads from an open file at an offset, at most `count` octets; how many there were.
long martlet_read_at(int file, uint8_t *_Nonnull octets, size_t count, int64_t offset);

// Gives a file new content, for its owner only, in one step: after a failure or a power cut it has
// either the old content or the new. 0 when the new one is on the disk. A negative errno when the file
// has its old content. A positive errno when it has the new one, but the disk has not confirmed that:
// whoever reads the file gets the new content, and a power cut may bring the old one back. Without `waits`
// the disk is not waited for: a power cut may leave the old content, the new, or none that is whole.
int martlet_replace_file(int directory, const uint8_t *_Nullable name, size_t name_count,
                         const uint8_t *_Nullable octets, size_t count, int waits);
