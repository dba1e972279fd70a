// The seam of all system calls, for tests: the functions of libc that the product calls, defined anew.
// Each decides by a plan whether to fail or to call the real one.
//
//     Sources/CMartletPlatform/*.c ──► fsync() here ──► planned to fail?  ─ yes ─► -1, errno
//                                                              └─ no ──► libc's fsync()
//
// Used in two ways from this one source: linked into the unit tests, whose threads say when they are
// under test (other threads, and other code, pass through); and as a library for LD_PRELOAD under a
// whole program, with the plan in MARTLET_FAULTS and a list of the calls written to the file that
// MARTLET_FAULTS_LOG names. A call that is not in CALLS below is not seen; Tests/Faults proves for
// the programs that none is missing.
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Each call with what can be made to happen in it: what its manual page lists and what file systems
// and networks are known to do. "short" moves one octet.
#define CALLS(X)                                                                                   \
  X(access, "EACCES EIO ENOMEM")                                                                   \
  X(accept4, "EINTR EAGAIN ECONNABORTED EMFILE ENFILE ENOBUFS ENOMEM EPROTO EPERM")                \
  X(bind, "EADDRINUSE EACCES ENOMEM")                                                              \
  X(clone, "EAGAIN ENOMEM")                                                                        \
  X(connect, "ECONNREFUSED ENETUNREACH ETIMEDOUT EADDRNOTAVAIL EACCES")                            \
  X(close, "EINTR EIO ENOSPC")                                                                     \
  X(epoll_create1, "EMFILE ENFILE ENOMEM")                                                        \
  X(epoll_ctl, "ENOMEM ENOSPC")                                                                   \
  X(fcntl, "EPERM")                                                                                \
  X(fchmod, "EINTR EIO EPERM EROFS")                                                               \
  X(flock, "EINTR EAGAIN EBADF ENOLCK ENOSYS EOPNOTSUPP")                                          \
  X(fstat, "EIO ENOMEM ESTALE")                                                                    \
  X(fstatat, "EIO EACCES")                                                                         \
  X(fstatfs, "EIO")                                                                                \
  X(fsync, "EINTR EIO ENOSPC EDQUOT EROFS")                                                        \
  X(ftruncate, "EINTR EIO EROFS")                                                                  \
  X(getdents64, "EIO ENOMEM ESTALE")                                                               \
  X(getrandom, "EINTR EAGAIN ENOSYS EPERM short")                                                  \
  X(getsockname, "ENOBUFS")                                                                        \
  X(ioctl, "EIO ENODEV")                                                                           \
  X(listen, "EADDRINUSE")                                                                          \
  X(madvise, "EAGAIN EINVAL EIO ENOMEM")                                                           \
  X(mkdir, "EINTR EIO ENOSPC EDQUOT EROFS EACCES")                                                 \
  X(open, "EINTR EMFILE ENFILE EIO EACCES")                                                        \
  X(openat, "EINTR EMFILE ENFILE ENOSPC EIO EACCES ESTALE")                                        \
  X(openat2, "EINTR EAGAIN EMFILE ENFILE ENOMEM EIO EACCES EPERM ENOSYS")                          \
  X(pipe2, "EMFILE ENFILE ENOMEM")                                                                 \
  X(poll, "EINTR EAGAIN ENOMEM EINVAL")                                                            \
  X(pread, "EINTR EIO ESTALE")                                                                     \
  X(read, "EINTR EIO ESTALE short")                                                                \
  X(recv, "EINTR EAGAIN ECONNRESET ETIMEDOUT ENOMEM short")                                        \
  X(renameat, "EINTR EIO ENOSPC EDQUOT EROFS")                                                     \
  X(rmdir, "EINTR EIO")                                                                            \
  X(send, "EINTR EAGAIN EPIPE ECONNRESET ENOBUFS ENOMEM short")                                    \
  X(sendmsg, "EINTR EAGAIN EPIPE ECONNRESET ENOBUFS ENOMEM")                                       \
  X(sendfile, "EINTR EAGAIN EPIPE ECONNRESET EIO short")                                           \
  X(setsockopt, "ENOBUFS ENOPROTOOPT")                                                             \
  X(shutdown, "ENOTCONN")                                                                          \
  X(signalfd, "EMFILE ENFILE ENOMEM")                                                              \
  X(socket, "EMFILE ENFILE ENOBUFS")                                                               \
  X(unlinkat, "EINTR EIO EBUSY")                                                                   \
  X(waitid, "EINTR")                                                                               \
  X(write, "EINTR EIO ENOSPC EDQUOT short")

enum call {
#define X(name, faults) CALL_##name,
  CALLS(X)
#undef X
  CALL_COUNT
};

static const char *const names[] = {
#define X(name, faults) #name,
    CALLS(X)
#undef X
};

static const char *const faults_by_call[] = {
#define X(name, faults) faults,
    CALLS(X)
#undef X
};

static const struct {
  const char *name;
  int number;
} errors[] = {
#define E(name) {#name, name},
    E(EACCES) E(EADDRINUSE) E(EADDRNOTAVAIL) E(EAGAIN) E(EBADF) E(EBUSY) E(ECONNABORTED) E(ECONNREFUSED)
    E(ECONNRESET) E(EDQUOT) E(ENETUNREACH)
    E(EINTR) E(EINVAL) E(EIO) E(EMFILE) E(ENFILE) E(ENOBUFS) E(ENODEV) E(ENOLCK) E(ENOMEM)
    E(ENOPROTOOPT) E(ENOSPC) E(ENOSYS) E(ENOTCONN) E(EOPNOTSUPP) E(EPERM) E(EPIPE) E(EPROTO)
    E(EROFS) E(ESTALE) E(ETIMEDOUT)
#undef E
};

enum {
  RULE_MAX = 2048,
  RECORD_MAX = 16384,    // calls of one run of a test; more is a loop without an end
  DESCRIPTOR_MAX = 4096,
  PATH_MAX_KEPT = 24,    // octets of a path that are kept, its last ones
  ARRIVAL_PATIENCE = 20, // milliseconds of real time in which what was sent over the loopback is there
  SHORT = -1,
};

static struct {
  enum call call;
  int position;
  bool onwards;
  int error;
} rules[RULE_MAX];
static size_t rule_count;

static struct record {
  enum call call;
  int position, descriptor, error;
  long result;
  bool is_injected;
  char path[PATH_MAX_KEPT];
} records[RECORD_MAX];
static size_t record_count, injected_count, endless_wait_count, stray_close_count;

static int counts[CALL_COUNT];
static bool is_open[DESCRIPTOR_MAX];
static bool time_is_virtual;
static int64_t skew_milliseconds;
static bool is_whole_program;
static int log_descriptor = -1;

static _Thread_local bool is_armed;

// libc's own function.
static void *real(enum call call) {
  static void *found[CALL_COUNT];
  void *function = __atomic_load_n(&found[call], __ATOMIC_ACQUIRE);
  if (!function) {
    function = dlsym(RTLD_NEXT, names[call]);
    if (!function) abort();
    __atomic_store_n(&found[call], function, __ATOMIC_RELEASE);
  }
  return function;
}

// The plan ---------------------------------------------------------------------------------------

static int find_call(const char *text, size_t count) {
  for (int i = 0; i < CALL_COUNT; i++)
    if (strlen(names[i]) == count && memcmp(names[i], text, count) == 0) return i;
  return -1;
}

static int find_error(const char *text, size_t count) {
  if (count == 5 && memcmp(text, "short", 5) == 0) return SHORT;
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    if (strlen(errors[i].name) == count && memcmp(errors[i].name, text, count) == 0)
      return errors[i].number;
  return 0;
}

// Reads "CALL:POSITION:FAULT" into the next rule.
static bool add_rule(const char *text, size_t count) {
  const char *first = memchr(text, ':', count);
  if (!first || rule_count == RULE_MAX) return false;
  const char *second = memchr(first + 1, ':', count - (size_t)(first + 1 - text));
  if (!second) return false;
  int call = find_call(text, (size_t)(first - text));
  char *end;
  long position = strtol(first + 1, &end, 10);
  bool onwards = *end == '+';
  int error = find_error(second + 1, count - (size_t)(second + 1 - text));
  if (call < 0 || position < 1 || end + onwards != second || error == 0) return false;
  rules[rule_count].call = (enum call)call;
  rules[rule_count].position = (int)position;
  rules[rule_count].onwards = onwards;
  rules[rule_count++].error = error;
  return true;
}

bool faults_plan(const char *plan) {
  rule_count = record_count = injected_count = endless_wait_count = stray_close_count = 0;
  memset(counts, 0, sizeof counts);
  while (*plan) {
    size_t count = strcspn(plan, ",");
    if (!add_rule(plan, count)) return false;
    plan += count + (plan[count] == ',');
  }
  return true;
}

// What the plan has for the next occurrence of a call: an errno, SHORT, or 0.
static int next_fault(enum call call) {
  int position = ++counts[call];
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].call == call &&
        (rules[i].position == position || (rules[i].onwards && rules[i].position < position)))
      return rules[i].error;
  return 0;
}

// What was called --------------------------------------------------------------------------------

static size_t add_text(char *line, size_t count, const char *text) {
  size_t size = strlen(text);
  memcpy(line + count, text, size);
  return count + size;
}

static size_t add_number(char *line, size_t count, long number) {
  char digits[24];
  size_t start = sizeof digits;
  unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;
  do digits[--start] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) digits[--start] = '-';
  line[count++] = ' ';
  memcpy(line + count, digits + start, sizeof digits - start);
  return count + sizeof digits - start;
}

// "NAME POSITION DESCRIPTOR RESULT ERRNO INJECTED PATH", one line a call.
static void log_record(const struct record *record) {
  char line[200];
  size_t count = add_text(line, 0, names[record->call]);
  count = add_number(line, count, record->position);
  count = add_number(line, count, record->descriptor);
  count = add_number(line, count, record->result);
  count = add_number(line, count, record->error);
  count = add_number(line, count, record->is_injected);
  line[count++] = ' ';
  count = add_text(line, count, record->path);
  line[count++] = '\n';
  syscall(SYS_write, log_descriptor, line, count);
}

static void keep(enum call call, int descriptor, const char *path, long result, int fault) {
  int error = errno;
  // A test that goes on for ever ends here, and says so by its exit.
  if (record_count == RECORD_MAX && log_descriptor < 0) abort();
  struct record *record = &records[record_count % RECORD_MAX];
  record_count++;
  injected_count += fault != 0;
  *record = (struct record){call, counts[call], descriptor, result < 0 ? error : 0, result,
                            fault != 0, ""};
  size_t size = path ? strlen(path) : 0;
  const char *start = path ? path + (size < PATH_MAX_KEPT ? 0 : size - PATH_MAX_KEPT + 1) : "";
  strncpy(record->path, start, PATH_MAX_KEPT - 1);
  if (log_descriptor >= 0) log_record(record);
  errno = error;
}

static void keep_opened(long descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTOR_MAX) is_open[descriptor] = true;
}

static void keep_closed(int descriptor) {
  if (descriptor < 0 || descriptor >= DESCRIPTOR_MAX || !is_open[descriptor]) stray_close_count++;
  else is_open[descriptor] = false;
}

void faults_begin(void) { is_armed = true; }
void faults_end(void) { is_armed = false; }
void faults_use_virtual_time(bool use) { time_is_virtual = use; }
size_t faults_call_count(void) { return record_count; }
size_t faults_injected_count(void) { return injected_count; }
size_t faults_endless_wait_count(void) { return endless_wait_count; }
size_t faults_stray_close_count(void) { return stray_close_count; }

struct faults_call faults_call_at(size_t index) {
  const struct record *record = &records[index % RECORD_MAX];
  return (struct faults_call){names[record->call], record->position, record->descriptor,
                              record->path,        record->result,   record->error,
                              record->is_injected};
}

size_t faults_open_count(void) {
  size_t count = 0;
  for (int i = 0; i < DESCRIPTOR_MAX; i++) count += is_open[i];
  return count;
}

size_t faults_close_all(void) {
  size_t count = 0;
  int (*close_it)(int) = real(CALL_close), (*lock_it)(int, int) = real(CALL_flock);
  for (int i = 0; i < DESCRIPTOR_MAX; i++) {
    if (!is_open[i]) continue;
    // A process that another test has just begun may have a copy of the descriptor, and with it the lock.
    lock_it(i, LOCK_UN);
    close_it(i);
    is_open[i] = false;
    count++;
  }
  return count;
}

const char *faults_of(const char *call) {
  int found = find_call(call, strlen(call));
  return found < 0 ? NULL : faults_by_call[found];
}

const char *faults_calls(void) {
#define X(name, faults) #name " "
  return CALLS(X) "";
#undef X
}

// The functions ----------------------------------------------------------------------------------

// Defines libc's NAME. Under another name for the compiler, because headers declare some of them
// with types that only libc itself can spell.
#define DEFINE(type, name, parameters)                                                             \
  type faulty_##name parameters __asm__(#name);                                                    \
  type faulty_##name parameters

// libc's own function, with the type of the one that is being defined.
#define REAL(name) ((__typeof__(&faulty_##name))real(CALL_##name))

// The whole of a function that either happens or does not.
#define ALL_OR_NOTHING(name, descriptor, path, ...)                                                \
  if (!is_armed) return REAL(name)(__VA_ARGS__);                                                   \
  int fault = next_fault(CALL_##name);                                                             \
  int result = fault ? -1 : REAL(name)(__VA_ARGS__);                                               \
  if (fault) errno = fault;                                                                        \
  keep(CALL_##name, descriptor, path, result, fault);                                              \
  return result

// The same for one that returns a descriptor.
#define OPENING(name, descriptor, path, ...)                                                       \
  if (!is_armed) return REAL(name)(__VA_ARGS__);                                                   \
  int fault = next_fault(CALL_##name);                                                             \
  int result = fault ? -1 : REAL(name)(__VA_ARGS__);                                               \
  if (fault) errno = fault;                                                                        \
  keep_opened(result);                                                                             \
  keep(CALL_##name, descriptor, path, result, fault);                                              \
  return result

// The same for one that moves `count` octets.
#define MOVING(name, descriptor, ...)                                                              \
  if (!is_armed) return REAL(name)(__VA_ARGS__);                                                   \
  int fault = next_fault(CALL_##name);                                                             \
  if (fault == SHORT && count > 1) count = 1;                                                      \
  ssize_t result = fault > 0 ? -1 : REAL(name)(__VA_ARGS__);                                       \
  if (fault > 0) errno = fault;                                                                    \
  keep(CALL_##name, descriptor, NULL, result, fault);                                              \
  return result

DEFINE(int, openat, (int directory, const char *path, int flags, ...)) {
  va_list rest;
  va_start(rest, flags);
  unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  OPENING(openat, directory, path, directory, path, flags, mode);
}

DEFINE(int, open, (const char *path, int flags, ...)) {
  va_list rest;
  va_start(rest, flags);
  unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  OPENING(open, -1, path, path, flags, mode);
}

// Calls without a function of libc's own, by their numbers.
DEFINE(long, syscall, (long number, ...)) {
  va_list rest;
  long words[6];
  va_start(rest, number);
  for (int i = 0; i < 6; i++) words[i] = va_arg(rest, long);
  va_end(rest);
  static __typeof__(&faulty_syscall) found;
  __typeof__(&faulty_syscall) own = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!own) {
    own = (__typeof__(own))dlsym(RTLD_NEXT, "syscall");
    __atomic_store_n(&found, own, __ATOMIC_RELEASE);
  }
  int call = number == SYS_clone ? CALL_clone : CALL_COUNT;
#ifdef SYS_openat2
  if (number == SYS_openat2) call = CALL_openat2;
#endif
  if (!is_armed || call == CALL_COUNT)
    return own(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  int fault = next_fault((enum call)call);
  long result = fault ? -1 : own(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (fault) errno = fault;
  bool opens = call == CALL_openat2;
  if (opens) keep_opened(result);
  // The new process has no part in the list.
  if (opens || result != 0)
    keep((enum call)call, opens ? (int)words[0] : -1, opens ? (const char *)words[1] : NULL, result, fault);
  return result;
}

DEFINE(int, pipe2, (int *ends, int flags)) {
  if (!is_armed) return REAL(pipe2)(ends, flags);
  int fault = next_fault(CALL_pipe2);
  int result = fault ? -1 : REAL(pipe2)(ends, flags);
  if (fault) errno = fault;
  for (int i = 0; result == 0 && i < 2; i++) keep_opened(ends[i]);
  keep(CALL_pipe2, -1, NULL, result, fault);
  return result;
}

DEFINE(int, fcntl, (int descriptor, int command, ...)) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  ALL_OR_NOTHING(fcntl, descriptor, NULL, descriptor, command, argument);
}

DEFINE(int, access, (const char *path, int mode)) { ALL_OR_NOTHING(access, -1, path, path, mode); }

DEFINE(int, waitid, (int kind, unsigned number, void *facts, int options)) {
  ALL_OR_NOTHING(waitid, -1, NULL, kind, number, facts, options);
}

DEFINE(int, socket, (int domain, int type, int protocol)) {
  OPENING(socket, -1, NULL, domain, type, protocol);
}

DEFINE(int, connect, (int descriptor, const void *address, unsigned size)) {
  ALL_OR_NOTHING(connect, descriptor, NULL, descriptor, address, size);
}

DEFINE(int, accept4, (int listener, void *address, void *size, int flags)) {
  OPENING(accept4, listener, NULL, listener, address, size, flags);
}

DEFINE(int, epoll_create1, (int flags)) {
  OPENING(epoll_create1, -1, NULL, flags);
}

DEFINE(int, epoll_ctl, (int gathered, int operation, int descriptor, void *event)) {
  ALL_OR_NOTHING(epoll_ctl, descriptor, NULL, gathered, operation, descriptor, event);
}

DEFINE(int, signalfd, (int descriptor, const void *set, int flags)) {
  OPENING(signalfd, descriptor, NULL, descriptor, set, flags);
}

// Linux gives the descriptor back whatever close() reports.
DEFINE(int, close, (int descriptor)) {
  if (!is_armed) return REAL(close)(descriptor);
  int fault = next_fault(CALL_close);
  int result = REAL(close)(descriptor);
  keep_closed(descriptor);
  if (fault) {
    result = -1;
    errno = fault;
  }
  keep(CALL_close, descriptor, NULL, result, fault);
  return result;
}

DEFINE(ssize_t, read, (int descriptor, void *octets, size_t count)) {
  MOVING(read, descriptor, descriptor, octets, count);
}

DEFINE(ssize_t, write, (int descriptor, const void *octets, size_t count)) {
  MOVING(write, descriptor, descriptor, octets, count);
}

DEFINE(ssize_t, pread, (int descriptor, void *octets, size_t count, off_t offset)) {
  MOVING(pread, descriptor, descriptor, octets, count, offset);
}

DEFINE(ssize_t, getdents64, (int descriptor, void *octets, size_t count)) {
  MOVING(getdents64, descriptor, descriptor, octets, count);
}

DEFINE(int, ftruncate, (int descriptor, off_t size)) {
  ALL_OR_NOTHING(ftruncate, descriptor, NULL, descriptor, size);
}

DEFINE(ssize_t, recv, (int descriptor, void *octets, size_t count, int flags)) {
  MOVING(recv, descriptor, descriptor, octets, count, flags);
}

DEFINE(ssize_t, send, (int descriptor, const void *octets, size_t count, int flags)) {
  MOVING(send, descriptor, descriptor, octets, count, flags);
}

DEFINE(ssize_t, sendmsg, (int descriptor, const void *message, int flags)) {
  ALL_OR_NOTHING(sendmsg, descriptor, NULL, descriptor, message, flags);
}

DEFINE(ssize_t, sendfile, (int target, int source, void *offset, size_t count)) {
  MOVING(sendfile, target, target, source, offset, count);
}

DEFINE(ssize_t, getrandom, (void *octets, size_t count, unsigned flags)) {
  MOVING(getrandom, -1, octets, count, flags);
}

DEFINE(int, fsync, (int descriptor)) { ALL_OR_NOTHING(fsync, descriptor, NULL, descriptor); }

DEFINE(int, madvise, (void *start, size_t size, int advice)) {
  ALL_OR_NOTHING(madvise, -1, NULL, start, size, advice);
}

DEFINE(int, flock, (int descriptor, int operation)) {
  ALL_OR_NOTHING(flock, descriptor, NULL, descriptor, operation);
}

DEFINE(int, fstat, (int descriptor, void *status)) {
  ALL_OR_NOTHING(fstat, descriptor, NULL, descriptor, status);
}

DEFINE(int, fchmod, (int descriptor, unsigned mode)) {
  ALL_OR_NOTHING(fchmod, descriptor, NULL, descriptor, mode);
}

DEFINE(int, fstatat, (int directory, const char *path, void *status, int flags)) {
  ALL_OR_NOTHING(fstatat, directory, path, directory, path, status, flags);
}

DEFINE(int, mkdir, (const char *path, unsigned mode)) { ALL_OR_NOTHING(mkdir, -1, path, path, mode); }

DEFINE(int, rmdir, (const char *path)) { ALL_OR_NOTHING(rmdir, -1, path, path); }

DEFINE(int, unlinkat, (int directory, const char *path, int flags)) {
  ALL_OR_NOTHING(unlinkat, directory, path, directory, path, flags);
}

DEFINE(int, renameat, (int directory, const char *path, int target, const char *target_path)) {
  ALL_OR_NOTHING(renameat, directory, target_path, directory, path, target, target_path);
}

DEFINE(int, fstatfs, (int descriptor, void *space)) {
  ALL_OR_NOTHING(fstatfs, descriptor, NULL, descriptor, space);
}

static struct faults_line chip;

struct faults_line *faults_chip(void) { return &chip; }

// The chip's answer, without a fault. The line's descriptor is one of /dev/null.
static bool answer_of_chip(unsigned long request, void *argument, int *answer) {
  *answer = 0;
  if (request == GPIO_V2_GET_LINE_IOCTL) {
    struct gpio_v2_line_request *line = argument;
    chip.line = line->offsets[0];
    chip.flags = line->config.flags;
    chip.first = line->config.num_attrs == 1 && line->config.attrs[0].mask == 1
                            ? line->config.attrs[0].attr.values
                            : 0;
    line->fd = ((int (*)(const char *, int, ...))real(CALL_open))("/dev/null", O_RDWR | O_CLOEXEC);
    keep_opened(line->fd);
    return line->num_lines == 1;
  }
  struct gpio_v2_line_values *values = argument;
  if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) values->bits = chip.bits;
  else if (request == GPIO_V2_LINE_SET_VALUES_IOCTL) chip.bits = values->bits;
  else return false;
  return values->mask == 1;
}

DEFINE(int, ioctl, (int descriptor, unsigned long request, ...)) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  int answer;
  if (is_armed && chip.is_there && rule_count == 0 && answer_of_chip(request, argument, &answer)) {
    counts[CALL_ioctl]++;
    keep(CALL_ioctl, descriptor, NULL, answer, 0);
    return answer;
  }
  ALL_OR_NOTHING(ioctl, descriptor, NULL, descriptor, request, argument);
}

DEFINE(int, bind, (int descriptor, const void *address, unsigned size)) {
  ALL_OR_NOTHING(bind, descriptor, NULL, descriptor, address, size);
}

DEFINE(int, listen, (int descriptor, int backlog)) {
  ALL_OR_NOTHING(listen, descriptor, NULL, descriptor, backlog);
}

DEFINE(int, getsockname, (int descriptor, void *address, void *size)) {
  ALL_OR_NOTHING(getsockname, descriptor, NULL, descriptor, address, size);
}

DEFINE(int, setsockopt, (int descriptor, int level, int name, const void *value, unsigned size)) {
  ALL_OR_NOTHING(setsockopt, descriptor, NULL, descriptor, level, name, value, size);
}

DEFINE(int, shutdown, (int descriptor, int how)) {
  ALL_OR_NOTHING(shutdown, descriptor, NULL, descriptor, how);
}

DEFINE(int, poll, (struct pollfd * entries, nfds_t count, int milliseconds)) {
  if (!is_armed) return REAL(poll)(entries, count, milliseconds);
  int fault = next_fault(CALL_poll);
  bool is_cut = time_is_virtual && (milliseconds < 0 || milliseconds > ARRIVAL_PATIENCE);
  int result =
      fault ? -1 : REAL(poll)(entries, count, is_cut ? ARRIVAL_PATIENCE : milliseconds);
  if (fault) errno = fault;
  if (result == 0 && milliseconds < 0) endless_wait_count++;
  if (result == 0 && is_cut && milliseconds > 0) skew_milliseconds += milliseconds;
  keep(CALL_poll, -1, NULL, result, fault);
  return result;
}

// Not among the calls that fail: with these arguments it cannot.
int faulty_clock_gettime(clockid_t clock, struct timespec *now) __asm__("clock_gettime");
int faulty_clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&faulty_clock_gettime) found;
  __typeof__(&faulty_clock_gettime) own = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!own) {
    own = (__typeof__(own))dlsym(RTLD_NEXT, "clock_gettime");
    __atomic_store_n(&found, own, __ATOMIC_RELEASE);
  }
  int result = own(clock, now);
  // The panel then takes the machine for a slow one, and hashes passwords with the fewest iterations.
  if (is_whole_program && clock == CLOCK_PROCESS_CPUTIME_ID) {
    int64_t microseconds = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000;
    now->tv_sec = microseconds / 1000;
    now->tv_nsec = microseconds % 1000 * 1000000;
  }
  if (is_armed && clock == CLOCK_MONOTONIC) {
    now->tv_sec += skew_milliseconds / 1000;
    now->tv_nsec += skew_milliseconds % 1000 * 1000000;
    if (now->tv_nsec >= 1000000000) {
      now->tv_sec++;
      now->tv_nsec -= 1000000000;
    }
  }
  return result;
}

// Under a whole program: from its first instruction on, in its one thread.
__attribute__((constructor)) static void begin_in_program(void) {
  const char *plan = getenv("MARTLET_FAULTS"), *log = getenv("MARTLET_FAULTS_LOG");
  if (!plan) return;
  if (!faults_plan(plan)) {
    static const char text[] = "MARTLET_FAULTS is not a plan\n";
    syscall(SYS_write, STDERR_FILENO, text, sizeof text - 1);
    _exit(97);
  }
  if (log) {
    // Far from the program's own descriptors.
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, log,
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 500);
    syscall(SYS_close, descriptor);
    if (log_descriptor < 0) _exit(98);
  }
  is_armed = is_whole_program = true;
}
