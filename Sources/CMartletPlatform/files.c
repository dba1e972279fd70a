// Files. EINTR ends here; every other errno is handed up as -errno.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // Files beyond 2 GiB on 32-bit boards.
#endif
#include "martlet_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "martlet_platform.h"
#include "martlet_readings.h"

static uint8_t scratch_memory[MARTLET_SCRATCH_SIZE];

uint8_t *martlet_scratch(void) { return scratch_memory; }

// Copies a path and ends it with a NUL, and with `suffix` before that.
static int terminate(char *target, const uint8_t *path, size_t count, const char *suffix) {
  size_t suffix_count = strlen(suffix);
  if (count == 0 || memchr(path, 0, count) != NULL) return -EINVAL;
  if (count + suffix_count >= MARTLET_PATH_SIZE) return -ENAMETOOLONG;
  memcpy(target, path, count);
  memcpy(target + count, suffix, suffix_count + 1);
  return 0;
}

static int open_at(int directory, const char *path, int flags, mode_t mode) {
  int descriptor;
  do descriptor = openat(directory < 0 ? AT_FDCWD : directory, path, flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  return descriptor < 0 ? -errno : descriptor;
}

// Waits until what was written is on the disk. Some file systems cannot do so for a directory.
static int synchronize(int descriptor) {
  int failed;
  do failed = fsync(descriptor);
  while (failed && errno == EINTR);
  return failed && errno != EINVAL ? -errno : 0;
}

// A new directory counts only when its parent is on the disk too. A parent that may not be read
// cannot be asked for that.
static int synchronize_parent(int directory) {
  int parent = open_at(directory, "..", O_RDONLY | O_DIRECTORY, 0);
  if (parent < 0) return parent == -EACCES ? 0 : parent;
  int error = synchronize(parent);
  close(parent);
  return error;
}

static int lock(int directory) {
  int failed;
  do failed = flock(directory, LOCK_EX | LOCK_NB);
  while (failed && errno == EINTR);
  return failed ? -errno : 0;
}

int martlet_open_directory(const uint8_t *path, size_t path_count) {
  char text[MARTLET_PATH_SIZE];
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int failed;
  do failed = mkdir(text, 0700);
  while (failed && errno == EINTR);
  int is_new = !failed;
  if (failed && errno != EEXIST) return -errno;
  int directory = open_at(-1, text, O_RDONLY | O_DIRECTORY, 0);
  if (directory < 0) return directory;
  error = lock(directory);
  if (!error && is_new) {
    error = synchronize_parent(directory);
    // The next start shall make it, and try, again. Nobody else uses it, because it is locked.
    if (error) rmdir(text);
  }
  if (!error) return directory;
  close(directory);
  return error;
}

long martlet_read_file(int directory, const uint8_t *path, size_t path_count, uint8_t *octets,
                       size_t count) {
  char text[MARTLET_PATH_SIZE];
  int error = directory < 0 ? martlet_rooted_path(text, sizeof text, path, path_count)
                            : terminate(text, path, path_count, "");
  if (error) return error;
  // Non-blocking, so that a pipe in a file's place does not hold the program up.
  int descriptor = open_at(directory, text, O_RDONLY | O_NONBLOCK, 0);
  if (descriptor < 0) return descriptor;
  size_t total = 0;
  while (total < count) {
    ssize_t n = read(descriptor, octets + total, count - total);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = -errno;
    if (n <= 0) break;
    total += (size_t)n;
  }
  close(descriptor);
  return error ? error : (long)total;
}

int martlet_open_file(int directory, const uint8_t *path, size_t path_count, int64_t *size) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int descriptor = open_at(directory, text, O_RDONLY | O_NONBLOCK, 0);
  if (descriptor < 0) return descriptor;
  if (fstat(descriptor, &facts) != 0) error = -errno;
  if (!error && !S_ISREG(facts.st_mode)) error = -EISDIR;
  if (error) {
    close(descriptor);
    return error;
  }
  *size = facts.st_size;
  return descriptor;
}

long martlet_read_at(int file, uint8_t *octets, size_t count, int64_t offset) {
  ssize_t n;
  do n = pread(file, octets, count, (off_t)offset);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

static int remove_at(int directory, const char *name) {
  int failed;
  do failed = unlinkat(directory, name, 0);
  while (failed && errno == EINTR);
  return failed ? -errno : 0;
}

static int rename_at(int directory, const char *source, const char *target) {
  int failed;
  do failed = renameat(directory, source, directory, target);
  while (failed && errno == EINTR);
  return failed ? -errno : 0;
}

// Writes a file that is not there yet; whole, and on the disk where that is waited for, or an error.
static int write_file(int directory, const char *name, const uint8_t *octets, size_t count,
                      int waits) {
  int descriptor = open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (descriptor < 0) return descriptor;
  int error = martlet_write_all(descriptor, octets, count);
  if (!error && waits) error = synchronize(descriptor);
  // Some file systems tell here, and only here, that they could not write. The descriptor is gone
  // all the same, after EINTR too.
  if (close(descriptor) != 0 && errno != EINTR && !error) error = -errno;
  return error;
}

int martlet_replace_file(int directory, const uint8_t *name, size_t name_count,
                         const uint8_t *octets, size_t count, int waits) {
  char new_name[MARTLET_PATH_SIZE], old_name[MARTLET_PATH_SIZE];
  int error = terminate(new_name, name, name_count, ".new");
  if (error) return error;
  error = terminate(old_name, name, name_count, "");
  if (error) return error;
  // What a power cut left behind; nobody else writes here, because the directory is locked.
  error = remove_at(directory, new_name);
  if (error && error != -ENOENT) return error;
  error = write_file(directory, new_name, octets, count, waits);
  if (!error) error = rename_at(directory, new_name, old_name);
  if (error) {
    remove_at(directory, new_name);
    return error;
  }
  // From here on the file has the new content for whoever reads it, whatever the disk says.
  return waits ? -synchronize(directory) : 0;
}
