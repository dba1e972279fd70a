// What the files of this folder share.
#pragma once
#include <mbedtls/version.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "martlet_pages.h"
#include "martlet_tls.h"

// Keys of the library of scripts/sdk are PSA's. With Debian's libraries the older functions are used.
#if MBEDTLS_VERSION_MAJOR >= 3 && !defined MBEDTLS_ECP_C
#define MARTLET_TLS_PSA 1
#else
#define MARTLET_TLS_PSA 0
#endif

// MARK: Memory

// The arenas after those of the places.
enum {
  MARTLET_ARENA_CERTIFICATES = MARTLET_TLS_COUNT, // the first of two
  MARTLET_ARENA_COMMON = MARTLET_TLS_COUNT + 2,
  MARTLET_ARENA_COUNT,
};

#ifdef MBEDTLS_PLATFORM_CALLOC_MACRO
// Chooses the arena of the allocations that follow. Whatever calls the library and may allocate calls this before.
// The arena until now.
int martlet_arena_use(int arena);
// Gives the pages of an arena back to the kernel. Nothing in the arena is in use any more.
void martlet_arena_clear(int arena);
size_t martlet_arenas_size(void);
#else
// Debian's libraries allocate with libc's calloc().
static inline int martlet_arena_use(int arena) { return arena; }
static inline void martlet_arena_clear(int arena) { (void)arena; }
static inline size_t martlet_arenas_size(void) { return 0; }
#endif

// MARK: Certificates

// The certificate for a new connection, which counts as one of its users: its number, or -1 where none is installed.
int martlet_certificate_take(void);
// One user less. The last user of a certificate that has been replaced frees it.
void martlet_certificate_release(int number);
// Whether new connections get the certificate with that number.
int martlet_certificate_is_current(int number);
const mbedtls_ssl_config *martlet_certificate_config(int number);

// Octets of static memory, for martlet_tls_static_size().
size_t martlet_certificates_size(void);
size_t martlet_certificate_arrays_size(void);
size_t martlet_places_size(void);

// MARK: Keys

// Random octets for the library.
int martlet_tls_random(void *unused, unsigned char *octets, size_t count);

// Makes `context` a key for P-256 that the library can sign with. MARTLET_TLS_DONE, BAD_KEY or NO_MEMORY.
int martlet_key_load(mbedtls_pk_context *context, const uint8_t key[MARTLET_TLS_KEY_SIZE]);
// Frees what martlet_key_load() has made, or an empty context.
void martlet_key_unload(mbedtls_pk_context *context);

// SubjectPublicKeyInfo of a key for P-256 (RFC 5480, section 2) is these octets and the point.
enum { MARTLET_SPKI_START_SIZE = 26 };
extern const uint8_t martlet_spki_start[MARTLET_SPKI_START_SIZE];
