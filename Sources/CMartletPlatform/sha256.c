// Computes iterations of PBKDF2-HMAC-SHA256 by the SHA extensions of x86-64 and by the SHA2 instructions of ARMv8.
// Only the functions here are compiled for such processors; the rest of the program runs on every processor.
//
// An iteration is two compressions (FIPS 180-4 section 6.2.2), and each of them waits for the compression before. So
// the time is the latency of the instructions for rounds. The message schedule and the loop cost nothing beside that.
// On a Xeon the loop was as fast as unrolled code of three times its size.
#include "martlet_sha256.h"

#if defined __x86_64__ || defined __aarch64__ || (defined __arm__ && defined __ARM_NEON)
#include <string.h>
#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#define FOR_SHA256 __attribute__((target("sha,sse4.1")))
#elif defined __aarch64__
#include <arm_neon.h>
#include <sys/auxv.h>
#define FOR_SHA256 __attribute__((target("sha2")))
#else
#include <sys/auxv.h>
#define FOR_SHA256 __attribute__((target("v8,neon,sha2")))
#endif
#define INLINE_FOR_SHA256 FOR_SHA256 static inline __attribute__((always_inline))

// Four words of 32 bits, the first in the lowest lane.
typedef uint32_t martlet_words __attribute__((vector_size(16)));
typedef uint8_t martlet_octets __attribute__((vector_size(16)));

// The state of SHA-256 in the order that the instructions want: abcd and efgh on ARM, feba and hgdc on x86-64.
struct martlet_sha256_state {
  martlet_words first, second;
};

// K of FIPS 180-4 section 4.2.2, four words for each step of four rounds.
static const martlet_words round_constants[16] = {
  {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5}, {0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5},
  {0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3}, {0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174},
  {0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc}, {0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da},
  {0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7}, {0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967},
  {0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13}, {0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85},
  {0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3}, {0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070},
  {0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5}, {0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3},
  {0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208}, {0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2},
};

#if defined __x86_64__
int martlet_has_sha256(void) {
  unsigned a, b, c, d;
  // The functions below use XMM registers only, which every 64-bit system saves.
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

// The state of the words a to h.
INLINE_FOR_SHA256 struct martlet_sha256_state state_of(martlet_words abcd, martlet_words efgh) {
  return (struct martlet_sha256_state){
    __builtin_shufflevector(abcd, efgh, 5, 4, 1, 0),
    __builtin_shufflevector(abcd, efgh, 7, 6, 3, 2),
  };
}

// abcd and efgh of a state.
INLINE_FOR_SHA256 struct martlet_sha256_state words_of(struct martlet_sha256_state state) {
  return (struct martlet_sha256_state){
    __builtin_shufflevector(state.first, state.second, 3, 2, 7, 6),
    __builtin_shufflevector(state.first, state.second, 1, 0, 5, 4),
  };
}

// Four rounds; `words` are W + K.
INLINE_FOR_SHA256 struct martlet_sha256_state rounds(struct martlet_sha256_state state, martlet_words words) {
  __m128i both = (__m128i)words;
  state.second = (martlet_words)_mm_sha256rnds2_epu32((__m128i)state.second, (__m128i)state.first, both);
  both = _mm_shuffle_epi32(both, 0x0E);
  state.first = (martlet_words)_mm_sha256rnds2_epu32((__m128i)state.first, (__m128i)state.second, both);
  return state;
}

// The next four words of the message schedule, from the sixteen before.
INLINE_FOR_SHA256 martlet_words scheduled(martlet_words w0, martlet_words w1, martlet_words w2, martlet_words w3) {
  martlet_words sum = (martlet_words)_mm_sha256msg1_epu32((__m128i)w0, (__m128i)w1);
  sum += __builtin_shufflevector(w2, w3, 1, 2, 3, 4);
  return (martlet_words)_mm_sha256msg2_epu32((__m128i)sum, (__m128i)w3);
}
#else
// The kernel's numbers: of AT_HWCAP on 64-bit ARM, of AT_HWCAP2 on 32-bit ARM.
#if defined __aarch64__
int martlet_has_sha256(void) { return (getauxval(AT_HWCAP) >> 6 & 1) != 0; }
#else
int martlet_has_sha256(void) { return (getauxval(AT_HWCAP2) >> 3 & 1) != 0; }

// arm_neon.h has these names for ARMv8 only, whatever the function is compiled for. 50 is how clang's own functions call
// vectors of uint32_t.
typedef int8_t martlet_lanes __attribute__((neon_vector_type(16)));
typedef martlet_words uint32x4_t;
#define MARTLET_SHA256_3(name, a, b, c)                                                                      \
  (martlet_words)__builtin_neon_##name((martlet_lanes)(a), (martlet_lanes)(b), (martlet_lanes)(c), 50)
#define vsha256hq_u32(a, b, c) MARTLET_SHA256_3(vsha256hq_u32, a, b, c)
#define vsha256h2q_u32(a, b, c) MARTLET_SHA256_3(vsha256h2q_u32, a, b, c)
#define vsha256su1q_u32(a, b, c) MARTLET_SHA256_3(vsha256su1q_u32, a, b, c)
#define vsha256su0q_u32(a, b)                                                                                \
  (martlet_words)__builtin_neon_vsha256su0q_u32((martlet_lanes)(a), (martlet_lanes)(b), 50)
#endif

INLINE_FOR_SHA256 struct martlet_sha256_state state_of(martlet_words abcd, martlet_words efgh) {
  return (struct martlet_sha256_state){abcd, efgh};
}

INLINE_FOR_SHA256 struct martlet_sha256_state words_of(struct martlet_sha256_state state) { return state; }

INLINE_FOR_SHA256 struct martlet_sha256_state rounds(struct martlet_sha256_state state, martlet_words words) {
  return (struct martlet_sha256_state){
    (martlet_words)vsha256hq_u32((uint32x4_t)state.first, (uint32x4_t)state.second, (uint32x4_t)words),
    (martlet_words)vsha256h2q_u32((uint32x4_t)state.second, (uint32x4_t)state.first, (uint32x4_t)words),
  };
}

INLINE_FOR_SHA256 martlet_words scheduled(martlet_words w0, martlet_words w1, martlet_words w2, martlet_words w3) {
  return (martlet_words)vsha256su1q_u32(vsha256su0q_u32((uint32x4_t)w0, (uint32x4_t)w1), (uint32x4_t)w2,
                                        (uint32x4_t)w3);
}
#endif

// Four words of a state, at any address.
INLINE_FOR_SHA256 martlet_words loaded(const void *octets, size_t offset) {
  martlet_words words;
  memcpy(&words, (const uint8_t *)octets + offset, sizeof words);
  return words;
}

// Digests have the most significant octet first, and these processors the least.
INLINE_FOR_SHA256 martlet_words swapped(martlet_words words) {
  martlet_octets octets = (martlet_octets)words;
  return (martlet_words)__builtin_shufflevector(octets, octets, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14,
                                                13, 12);
}

INLINE_FOR_SHA256 void store(martlet_words words, void *octets, size_t offset) {
  words = swapped(words);
  memcpy((uint8_t *)octets + offset, &words, sizeof words);
}

FOR_SHA256 void martlet_iterate_sha256(const void *inner, const void *outer, void *last, void *sum, uint32_t count) {
  const struct martlet_sha256_state keys[2] = {
    state_of(loaded(inner, 0), loaded(inner, 16)),
    state_of(loaded(outer, 0), loaded(outer, 16)),
  };
  struct martlet_sha256_state digest = {swapped(loaded(last, 0)), swapped(loaded(last, 16))};
  struct martlet_sha256_state added = {swapped(loaded(sum, 0)), swapped(loaded(sum, 16))};
  for (; count > 0; count--) {
    // Both hashes of an HMAC are of the block of the key and 32 octets. So the second block has these octets, the bit
    // behind the message, and the length of the message in bits: 8 * (64 + 32).
#pragma clang loop unroll(disable)
    for (int i = 0; i < 2; i++) {
      martlet_words w0 = digest.first, w1 = digest.second, w2 = {0x80000000, 0, 0, 0}, w3 = {0, 0, 0, 768};
      struct martlet_sha256_state state = keys[i];
      // The last four words of the schedule are not used; leaving them out would take more code, and as much time.
#pragma clang loop unroll(disable)
      for (int step = 0; step < 16; step++) {
        state = rounds(state, w0 + round_constants[step]);
        martlet_words next = scheduled(w0, w1, w2, w3);
        w0 = w1;
        w1 = w2;
        w2 = w3;
        w3 = next;
      }
      state.first += keys[i].first;
      state.second += keys[i].second;
      digest = words_of(state);
    }
    added.first ^= digest.first;
    added.second ^= digest.second;
  }
  store(digest.first, last, 0);
  store(digest.second, last, 16);
  store(added.first, sum, 0);
  store(added.second, sum, 16);
}
#endif
