// Files. EINTR ends here; every other errno is handed up as -errno.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // Files beyond 2 GiB on 32-bit boards.
#endif
#include "martlet_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

// Makes a directory for its owner only. 1; 0 when the path exists already; or -errno.
static int make_directory(const char *path) {
  int failed;
  do failed = mkdir(path, 0700);
  while (failed && errno == EINTR);
  return !failed ? 1 : errno == EEXIST ? 0 : -errno;
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

// Locks the directory for this process: flock() of the directory, as earlier versions do, and of its file
// `lock`. NFS answers EBADF for a directory, because NFS locks only what is open for writing. One of the two
// locks is enough. 0; -EWOULDBLOCK when another process has either; -MARTLET_NO_MODES. Where neither lock can
// be had, *why is the reason.
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
  int is_new = make_directory(text);
  if (is_new < 0) return is_new;
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

// Writes a file under a temporary name, and renames it. The results are those of martlet_replace_file().
static int replace(int directory, const char *temporary, const char *name, const uint8_t *octets,
                   size_t count, int waits) {
  // A power cut may have left a file with the temporary name; the directory is this process's alone.
  int error = remove_at(directory, temporary);
  if (error && error != -ENOENT) return error;
  error = write_file(directory, temporary, octets, count, waits);
  if (!error) error = rename_at(directory, temporary, name);
  if (error) {
    remove_at(directory, temporary);
    return error;
  }
  // From here on every read() gets the new content, whatever the disk says.
  return waits ? -synchronize(directory) : 0;
}

int martlet_replace_file(int directory, const uint8_t *name, size_t name_count,
                         const uint8_t *octets, size_t count, int waits) {
  char new_name[MARTLET_PATH_SIZE], old_name[MARTLET_PATH_SIZE];
  int error = terminate(new_name, name, name_count, ".new");
  if (error) return error;
  error = terminate(old_name, name, name_count, "");
  if (error) return error;
  return replace(directory, new_name, old_name, octets, count, waits);
}

int martlet_file_error_class(int result) {
  switch (-result) {
  case ENOSPC:
  case EDQUOT:
    return MARTLET_FILE_DISK_FULL;
  case EROFS:
    return MARTLET_FILE_READ_ONLY;
  case EACCES:
  case EPERM:
    return MARTLET_FILE_NOT_PERMITTED;
  case EMFILE:
  case ENFILE:
    return MARTLET_FILE_NO_DESCRIPTOR;
  case ENOENT:
    return MARTLET_FILE_NOT_THERE;
  case EISDIR:
    return MARTLET_FILE_IS_FOLDER;
  case MARTLET_BAD_NAME:
  case ENAMETOOLONG:
    return MARTLET_FILE_BAD_NAME;
  case MARTLET_TOO_LARGE:
  case EFBIG:
    return MARTLET_FILE_TOO_LARGE;
  default:
    return MARTLET_FILE_OTHER;
  }
}

// Folders of programs. A name that begins with RESERVED is a file that is being written: no name from
// outside may begin so, and no listing shows it.
#define RESERVED ".martlet-"
#define NEW_NAME RESERVED "new"
#define FORMER_NAME RESERVED "former"

static int is_reserved(const char *name) {
  return strncmp(name, RESERVED, sizeof RESERVED - 1) == 0;
}

// Copies the name of a file of a folder, then `suffix`, then a NUL. A name that is not allowed would lead
// out of the folder, or to a file that is being written.
static int terminate_name(char *target, const uint8_t *name, size_t count, const char *suffix) {
  if (count > MARTLET_NAME_SIZE || (count > 0 && memchr(name, '/', count) != NULL))
    return -MARTLET_BAD_NAME;
  if (terminate(target, name, count, suffix) != 0 || count + strlen(suffix) > MARTLET_NAME_SIZE)
    return -MARTLET_BAD_NAME;
  if (is_reserved(target) || strcmp(target, ".") == 0 || strcmp(target, "..") == 0)
    return -MARTLET_BAD_NAME;
  return 0;
}

int martlet_check_name(const uint8_t *name, size_t name_count) {
  char text[MARTLET_PATH_SIZE];
  return terminate_name(text, name, name_count, "");
}

int martlet_open_folder(const uint8_t *path, size_t path_count, int creates) {
  char text[MARTLET_PATH_SIZE];
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int is_new = creates ? make_directory(text) : 0;
  if (is_new < 0) return is_new;
  int folder = open_at(-1, text, O_RDONLY | O_DIRECTORY, 0);
  if (is_new && folder >= 0) error = synchronize_parent(folder);
  // The next start makes the folder again, and synchronizes again.
  if (is_new && (folder < 0 || error)) rmdir(text);
  if (folder < 0 || !error) return folder;
  close(folder);
  return error;
}

int martlet_check_folder(int folder) {
  struct stat facts;
  return fstat(folder, &facts) == 0 ? check_owner(&facts, 022) : -errno;
}

// Opens a regular file of a folder: neither a symbolic link, nor a pipe, which would hold the program up.
static int open_regular(int folder, const char *name, int flags, struct stat *facts) {
  int file = open_at(folder, name, flags | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (file < 0) return file;
  int error = fstat(file, facts) == 0 ? 0 : -errno;
  if (!error && S_ISDIR(facts->st_mode)) error = -EISDIR;
  if (!error && !S_ISREG(facts->st_mode)) error = -MARTLET_NO_FILE;
  if (!error) return file;
  close(file);
  return error;
}

long martlet_read_whole(int folder, const uint8_t *name, size_t name_count, uint8_t *octets,
                        size_t count) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  uint8_t more;
  int error = terminate_name(text, name, name_count, "");
  if (error) return error;
  int file = open_regular(folder, text, O_RDONLY, &facts);
  if (file < 0) return file;
  long result = read_all(file, octets, count);
  // The size in `facts` may be old already, so the file is asked for one more octet.
  if (result == (long)count) {
    long rest = read_all(file, &more, 1);
    if (rest != 0) result = rest < 0 ? rest : -MARTLET_TOO_LARGE;
  }
  close(file);
  return result;
}

// Copies a file to a file that is not there yet, and synchronizes the copy.
static int copy_file(int source, int folder, const char *name, int waits) {
  uint8_t octets[1024];
  long count;
  int target = open_at(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (target < 0) return target;
  int error = 0;
  do {
    count = read_all(source, octets, sizeof octets);
    error = count < 0 ? (int)count : martlet_write_all(target, octets, (size_t)count);
  } while (!error && count == sizeof octets);
  if (!error && waits) error = synchronize(target);
  if (close(target) != 0 && errno != EINTR && !error) error = -errno;
  return error;
}

// Makes a copy of a file the former generation, NAME~. Without such a file there is nothing to do.
static int keep_former(int folder, const char *name, const char *former, int waits) {
  struct stat facts;
  int source = open_regular(folder, name, O_RDONLY, &facts);
  if (source < 0) return source == -ENOENT ? 0 : source;
  int error = remove_at(folder, FORMER_NAME);
  if (!error || error == -ENOENT) error = copy_file(source, folder, FORMER_NAME, waits);
  close(source);
  if (!error) error = rename_at(folder, FORMER_NAME, former);
  if (error) remove_at(folder, FORMER_NAME);
  return error;
}

int martlet_replace_whole(int folder, const uint8_t *name, size_t name_count, const uint8_t *octets,
                          size_t count, int keeps_former, int waits) {
  char text[MARTLET_PATH_SIZE], former[MARTLET_PATH_SIZE];
  int error = terminate_name(text, name, name_count, "");
  if (!error && keeps_former) error = terminate_name(former, name, name_count, "~");
  if (!error && keeps_former) error = keep_former(folder, text, former, waits);
  return error ? error : replace(folder, NEW_NAME, text, octets, count, waits);
}

// Makes the file NAME.1 of a file. -EEXIST when a folder is in the way.
static int begin_generation(int folder, const uint8_t *name, size_t name_count) {
  char text[MARTLET_PATH_SIZE], former[MARTLET_PATH_SIZE];
  int error = terminate_name(text, name, name_count, "");
  if (!error) error = terminate_name(former, name, name_count, ".1");
  return error ? error : rename_at(folder, text, former);
}

// Appends a line to an open file of `size` octets. After a failure the file is as long as before.
static int append_to(int file, const uint8_t *octets, size_t count, off_t size, int waits) {
  uint8_t last = '\n';
  int error = size > 0 ? (int)martlet_read_at(file, &last, 1, size - 1) : 0;
  if (error > 0) error = 0;
  // A power cut may have left the start of a line: the new line stays apart from that.
  if (!error && last != '\n') error = martlet_write_all(file, (const uint8_t *)"\n", 1);
  if (!error) error = martlet_write_all(file, octets, count);
  if (!error) error = martlet_write_all(file, (const uint8_t *)"\n", 1);
  if (!error && waits) error = synchronize(file);
  if (!error) return 0;
  int failed;
  do failed = ftruncate(file, size);
  while (failed && errno == EINTR);
  return error;
}

int martlet_append_line(int folder, const uint8_t *name, size_t name_count, const uint8_t *octets,
                        size_t count, int64_t size_max, int waits) {
  char text[MARTLET_PATH_SIZE];
  struct stat facts;
  int error = terminate_name(text, name, name_count, "");
  if (error) return error;
  if (count > 0 && memchr(octets, '\n', count) != NULL) return -MARTLET_NOT_A_LINE;
  if ((int64_t)count >= size_max) return -MARTLET_TOO_LARGE;
  int flags = O_RDWR | O_APPEND | O_CREAT;
  int file = open_regular(folder, text, flags, &facts);
  if (file < 0) return file;
  // Two line feeds: one may be needed before the line.
  if (facts.st_size > 0 && facts.st_size > size_max - (int64_t)count - 2) {
    close(file);
    error = begin_generation(folder, name, name_count);
    if (error) return error;
    file = open_regular(folder, text, flags, &facts);
    if (file < 0) return file;
  }
  error = append_to(file, octets, count, facts.st_size, waits);
  // A file system may report here, and only here, that it did not write.
  if (close(file) != 0 && errno != EINTR && !error) error = -errno;
  // A new file counts only when its name is on the disk as well.
  if (!error && waits && facts.st_size == 0) error = synchronize(folder);
  return error;
}

int martlet_remove_file(int folder, const uint8_t *name, size_t name_count) {
  char text[MARTLET_PATH_SIZE];
  int error = terminate_name(text, name, name_count, "");
  return error ? error : remove_at(folder, text);
}

// Writes RESERVED and a number of 8 hexadecimal digits.
static void name_unfinished(char *target, uint32_t number) {
  static const char digits[] = "0123456789abcdef";
  memcpy(target, RESERVED, sizeof RESERVED - 1);
  target += sizeof RESERVED - 1;
  for (int shift = 28; shift >= 0; shift -= 4) *target++ = digits[number >> shift & 15];
  *target = 0;
}

enum { UNFINISHED_NAME_SIZE = sizeof RESERVED + 8 };

int martlet_begin_file(int folder, uint32_t *number) {
  static uint32_t last;
  char name[UNFINISHED_NAME_SIZE];
  int file = -EEXIST;
  // What a power cut has left has the first numbers. More than a hundred such files are no accident.
  for (int i = 0; i < 100 && file == -EEXIST; i++) {
    *number = ++last;
    name_unfinished(name, last);
    file = open_at(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  }
  return file;
}

void martlet_abandon_file(int folder, int file, uint32_t number) {
  char name[UNFINISHED_NAME_SIZE];
  name_unfinished(name, number);
  close(file);
  remove_at(folder, name);
}

int martlet_finish_file(int folder, int file, uint32_t number, const uint8_t *name,
                        size_t name_count, int waits) {
  char unfinished[UNFINISHED_NAME_SIZE], text[MARTLET_PATH_SIZE];
  name_unfinished(unfinished, number);
  int error = terminate_name(text, name, name_count, "");
  if (!error && waits) error = synchronize(file);
  if (close(file) != 0 && errno != EINTR && !error) error = -errno;
  if (!error) error = rename_at(folder, unfinished, text);
  if (!error) return waits ? -synchronize(folder) : 0;
  remove_at(folder, unfinished);
  return error;
}

// An entry of a directory as the kernel writes it (struct linux_dirent64).
struct dirent_of_kernel {
  uint64_t inode;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[];
};

int martlet_begin_entries(int folder, struct martlet_listing *listing) {
  // A descriptor of its own, because copies of a descriptor share the place in the directory.
  int descriptor = open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0);
  *listing = (struct martlet_listing){.descriptor = descriptor};
  return descriptor < 0 ? descriptor : 0;
}

void martlet_end_entries(struct martlet_listing *listing) {
  if (listing->descriptor >= 0) close(listing->descriptor);
  listing->descriptor = -1;
}

// Reads entries of a directory to a listing's memory. How many octets, or -errno.
static long read_entries(int directory, uint64_t *memory) {
#ifdef __GLIBC__
  ssize_t count = getdents64(directory, memory, MARTLET_LISTING_COUNT * sizeof memory[0]);
#else
  ssize_t count = getdents(directory, (struct dirent *)memory, MARTLET_LISTING_COUNT * sizeof memory[0]);
#endif
  return count < 0 ? -errno : count;
}

// The next name of a directory; "." and ".." are left out. NULL after the last one, or after an error.
static const char *next_name(struct martlet_listing *listing, uint64_t *memory, int *error) {
  for (;;) {
    if (listing->start == listing->end) {
      long count = read_entries(listing->descriptor, memory);
      if (count < 0) *error = (int)count;
      if (count <= 0) return NULL;
      listing->start = 0;
      listing->end = (uint32_t)count;
    }
    const struct dirent_of_kernel *entry = (const void *)((const uint8_t *)memory + listing->start);
    listing->start += entry->size;
    if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0) return entry->name;
  }
}

int martlet_next_entry(struct martlet_listing *listing, uint64_t *memory) {
  struct stat facts;
  int error = 0;
  for (;;) {
    const char *name = next_name(listing, memory, &error);
    if (!name) return error;
    if (is_reserved(name)) continue;
    if (fstatat(listing->descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      // Removed since the kernel read the name.
      if (errno == ENOENT) continue;
      return -errno;
    }
    listing->name = (const uint8_t *)name;
    listing->name_count = strlen(name);
    listing->size = S_ISREG(facts.st_mode) ? facts.st_size : 0;
    listing->kind = S_ISREG(facts.st_mode)   ? MARTLET_ENTRY_FILE
                    : S_ISDIR(facts.st_mode) ? MARTLET_ENTRY_FOLDER
                                             : MARTLET_ENTRY_OTHER;
    return 1;
  }
}

// Removes the unfinished files that one listing shows. How many, or -errno.
static int remove_unfinished_once(int folder) {
  uint64_t memory[MARTLET_LISTING_COUNT];
  struct martlet_listing listing;
  int count = 0;
  int error = martlet_begin_entries(folder, &listing);
  while (!error) {
    const char *name = next_name(&listing, memory, &error);
    if (!name) break;
    if (!is_reserved(name)) continue;
    error = remove_at(folder, name);
    count += !error;
  }
  martlet_end_entries(&listing);
  return error ? error : count;
}

int martlet_remove_unfinished(int folder) {
  int total = 0;
  // A listing may leave out names when files are removed meanwhile, so the last listing shows none.
  for (;;) {
    int count = remove_unfinished_once(folder);
    if (count <= 0) return count < 0 ? count : total;
    total += count;
  }
}

enum { READS_BELOW = O_RDONLY | O_NONBLOCK | O_NOCTTY };

// Opens below a folder; the kernel refuses what leads out of it. -ENOSYS where the kernel has no openat2().
static int open_watched(int folder, const char *path) {
#ifdef SYS_openat2
  // The structure and the numbers of Linux 5.6 (linux/openat2.h): older headers do not have them.
  struct {
    uint64_t flags, mode, resolve;
  } how = {READS_BELOW | O_CLOEXEC | O_LARGEFILE, 0, 0x08 | 0x02}; // BENEATH, NO_MAGICLINKS
  // EAGAIN: something above was renamed meanwhile. A second try is enough, unless a program renames all the time.
  for (int tries = 0; tries < 4; tries++) {
    long file = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (file >= 0) return (int)file;
    if (errno != EINTR && errno != EAGAIN) return -errno;
  }
#else
  (void)folder, (void)path;
#endif
  return -ENOSYS;
}

// Opens below a folder, name by name, and follows no symbolic link. The path is changed.
static int open_walking(int folder, char *path) {
  int parent = folder, result;
  for (;;) {
    char *slash = strchr(path, '/');
    if (slash) *slash = 0;
    if (*path == 0 || strcmp(path, ".") == 0 || strcmp(path, "..") == 0) result = -MARTLET_BAD_NAME;
    else result = open_at(parent, path, O_NOFOLLOW | (slash ? O_PATH | O_DIRECTORY : READS_BELOW), 0);
    if (parent != folder) close(parent);
    if (!slash || result < 0) return result;
    parent = result;
    path = slash + 1;
  }
}

int martlet_open_below(int folder, const uint8_t *path, size_t path_count, int walks,
                       struct martlet_file_facts *facts) {
  char text[MARTLET_PATH_SIZE];
  struct stat found;
  int error = terminate(text, path, path_count, "");
  if (error) return error;
  int file = walks ? -ENOSYS : open_watched(folder, text);
  // EPERM: a sandbox does not know openat2().
  if (file == -ENOSYS || file == -EPERM) file = open_walking(folder, text);
  if (file < 0) return file;
  error = fstat(file, &found) == 0 ? 0 : -errno;
  if (!error && S_ISDIR(found.st_mode)) error = -EISDIR;
  if (!error && !S_ISREG(found.st_mode)) error = -MARTLET_NO_FILE;
  if (error) {
    close(file);
    return error;
  }
  *facts = (struct martlet_file_facts){found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
  return file;
}
