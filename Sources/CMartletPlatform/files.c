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

// Takes a lock that ends with the process. -EWOULDBLOCK when another process has it.
static int lock(int descriptor) {
  int failed;
  do failed = flock(descriptor, LOCK_EX | LOCK_NB);
  while (failed && errno == EINTR);
  return failed ? -errno : 0;
}

// Whether the file or directory is the user's alone: owned by it, and without `forbidden` bits of mode.
static int check_owner(const struct stat *facts, mode_t forbidden) {
  if (facts->st_uid != geteuid()) return -MARTLET_ANOTHER_OWNER;
  return facts->st_mode & forbidden ? -MARTLET_OTHERS_MAY : 0;
}

// Locks the directory for this process. flock() on the directory is what earlier versions do; NFS
// answers EBADF to it, because its locks want a descriptor for writing: the file `lock` has one. One of
// the two is enough. 0; -EWOULDBLOCK when another process has either; -MARTLET_NO_MODES; or why
// neither can be taken, in *why.
static int lock_both(int directory, int *why) {
  struct stat facts;
  int old = lock(directory);
  if (old == -EWOULDBLOCK) return old;
  int file = open_at(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (file < 0) {
    // A disk that is full or read-only has no room for the file.
    *why = old ? file : 0;
    return 0;
  }
  // A file system without permissions (vfat) shows the same mode for every file.
  int failed;
  do failed = fchmod(file, 0600);
  while (failed && errno == EINTR);
  int error = fstat(file, &facts) == 0 && facts.st_mode & 077 ? -MARTLET_NO_MODES : 0;
  if (!error) error = lock(file);
  if (error == -EWOULDBLOCK || error == -MARTLET_NO_MODES) {
    close(file);
    return error;
  }
  // The descriptor is kept until the process ends, where it holds a lock.
  if (error) close(file);
  *why = error && old ? error : 0;
  return 0;
}

int martlet_open_directory(const uint8_t *path, size_t path_count, int *unlocked) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int failed;
  do failed = mkdir(text, 0700);
  while (failed && errno == EINTR);
  int is_new = !failed;
  if (failed && errno != EEXIST) return -errno;
  int directory = open_at(-1, text, O_RDONLY | O_DIRECTORY, 0);
  if (directory < 0) return directory;
  error = fstat(directory, &facts) == 0 ? check_owner(&facts, 022) : -errno;
  if (!error && is_new) error = synchronize_parent(directory);
  // The next start shall make it, and try, again.
  if (error && is_new) rmdir(text);
  if (!error) error = lock_both(directory, unlocked);
  if (!error) return directory;
  close(directory);
  return error;
}

uint32_t martlet_user(void) { return geteuid(); }

// Reads from an open file until its end, or until there are `count` octets.
static long read_all(int descriptor, uint8_t *octets, size_t count) {
  size_t total = 0;
  while (total < count) {
    ssize_t n = read(descriptor, octets + total, count - total);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    total += (size_t)n;
  }
  return (long)total;
}

long martlet_read_own_file(int directory, const uint8_t *name, size_t name_count, uint8_t *octets,
                           size_t count) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  int error = terminate(text, name, name_count, "");
  if (error) return error;
  int descriptor = open_at(directory, text, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
  if (descriptor < 0) return descriptor;
  long result = fstat(descriptor, &facts) == 0 ? 0 : -errno;
  if (!result && !S_ISREG(facts.st_mode)) result = -MARTLET_NO_FILE;
  if (!result) result = check_owner(&facts, 077);
  if (!result && facts.st_size > (off_t)count) result = -EFBIG;
  if (!result) result = read_all(descriptor, octets, count);
  close(descriptor);
  return result;
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
  long result = read_all(descriptor, octets, count);
  close(descriptor);
  return result;
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

long martlet_read_secret_file(const uint8_t *path, size_t path_count, uint8_t *octets, size_t count) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int descriptor = open_at(-1, text, O_RDONLY | O_NONBLOCK, 0);
  if (descriptor < 0) return descriptor;
  long result = fstat(descriptor, &facts) == 0 ? 0 : -errno;
  if (!result && !S_ISREG(facts.st_mode)) result = -MARTLET_NO_FILE;
  // Root may let a group read its file: that is how a service gets one.
  if (!result && facts.st_uid == 0 && geteuid() != 0) {
    if (facts.st_mode & 027) result = -MARTLET_OTHERS_MAY;
  } else if (!result) {
    result = check_owner(&facts, 077);
  }
  if (!result && facts.st_size > (off_t)count) result = -EFBIG;
  if (!result) result = read_all(descriptor, octets, count);
  close(descriptor);
  return result;
}

int martlet_set_aside(int directory, const uint8_t *name, size_t name_count) {
  char old_name[MARTLET_PATH_SIZE], new_name[MARTLET_PATH_SIZE];
  char suffix[] = ".damaged0";
  int error = terminate(old_name, name, name_count, "");
  // Each gets a name of its own, so that none takes the place of one before.
  for (; !error && suffix[8] <= '9'; suffix[8]++) {
    struct stat facts;
    error = terminate(new_name, name, name_count, suffix);
    if (error || fstatat(directory, new_name, &facts, AT_SYMLINK_NOFOLLOW) == 0) continue;
    if (errno != ENOENT) return -errno;
    return rename_at(directory, old_name, new_name);
  }
  return error ? error : -EEXIST;
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
