// Comparing secrets; looking for what does not belong into a line.
#include "martlet_octets.h"

int martlet_equal_constant_time(const uint8_t *a, const uint8_t *b, size_t count) {
  uint64_t difference = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t left, right;
    memcpy(&left, a + i, 8);
    memcpy(&right, b + i, 8);
    difference |= left ^ right;
    // Closes the leak that an optimizer could open: were it to see that bits once set stay set, it
    // might leave the loop early. What comes out of this is unknown to it.
    __asm__ volatile("" : "+r"(difference));
  }
  for (; i < count; i++) difference |= (uint64_t)(a[i] ^ b[i]);
  return difference == 0;
}

#define EACH(octet) ((uint64_t)(octet) * 0x0101010101010101)

size_t martlet_find_control(const uint8_t *octets, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t word, difference;
    memcpy(&word, octets + i, 8);
    difference = word ^ EACH(0x7F);
    // Some octet's high bit comes out set if and only if one is below 0x20, or is 0x7F.
    uint64_t low = (word - EACH(0x20)) & ~word & EACH(0x80);
    uint64_t del = (difference - EACH(0x01)) & ~difference & EACH(0x80);
    if (low | del) break;
  }
  while (i < count && octets[i] >= 0x20 && octets[i] != 0x7F) i++;
  return i;
}

__attribute__((noinline)) void martlet_wipe_stack(void) {
  uint8_t octets[8192];
  martlet_wipe(octets, sizeof octets);
}

__attribute__((noinline)) void martlet_wipe_deep_stack(void) {
  uint8_t octets[49152];
  martlet_wipe(octets, sizeof octets);
}

void martlet_wipe(void *octets, size_t count) {
  memset(octets, 0, count);
  __asm__ volatile("" : : "r"(octets) : "memory");
}
