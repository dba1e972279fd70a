// The part of mbedTLS that Martlet uses: SHA-256 on a context that the caller owns.
// mbedTLS 2.28 (Debian 12) spells the functions that can fail with a _ret suffix; 3.x dropped it.
#pragma once
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <stdint.h>

// Swift copies a context as a value, to keep the state of a hash at half way. That holds for the
// software implementation; an alternative one may keep its state elsewhere.
#ifdef MBEDTLS_SHA256_ALT
#error "Martlet needs mbedTLS's own SHA-256: build mbedTLS without MBEDTLS_SHA256_ALT"
#endif

static inline int cmbedtls_sha256_starts(mbedtls_sha256_context *context) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_sha256_starts(context, 0);
#else
  return mbedtls_sha256_starts_ret(context, 0);
#endif
}

static inline int cmbedtls_sha256_update(mbedtls_sha256_context *context, const unsigned char *octets,
                                         size_t count) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_sha256_update(context, octets, count);
#else
  return mbedtls_sha256_update_ret(context, octets, count);
#endif
}

static inline int cmbedtls_sha256_finish(mbedtls_sha256_context *context, unsigned char *digest) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_sha256_finish(context, digest);
#else
  return mbedtls_sha256_finish_ret(context, digest);
#endif
}

// The eight words of an unfinished hash between two blocks (H of FIPS 180-4 section 6.2).
struct cmbedtls_sha256_words {
  uint32_t words[8];
};

static inline struct cmbedtls_sha256_words cmbedtls_sha256_words(const mbedtls_sha256_context *context) {
  struct cmbedtls_sha256_words copy;
#if MBEDTLS_VERSION_MAJOR >= 3
  const uint32_t *words = context->MBEDTLS_PRIVATE(state);
#else
  const uint32_t *words = context->state;
#endif
  for (int i = 0; i < 8; i++) copy.words[i] = words[i];
  return copy;
}
