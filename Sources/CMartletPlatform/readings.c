// Texts of any length, addresses, file systems, and the child that waits for them. EINTR ends here; every
// other errno is handed up as -errno.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // File systems beyond 4 Gi blocks on 32-bit boards.
#endif
#include "martlet_readings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "martlet_files.h"
#include "martlet_platform.h"

// Where paths begin; "" is the system's own root.
static char root[256];
static size_t root_count;

int martlet_set_root(const uint8_t *path, size_t count) {
  while (count > 1 && path[count - 1] == '/') count--;
  if (count == 0 || memchr(path, 0, count) != NULL) return -EINVAL;
  if (count >= sizeof root) return -ENAMETOOLONG;
  memcpy(root, path, count);
  root[count] = 0;
  int directory = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  close(directory);
  root_count = count;
  return 0;
}

int martlet_has_root(void) { return root_count > 0; }

int martlet_rooted_path(char *target, size_t size, const uint8_t *path, size_t count) {
  if (count == 0 || memchr(path, 0, count) != NULL) return -EINVAL;
  if (root_count + count >= size) return -ENAMETOOLONG;
  memcpy(target, root, root_count);
  memcpy(target + root_count, path, count);
  target[root_count + count] = 0;
  return 0;
}

int martlet_exists(const uint8_t *path, size_t count) {
  char text[MARTLET_PATH_SIZE];
  return martlet_rooted_path(text, sizeof text, path, count) == 0 && access(text, F_OK) == 0;
}

// MARK: Lines

int martlet_begin_lines(struct martlet_lines *lines, const uint8_t *path, size_t count) {
  char text[MARTLET_PATH_SIZE];
  lines->start = lines->end = 0;
  lines->skips = 0;
  lines->descriptor = -1;
  int error = martlet_rooted_path(text, sizeof text, path, count);
  if (error) return error;
  // Non-blocking, so that a pipe in a file's place does not hold the program up.
  do lines->descriptor = openat(AT_FDCWD, text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  while (lines->descriptor < 0 && errno == EINTR);
  return lines->descriptor < 0 ? -errno : 0;
}

void martlet_end_lines(struct martlet_lines *lines) {
  if (lines->descriptor >= 0) close(lines->descriptor);
  lines->descriptor = -1;
}

long martlet_next_line(struct martlet_lines *lines, size_t *offset) {
  for (;;) {
    uint8_t *octets = lines->octets + lines->start;
    size_t count = lines->end - lines->start;
    uint8_t *feed = count > 0 ? memchr(octets, '\n', count) : NULL;
    if (feed || count == lines->size || (count > 0 && lines->descriptor < 0)) {
      int skips = lines->skips;
      lines->skips = feed == NULL;
      if (feed) count = (size_t)(feed - octets);
      *offset = lines->start;
      lines->start += count + (feed != NULL);
      if (!skips) return (long)count;
      continue;
    }
    if (lines->descriptor < 0) return -1;
    memmove(lines->octets, octets, count);
    lines->start = 0;
    lines->end = count;
    ssize_t n = read(lines->descriptor, lines->octets + count, lines->size - count);
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) lines->end += (size_t)n;
    else martlet_end_lines(lines);
  }
}

// MARK: Addresses

long martlet_ipv4_addresses(uint8_t *octets, size_t size, size_t *left_out) {
  struct ifconf list = {.ifc_len = (int)size, .ifc_buf = (char *)octets};
  struct ifconf whole = {0};
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int error = ioctl(descriptor, SIOCGIFCONF, &list) == 0 ? 0 : -errno;
  // Without a buffer the kernel tells how long the list is.
  if (error || ioctl(descriptor, SIOCGIFCONF, &whole) != 0) whole.ifc_len = list.ifc_len;
  close(descriptor);
  if (error) return error;
  // An entry of the kernel's becomes one of ours, which is smaller, in the same memory.
  size_t listed = (size_t)list.ifc_len / sizeof(struct ifreq), count = 0;
  for (size_t i = 0; i < listed; i++) {
    struct ifreq entry;
    struct sockaddr_in address;
    struct martlet_ipv4 ours;
    memcpy(&entry, octets + i * sizeof entry, sizeof entry);
    memcpy(&address, &entry.ifr_addr, sizeof address);
    if (address.sin_family != AF_INET) continue;
    memcpy(ours.name, entry.ifr_name, sizeof ours.name);
    memcpy(ours.address, &address.sin_addr, sizeof ours.address);
    memcpy(octets + count++ * sizeof ours, &ours, sizeof ours);
  }
  size_t all = (size_t)whole.ifc_len / sizeof(struct ifreq);
  *left_out = all > listed ? all - listed : 0;
  return (long)count;
}

// MARK: File systems

int martlet_ask_space(const uint8_t *path, size_t count, struct martlet_space *space) {
  char text[MARTLET_PATH_SIZE];
  struct statfs facts;
  if (count == 0 || count >= sizeof text || memchr(path, 0, count) != NULL) return -EINVAL;
  memcpy(text, path, count);
  text[count] = 0;
  // O_PATH mounts nothing (open(2)); kernels before 3.12 know no fstatfs() of such a descriptor.
  int descriptor = openat(AT_FDCWD, text, O_PATH | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int error = fstatfs(descriptor, &facts) == 0 ? 0 : -errno;
  close(descriptor);
  if (error == -EBADF) error = statfs(text, &facts) == 0 ? 0 : -errno;
  if (error) return error;
  if (facts.f_type == AUTOFS_SUPER_MAGIC) return -ENOENT;
  space->total = facts.f_blocks;
  space->free = facts.f_bfree;
  space->available = facts.f_bavail;
  space->block_size = (uint64_t)(facts.f_frsize > 0 ? facts.f_frsize : facts.f_bsize);
  return 0;
}

// MARK: The child

static struct martlet_questions *shared;

struct martlet_questions *martlet_questions(size_t child) {
  if (!shared) {
    void *memory = mmap(NULL, sizeof *shared * MARTLET_CHILD_COUNT, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    shared = memory;
  }
  return &shared[child];
}

uint32_t martlet_load_state(const uint32_t *state) { return __atomic_load_n(state, __ATOMIC_ACQUIRE); }

void martlet_store_state(uint32_t *state, uint32_t value) {
  __atomic_store_n(state, value, __ATOMIC_RELEASE);
}

// What the parent has open - the listener above all - must not stay open because a device hangs.
static void close_all(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) return;
#endif
  // Kernels before 5.9. Descriptors are given out from below, and no program has more connections.
  for (int descriptor = STDERR_FILENO + 1; descriptor < 1200; descriptor++) close(descriptor);
}

int martlet_begin_child(void) {
  // fork() would bring locks and handlers of the C library; here is one thread.
  long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (child != 0) return child < 0 ? -errno : (int)child;
  struct itimerval end = {.it_value.tv_sec = MARTLET_CHILD_SECONDS};
  setitimer(ITIMER_REAL, &end, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
  close_all();
  return 0;
}

// A process that ignores SIGCHLD, as the first one of a system does, gets ECHILD: the kernel has forgotten the child.
int martlet_child_runs(int child) { return waitpid(child, NULL, WNOHANG) == 0; }

_Noreturn void martlet_end_child(void) { _exit(0); }

// MARK: History

static uint16_t history[MARTLET_HISTORY_SIZE / 2];

uint16_t martlet_history(size_t index) { return index < MARTLET_HISTORY_SIZE / 2 ? history[index] : 0; }

void martlet_set_history(size_t index, uint16_t value) {
  if (index < MARTLET_HISTORY_SIZE / 2) history[index] = value;
}
