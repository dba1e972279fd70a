// Searches, compares and copies octets, by words where the machine can. Swift's spans check each index, so
// Swift's compiler does not work by words.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The index of the first `octet` at or after `start`, or `count`.
size_t martlet_find(const uint8_t *_Nullable octets, size_t start, size_t count, uint8_t octet);

// Whether both hold equal octets. The comparison ends at the first difference.
static inline int martlet_equal(const uint8_t *_Nullable a, const uint8_t *_Nullable b,
                                size_t count) {
  return count == 0 || memcmp(a, b, count) == 0;
}

// Copies octets. Source and target may not overlap.
static inline void martlet_copy(uint8_t *_Nullable target, const uint8_t *_Nullable source,
                                size_t count) {
  if (count) memcpy(target, source, count);
}

// Copies octets between two places that may overlap.
static inline void martlet_move(uint8_t *_Nullable target, const uint8_t *_Nullable source,
                                size_t count) {
  if (count) memmove(target, source, count);
}

// Whether both hold equal octets. The time depends on `count` alone.
int martlet_equal_constant_time(const uint8_t *_Nullable a, const uint8_t *_Nullable b,
                                size_t count);

// The index of the first control octet (RFC 5234 B.1: below 0x20, or 0x7F) at or after `start`, or `count`.
size_t martlet_find_control(const uint8_t *_Nullable octets, size_t start, size_t count);

// Overwrites octets with zeros. The optimizer cannot remove this call.
void martlet_wipe(void *_Nonnull octets, size_t count);

// Overwrites 8 KiB of the stack below the caller, where functions that have returned left their values.
void martlet_wipe_stack(void);
// Overwrites 16 KiB of the stack, for a program whose pages need that much: the panel's need 9 KiB.
void martlet_wipe_deep_stack(void);
