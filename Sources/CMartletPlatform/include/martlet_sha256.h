// Iterations of PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2) by the instructions that some processors have for
// SHA-256. Whoever calls has asked the processor before.
#pragma once
#include <stdint.h>

// Programs for other processors than these contain none of this.
#if defined __x86_64__ || defined __aarch64__ || (defined __arm__ && defined __ARM_NEON)
enum { MARTLET_HAS_SHA256 = 1 };

// Whether this processor has the instructions, and the system lets programs use the instructions. The question takes
// 1 µs or more in a virtual machine.
int martlet_has_sha256(void);

// Computes `count` iterations. `inner` and `outer` are the 8 words of SHA-256's state after the block of the key with
// ipad, and with opad (RFC 2104). `last` is the U of 32 octets that was computed last, and becomes the new one. Each
// new U is added to `sum` by exclusive or.
void martlet_iterate_sha256(const void *_Nonnull inner, const void *_Nonnull outer, void *_Nonnull last,
                            void *_Nonnull sum, uint32_t count);
#else
enum { MARTLET_HAS_SHA256 = 0 };
static inline int martlet_has_sha256(void) { return 0; }
static inline void martlet_iterate_sha256(const void *_Nonnull inner, const void *_Nonnull outer,
                                          void *_Nonnull last, void *_Nonnull sum, uint32_t count) {
  (void)inner, (void)outer, (void)last, (void)sum, (void)count;
  __builtin_trap();
}
#endif
