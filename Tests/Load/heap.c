// Counts the calls of the C library's allocator: put in front of it with LD_PRELOAD. The counts lie in
// the file that MARTLET_HEAP_COUNTS names, which heap.py reads while the program runs.
//
// glibc's own functions call malloc and its kin through the symbol, so what fopen() or strdup() takes
// is counted too. Its calls of brk() and mmap() are not seen here; heap.py looks for what they leave.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// One counter a function; heap.py has the names in the same order.
enum {
  MALLOC,
  CALLOC,
  REALLOC,
  REALLOCARRAY,
  FREE,
  POSIX_MEMALIGN,
  ALIGNED_ALLOC,
  MEMALIGN,
  VALLOC,
  PVALLOC,
  BRK,
  SBRK,
  MMAP,
  COUNTER_COUNT
};

// Until the file is there, calls are counted here, and taken over then.
static uint64_t before[COUNTER_COUNT];
static uint64_t *counts = before;

static void count(int function) { __atomic_fetch_add(&counts[function], 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) static void open_counts(void) {
  const char *path = getenv("MARTLET_HEAP_COUNTS");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) _exit(111);
  // Not through mmap(), which would count itself.
  long mapped = syscall(SYS_mmap, NULL, sizeof before, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == -1) _exit(111);
  close(file);
  counts = (uint64_t *)mapped;
  for (int i = 0; i < COUNTER_COUNT; i++) counts[i] = before[i];
}

// glibc's own names of the functions that are replaced here.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  count(MALLOC);
  return __libc_malloc(size);
}

void *calloc(size_t members, size_t size) {
  count(CALLOC);
  return __libc_calloc(members, size);
}

void *realloc(void *memory, size_t size) {
  count(REALLOC);
  return __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t members, size_t size) {
  count(REALLOCARRAY);
  size_t all;
  if (__builtin_mul_overflow(members, size, &all)) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(memory, all);
}

void free(void *memory) {
  count(FREE);
  __libc_free(memory);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count(POSIX_MEMALIGN);
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size) {
  count(ALIGNED_ALLOC);
  return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  count(MEMALIGN);
  return __libc_memalign(alignment, size);
}

void *valloc(size_t size) {
  count(VALLOC);
  return __libc_memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size) {
  count(PVALLOC);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return __libc_memalign(page, (size + page - 1) / page * page);
}

// The next definition of a function; its address is an object pointer there and a function here.
#define NEXT(name) ((typeof(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

int brk(void *end) {
  count(BRK);
  return NEXT(brk)(end);
}

void *sbrk(intptr_t increment) {
  count(SBRK);
  return NEXT(sbrk)(increment);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  count(MMAP);
  return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
