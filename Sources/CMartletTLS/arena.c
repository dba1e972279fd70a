// The memory that the library of scripts/sdk allocates: fixed arenas in static memory. Each connection has an arena,
// each of two certificates, and one is for all else. What one connection does never takes memory of others. Pages of an
// arena are the kernel's zero pages until they are used, and again when the arena is cleared.
//
//     block: octets (4) | is_used (4) | memory, zero when it is handed out
//     arena: block | block | ... | end | used before, perhaps not zero | dirty | zero pages
#include "internal.h"

#ifdef MBEDTLS_PLATFORM_CALLOC_MACRO
#include <string.h>

#include "martlet_bugs.h"

enum {
  // The structures of a chain of several certificates, and the key.
  CERTIFICATE_SIZE = 8192,
  // A key for as long as martlet_tls_sign() uses it.
  COMMON_SIZE = 4096,
  // The library needs no more for any type.
  ALIGNMENT = 8,
};

_Static_assert(MARTLET_TLS_ARENA_SIZE % MARTLET_PAGE_SIZE == 0, "whole pages can be given back");
_Static_assert(MBEDTLS_PSA_KEY_SLOT_COUNT >= 4 * MARTLET_TLS_COUNT + 6, "keys for all connections");

struct block {
  uint32_t size; // with this header
  uint32_t is_used;
};

_Static_assert(sizeof(struct block) % ALIGNMENT == 0, "blocks lie one behind the other");

static _Alignas(MARTLET_PAGE_SIZE) struct {
  uint8_t connections[MARTLET_TLS_COUNT][MARTLET_TLS_ARENA_SIZE];
  uint8_t certificates[2][CERTIFICATE_SIZE];
  uint8_t common[COMMON_SIZE];
} memory;

static struct {
  uint32_t end, dirty;
} arenas[MARTLET_ARENA_COUNT];

static int current = MARTLET_ARENA_COMMON;

static uint8_t *begin_of(int arena) {
  if (arena < MARTLET_ARENA_CERTIFICATES) return memory.connections[arena];
  if (arena < MARTLET_ARENA_COMMON) return memory.certificates[arena - MARTLET_ARENA_CERTIFICATES];
  return memory.common;
}

static uint32_t size_of(int arena) {
  if (arena < MARTLET_ARENA_CERTIFICATES) return MARTLET_TLS_ARENA_SIZE;
  return arena < MARTLET_ARENA_COMMON ? CERTIFICATE_SIZE : COMMON_SIZE;
}

static struct block *block_at(int arena, uint32_t offset) { return (struct block *)(begin_of(arena) + offset); }

int martlet_arena_use(int arena) {
  int before = current;
  current = arena;
  return before;
}

void martlet_arena_clear(int arena) {
  if (arenas[arena].dirty == 0) return;
  martlet_give_back(begin_of(arena), size_of(arena), arenas[arena].dirty);
  arenas[arena].end = arenas[arena].dirty = 0;
}

size_t martlet_arenas_size(void) { return sizeof memory; }

// The offset of the first block that is free and has that size, or the end of all blocks.
static uint32_t find(int arena, uint32_t size) {
  uint32_t offset = 0;
  while (offset < arenas[arena].end) {
    struct block *block = block_at(arena, offset);
    if (!block->is_used && block->size >= size) break;
    offset += block->size;
  }
  return offset;
}

void *martlet_tls_calloc(size_t count, size_t item_size) {
  uint32_t limit = size_of(current);
  if (item_size > 0 && count > (limit - sizeof(struct block)) / item_size) return NULL;
  uint32_t size = (uint32_t)((count * item_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + sizeof(struct block));
  uint32_t offset = find(current, size);
  if (size > limit - offset) return NULL;
  struct block *block = block_at(current, offset);
  uint8_t *octets = (uint8_t *)(block + 1);
  uint32_t zero_at = arenas[current].dirty;
  if (offset == arenas[current].end) {
    arenas[current].end = offset + size;
    if (zero_at < offset + size) arenas[current].dirty = offset + size;
  } else if (block->size - size >= 2 * sizeof(struct block)) {
    *block_at(current, offset + size) = (struct block){block->size - size, 0};
  } else {
    size = block->size;
  }
  *block = (struct block){size, 1};
  // What has never been used is zero, and stays untouched.
  uint32_t octets_at = offset + (uint32_t)sizeof *block;
  if (octets_at < zero_at) memset(octets, 0, (zero_at < offset + size ? zero_at : offset + size) - octets_at);
  return octets;
}

// The arena that an address lies in; -1 for none.
static int arena_of(const uint8_t *octets) {
  for (int arena = 0; arena < MARTLET_ARENA_COUNT; arena++)
    if (octets >= begin_of(arena) && octets < begin_of(arena) + size_of(arena)) return arena;
  return -1;
}

// Makes one block of free blocks that lie side by side. Free blocks before the end belong to no block any more.
static void join(int arena) {
  struct block *before = NULL;
  uint32_t offset = 0;
  while (offset < arenas[arena].end) {
    struct block *block = block_at(arena, offset);
    offset += block->size;
    if (block->is_used) {
      before = NULL;
    } else if (before) {
      before->size += block->size;
    } else {
      before = block;
    }
  }
  if (before) arenas[arena].end -= before->size;
}

void martlet_tls_free(void *octets) {
  static const uint8_t file_name[] = "arena.c", misused[] = "what is freed has been allocated";
  if (!octets) return;
  int arena = arena_of(octets);
  struct block *block = (struct block *)octets - 1;
  if (arena < 0 || !block->is_used) martlet_stop(file_name, __LINE__, misused);
  block->is_used = 0;
  join(arena);
  // Keys are used here at the start and seldom later.
  if (arena == MARTLET_ARENA_COMMON && arenas[arena].end == 0) martlet_arena_clear(arena);
}
#endif
