// Compares the iterations that CMartletPlatform computes with the processor's instructions for SHA-256 with what
// mbedTLS comes to, for random states and counts. Prints "no instructions", or how many comparisons were equal;
// status 1 where one was not.
#include "martlet_sha256.h"
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <string.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#define STATE(context) (context).MBEDTLS_PRIVATE(state)
#define TOTAL(context) (context).MBEDTLS_PRIVATE(total)
#else
#define STATE(context) (context).state
#define TOTAL(context) (context).total
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#endif

enum { COMPARISONS = 2000, ITERATIONS_MAX = 5 };

static uint32_t seed = 1;

static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

// A word that is random, or all zeros, or all ones, so that carries run through.
static uint32_t word(void) {
  uint32_t kind = next() % 8;
  return kind == 0 ? 0 : kind == 1 ? UINT32_MAX : next();
}

static void fill(uint32_t words[8]) {
  for (int i = 0; i < 8; i++) words[i] = word();
}

// The digest of a block that led to `state`, and then of 32 octets, written over these octets.
static void hash(const uint32_t state[8], uint8_t octets[32]) {
  mbedtls_sha256_context context;
  mbedtls_sha256_init(&context);
  mbedtls_sha256_starts(&context, 0);
  memcpy(STATE(context), state, 32);
  TOTAL(context)[0] = 64;
  mbedtls_sha256_update(&context, octets, 32);
  mbedtls_sha256_finish(&context, octets);
}

int main(void) {
  if (!martlet_has_sha256()) return puts("no instructions") < 0;
  for (int i = 0; i < COMPARISONS; i++) {
    uint32_t inner[8], outer[8], words[8];
    // One octet more, so that the addresses are odd.
    uint8_t last[33], sum[33], expected[32], expected_sum[32];
    fill(inner);
    fill(outer);
    fill(words);
    memcpy(last + 1, words, 32);
    memcpy(expected, words, 32);
    fill(words);
    memcpy(sum + 1, words, 32);
    memcpy(expected_sum, words, 32);
    uint32_t count = next() % (ITERATIONS_MAX + 1);
    martlet_iterate_sha256(inner, outer, last + 1, sum + 1, count);
    for (uint32_t done = 0; done < count; done++) {
      hash(inner, expected);
      hash(outer, expected);
      for (int j = 0; j < 32; j++) expected_sum[j] ^= expected[j];
    }
    if (memcmp(last + 1, expected, 32) != 0 || memcmp(sum + 1, expected_sum, 32) != 0) {
      printf("wrong after %d comparisons\n", i);
      return 1;
    }
  }
  return printf("%d equal\n", COMPARISONS) < 0;
}
