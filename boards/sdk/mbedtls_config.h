// What static programs have of mbedTLS 3.6: SHA-256, and a TLS server for 1.2 and 1.3 with ECDHE on P-256, its own
// key for P-256 and two suites. No peer is verified, no key is parsed, no session is resumed: tickets are off because
// the version in use takes those of TLS 1.3 for TLS 1.2 (advisories.tsv).
#pragma once

// Instructions of the processor's own for long numbers and for constant time.
#define MBEDTLS_HAVE_ASM

// MARK: What the library has of the system

// Memory is the connection's own (Sources/CMartletTLS/arena.c).
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_CALLOC_MACRO martlet_tls_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO martlet_tls_free
// Functions that nothing has: what is linked makes no text, and the linker says so where that changes. musl's own
// would bring a part of its streams into each program.
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO martlet_tls_makes_no_text
#define MBEDTLS_PLATFORM_VSNPRINTF_MACRO martlet_tls_makes_no_text
#define MBEDTLS_PLATFORM_PRINTF_MACRO martlet_tls_prints_nothing
#define MBEDTLS_PLATFORM_FPRINTF_MACRO martlet_tls_prints_nothing
#define MBEDTLS_PLATFORM_EXIT_MACRO martlet_tls_never_exits
#ifndef __ASSEMBLER__
#include <stddef.h>
void *martlet_tls_calloc(size_t count, size_t size);
void martlet_tls_free(void *memory);
int martlet_tls_makes_no_text(char *octets, size_t count, const char *format, ...);
#endif

// MARK: Hashes and ciphers

#define MBEDTLS_SHA256_C
// A loop instead of its unrolled rounds: 2 KB less, as fast where the instruction cache is small.
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_MD_C
#define MBEDTLS_AES_C
// Tables that are constant, and one of four.
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

// MARK: Keys, by PSA (psa_config.h) and p256-m

#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_USE_PSA_CRYPTO
#define MBEDTLS_PSA_CRYPTO_CONFIG
// Random octets are the kernel's (Sources/CMartletTLS/keys.c).
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
// The program has one thread, so that what it passes does not change meanwhile.
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
// A connection of TLS 1.3 has four keys at most, each certificate one; two are for martlet_tls_sign() and the like.
#if defined MARTLET_LIMITS_TINY
#define MBEDTLS_PSA_KEY_SLOT_COUNT 22
#elif defined MARTLET_LIMITS_SMALL
#define MBEDTLS_PSA_KEY_SLOT_COUNT 38
#else
#define MBEDTLS_PSA_KEY_SLOT_COUNT 70
#endif
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C

// MARK: Certificates

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO

// MARK: TLS

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
// The library wants it for TLS 1.3; there is no peer certificate to keep.
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT
// Clients send records of any size: few of them let a server ask for less.
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
#define MBEDTLS_SSL_CIPHERSUITES                                                                                       \
  MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS1_3_AES_128_GCM_SHA256,                                          \
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
