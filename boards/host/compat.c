// What Debian's libmbedcrypto.a, built for glibc, wants and musl does not have (scripts/sysroot).
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// The entry points of glibc's _FORTIFY_SOURCE.
void *__memcpy_chk(void *to, const void *from, size_t count, size_t room) {
  if (count > room) abort();
  return memcpy(to, from, count);
}

void *__memset_chk(void *to, int octet, size_t count, size_t room) {
  if (count > room) abort();
  return memset(to, octet, count);
}

void __explicit_bzero_chk(void *to, size_t count, size_t room) {
  if (count > room) abort();
  explicit_bzero(to, count);
}

// mbedTLS's SHA-256 shares its section with a self-test that allocates and prints. Nothing calls the
// self-test; with these in the place of malloc and stdio, neither becomes part of the program.
void *martlet_sha256_calloc(size_t count, size_t size) {
  (void)count, (void)size;
  abort();
}

void martlet_sha256_free(void *octets) {
  (void)octets;
  abort();
}

int martlet_sha256_print(void) { abort(); }
