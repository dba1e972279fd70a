// The process itself: its arguments, its end, its signals, time and random octets.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "martlet_files.h"
#include "martlet_platform.h"

#include "martlet_memory.h"

static MARTLET_PER_THREAD uint8_t message[MARTLET_MESSAGE_SIZE];
static MARTLET_PER_THREAD size_t message_count;

void martlet_message_add(const uint8_t *octets, size_t count) {
  // One octet stays for the line feed.
  for (size_t i = 0; i < count && message_count < sizeof message - 1; i++)
    message[message_count++] = octets[i];
}

void martlet_message_clear(void) { message_count = 0; }

void martlet_message_print(int descriptor) {
  message[message_count++] = '\n';
  // A terminal that is gone is no reason to end.
  martlet_write_all(descriptor, message, message_count);
  message_count = 0;
}

// Opens a device file of random numbers. A file with that name that is no character device is refused.
static int open_source(const char *path) {
  struct stat facts;
  int descriptor;
  do descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0 || (fstat(descriptor, &facts) == 0 && S_ISCHR(facts.st_mode)))
    return descriptor;
  close(descriptor);
  return -1;
}

// Reads /dev/urandom, for kernels before 3.17 and for sandboxes that refuse getrandom().
static int read_source(uint8_t *octets, size_t count) {
  int descriptor = open_source("/dev/urandom");
  while (descriptor >= 0 && count > 0) {
    ssize_t n = read(descriptor, octets, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    octets += n;
    count -= (size_t)n;
  }
  if (descriptor >= 0) close(descriptor);
  return count > 0 ? -1 : 0;
}

int martlet_random(uint8_t *octets, size_t count) {
  while (count > 0) {
    ssize_t n = getrandom(octets, count, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return read_source(octets, count);
    octets += n;
    count -= (size_t)n;
  }
  return 0;
}

int martlet_random_wait(int timeout) {
  uint8_t octet;
  ssize_t n;
  do n = getrandom(&octet, 1, timeout ? 0 : GRND_NONBLOCK);
  while (n < 0 && errno == EINTR);
  if (n == 1) return 0;
  if (errno == EAGAIN) return 1;
  if (read_source(&octet, 1) != 0) return -1;
  // /dev/urandom never waits. /dev/random can be read once the kernel has collected enough.
  struct pollfd entry = {.fd = open_source("/dev/random"), .events = POLLIN};
  if (entry.fd < 0) return 0;
  int count;
  do count = poll(&entry, 1, timeout);
  while (count < 0 && errno == EINTR);
  close(entry.fd);
  return count == 0;
}

int64_t martlet_monotonic_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t martlet_monotonic_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t martlet_processor_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t martlet_unix_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

int martlet_write_all(int descriptor, const uint8_t *octets, size_t count) {
  while (count > 0) {
    ssize_t n = write(descriptor, octets, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : -EIO;
    octets += n;
    count -= (size_t)n;
  }
  return 0;
}

// Embedded Swift hands no arguments over. The kernel lays them out in front of the environment:
// argc, argv[0] … argv[argc-1], NULL, envp[0] … (System V ABI, "Initial Process Stack").
// setenv() moves `environ` away from there, so where it pointed at the start is kept.
extern char **environ;
static char **first_environment;

__attribute__((constructor)) static void keep_environment(void) { first_environment = environ; }

const uint8_t *martlet_argument(size_t index, size_t *size) {
  char **end = first_environment - 1;
  size_t count = 0;
  // Before the arguments stands their count, or their address where 32-bit ARM's glibc has started us.
  for (;; count++) {
    char **first = end - count;
    if ((uintptr_t)first[-1] == count || first[-1] == (char *)first) break;
  }
  if (index >= count) return NULL;
  const char *text = end[(ptrdiff_t)index - (ptrdiff_t)count];
  *size = strlen(text);
  return (const uint8_t *)text;
}

const uint8_t *martlet_host_name(int64_t milliseconds, size_t *count) {
  static char name[65]; // HOST_NAME_MAX and a NUL
  static int64_t read_at = -1;
  if (read_at < 0 || milliseconds < read_at || milliseconds >= read_at + 1000) {
    if (gethostname(name, sizeof name - 1) != 0) name[0] = 0;
    read_at = milliseconds;
  }
  *count = strlen(name);
  return (const uint8_t *)name;
}

static uint8_t secret[MARTLET_SECRET_SIZE + 2];

uint8_t *martlet_secret(void) { return secret; }

size_t martlet_store_secret(size_t index) {
  size_t count = 0;
  uint8_t *text = (uint8_t *)martlet_argument(index, &count);
  // What is too long is refused, and hidden all the same.
  if (count <= MARTLET_SECRET_SIZE) memcpy(secret, text, count);
  for (size_t i = 0; i < count; i++) text[i] = 'x';
  return count;
}

size_t martlet_allow_descriptors(size_t count) {
  struct rlimit limit;
  // Not setrlimit(): musl's brings what it needs for threads.
  if (prlimit(0, RLIMIT_NOFILE, NULL, &limit) != 0 || limit.rlim_cur >= count) return count;
  size_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
  // Fewer are no reason not to start: there are fewer connections at a time.
  return prlimit(0, RLIMIT_NOFILE, &limit, NULL) == 0 ? limit.rlim_cur : before;
}

void martlet_refuse_core_dumps(void) {
  // One octet, and not none: the kernel hands no core to a program (`|` in core_pattern) either then,
  // which it does at 0 (fs/coredump.c). Others' looks into /proc go on.
  struct rlimit limit = {1, 1};
  if (prlimit(0, RLIMIT_CORE, &limit, NULL) == 0) return;
  // Whoever may not have 1 has 0, and may not raise it.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void (*ending)(int status);

void martlet_at_exit(void (*function)(int status)) { ending = function; }

_Noreturn void martlet_exit(int status) {
  if (ending) ending(status);
  _exit(status);
}

int martlet_signal_descriptor(void) {
  sigset_t set, blocked;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  blocked = set;
  // A peer or a terminal that is gone is an error of write(), not the end of the program. So is a file that
  // may not grow (RLIMIT_FSIZE).
  sigaddset(&blocked, SIGPIPE);
  sigaddset(&blocked, SIGXFSZ);
  if (sigprocmask(SIG_BLOCK, &blocked, NULL) != 0) return -errno;
  int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int martlet_error_class(long result) {
  switch (-result) {
  case EAGAIN:
#if EWOULDBLOCK != EAGAIN
  case EWOULDBLOCK:
#endif
    return MARTLET_EAGAIN;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return MARTLET_NO_DESCRIPTOR;
  case ECONNRESET:
  case ECONNABORTED:
  case EPIPE:
  case ETIMEDOUT:
  case ENOTCONN:
    return MARTLET_CONNECTION_GONE;
  case EADDRINUSE:
    return MARTLET_ADDRESS_IN_USE;
  case EACCES:
  case EPERM:
    return MARTLET_NO_PERMISSION;
  case EADDRNOTAVAIL:
  case EAFNOSUPPORT:
    return MARTLET_NO_ADDRESS;
  case ENOENT:
    return MARTLET_NOT_FOUND;
  case EEXIST:
    return MARTLET_EXISTS;
  default:
    return MARTLET_OTHER;
  }
}

const char *martlet_error_text(int error) {
  // strerror() would bring every message of the C library into the program.
  switch (error < 0 ? -error : error) {
  case EACCES:
  case EPERM:
    return "permission denied";
  case EADDRINUSE:
    return "the address is in use";
  case EADDRNOTAVAIL:
    return "no interface has this address";
  case EAFNOSUPPORT:
    return "the kernel does not support this kind of address";
  case ENOENT:
    return "no such file or folder";
  case EEXIST:
    return "it exists already";
  case ENOTDIR:
    return "a part of the path is not a folder";
  case EISDIR:
    return "it is a folder";
  case ENOSPC:
    return "no space left on the device";
  case EROFS:
    return "the file system is read-only";
  case EIO:
    return "input/output error";
  case EMFILE:
  case ENFILE:
    return "too many open files";
  case EFBIG:
    return "the file is too large";
  case EBUSY:
    return "it is in use";
  case ENODEV:
    return "there is no such device";
  case ENOEXEC:
    return "not made for this kernel";
  case ENETUNREACH:
    return "no network leads there";
  case ELOOP:
    return "it is a symbolic link";
  case EDQUOT:
    return "the disk quota is used up";
  case ESTALE:
    return "the file server no longer knows it";
  case ENOLCK:
  case ENOSYS:
  case EOPNOTSUPP:
    return "the system cannot do that there";
  case MARTLET_ANOTHER_OWNER:
    return "another user owns it";
  case MARTLET_OTHERS_MAY:
    return "other users have rights to it";
  case MARTLET_NO_FILE:
    return "it is not a regular file";
  case MARTLET_DAMAGED:
    return "it is damaged";
  case MARTLET_BAD_NAME:
    return "the name is not allowed";
  case MARTLET_TOO_LARGE:
    return "there is no room for so much";
  case MARTLET_NOT_A_LINE:
    return "it is more than one line";
  default:
    return "the system refused it";
  }
}
