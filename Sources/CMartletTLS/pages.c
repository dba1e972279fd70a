// Gives memory back to the kernel in whole pages. Kernels have pages of 4, 16 (Raspberry Pi 5) or 64 KiB. madvise()
// counts a part of a page at the end as a whole one, so that octets behind the memory would be lost.
#define _GNU_SOURCE
#include <mbedtls/platform_util.h>

#include <sys/auxv.h>
#include <sys/mman.h>

#include "martlet_pages.h"

// Makes zeros of what is both in `from..<to` and among the first `used` octets.
static void wipe(uint8_t *octets, size_t from, size_t to, size_t used) {
  if (to > used) to = used;
  if (from < to) mbedtls_platform_zeroize(octets + from, to - from);
}

void martlet_give_back_pages(uint8_t *octets, size_t size, size_t used, size_t page) {
  size_t first = (page - (uintptr_t)octets % page) % page;
  size_t count = first < size ? (size - first) / page * page : 0;
  if (count == 0 || madvise(octets + first, count, MADV_DONTNEED) != 0) first = count = 0;
  wipe(octets, 0, first, used);
  wipe(octets, first + count, size, used);
}

void martlet_give_back(void *octets, size_t size, size_t used) {
  martlet_give_back_pages(octets, size, used, getauxval(AT_PAGESZ));
}
