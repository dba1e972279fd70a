// Compares secrets, finds control octets, overwrites secrets.
#include "martlet_octets.h"

int martlet_equal_constant_time(const uint8_t *a, const uint8_t *b, size_t count) {
  uint64_t difference = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t left, right;
    memcpy(&left, a + i, 8);
    memcpy(&right, b + i, 8);
    difference |= left ^ right;
    // This statement hides `difference` from the optimizer. Otherwise the optimizer could see that set bits
    // stay set, and leave the loop early, which would reveal where the secrets differ.
    __asm__ volatile("" : "+r"(difference));
  }
  for (; i < count; i++) difference |= (uint64_t)(a[i] ^ b[i]);
  return difference == 0;
}

#define EACH(octet) ((uint64_t)(octet) * 0x0101010101010101)

// The high bit of the first octet of `word` that is zero, and perhaps such bits of octets behind it.
static uint64_t zeros(uint64_t word) { return (word - EACH(0x01)) & ~word & EACH(0x80); }

static uint64_t word_at(const uint8_t *octets) {
  uint64_t word;
  memcpy(&word, octets, sizeof word);
  return word;
}

size_t martlet_find(const uint8_t *octets, size_t start, size_t count, uint8_t octet) {
  size_t i = start;
  for (; i + 8 <= count; i += 8) {
    if (zeros(word_at(octets + i) ^ EACH(octet))) break;
  }
  while (i < count && octets[i] != octet) i++;
  return i;
}

size_t martlet_find_control(const uint8_t *octets, size_t start, size_t count) {
  size_t i = start;
  for (; i + 8 <= count; i += 8) {
    uint64_t word = word_at(octets + i);
    // The high bit of some octet is set if and only if an octet is below 0x20, or is 0x7F.
    uint64_t low = (word - EACH(0x20)) & ~word & EACH(0x80);
    if (low | zeros(word ^ EACH(0x7F))) break;
  }
  while (i < count && octets[i] >= 0x20 && octets[i] != 0x7F) i++;
  return i;
}

__attribute__((noinline)) void martlet_wipe_stack(void) {
  uint8_t octets[8192];
  martlet_wipe(octets, sizeof octets);
}

__attribute__((noinline)) void martlet_wipe_deep_stack(void) {
  uint8_t octets[16384];
  martlet_wipe(octets, sizeof octets);
}

void martlet_wipe(void *octets, size_t count) {
  memset(octets, 0, count);
  __asm__ volatile("" : : "r"(octets) : "memory");
}
