// Uses private keys, for test_constant_time.py: constant_time KEY NONCE, both 64 hexadecimal digits. The nonce is what
// the library draws as random number. Everything is as the board's programs have it. Under valgrind (UNDEFINED) the key
// and the nonce count as memory that nobody has written, so that valgrind tells of each branch and each address that
// depends on them.
#include <stdint.h>
#include <string.h>

#include "martlet_tls.h"
#ifdef UNDEFINED
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(octets, size)
#define VALGRIND_MAKE_MEM_DEFINED(octets, size)
#endif

// Of 3rdparty/p256-m, behind PSA's call for a shared secret.
int p256_ecdh_shared_secret(uint8_t secret[32], const uint8_t key[32], const uint8_t point[64]);

static uint8_t key[32], nonce[32];

// In place of the kernel's random octets.
int martlet_random(uint8_t *octets, size_t count) {
  for (size_t i = 0; i < count; i++) octets[i] = nonce[i % sizeof nonce];
  VALGRIND_MAKE_MEM_UNDEFINED(octets, count);
  return 0;
}

_Noreturn void martlet_stop(const uint8_t *file, uint32_t line, const uint8_t *name) {
  (void)file, (void)line, (void)name;
  __builtin_trap();
}

// Takes as long for each digit.
static void read_number(uint8_t octets[32], const char *digits) {
  for (int i = 0; i < 64; i++) {
    int digit = (digits[i] & 0xF) + 9 * (digits[i] >> 6 & 1);
    octets[i / 2] = (uint8_t)(octets[i / 2] << 4 | digit);
  }
}

int main(int count, char **arguments) {
  if (count != 3 || strlen(arguments[1]) != 64 || strlen(arguments[2]) != 64) return 2;
  read_number(key, arguments[1]);
  read_number(nonce, arguments[2]);
  uint8_t point[65], signature[64], secret[32], digest[32] = {1, 2, 3};
  VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
#ifdef LEAKS
  // What both tests are to find.
  for (volatile int i = 0; i < 256; i++)
    if (key[i / 8] >> i % 8 & 1) signature[i % 64] = (uint8_t)i;
#endif
  if (martlet_tls_start() != MARTLET_TLS_DONE) return 3;
  if (martlet_tls_public_key(key, point) != MARTLET_TLS_DONE) return 4;
  VALGRIND_MAKE_MEM_DEFINED(point, sizeof point);
  if (martlet_tls_sign(key, digest, signature) != MARTLET_TLS_DONE) return 5;
  if (p256_ecdh_shared_secret(secret, key, point + 1) != 0) return 6;
  VALGRIND_MAKE_MEM_DEFINED(signature, sizeof signature);
  VALGRIND_MAKE_MEM_DEFINED(secret, sizeof secret);
  // So that nothing is left out.
  volatile uint8_t used = signature[0] ^ secret[0];
  (void)used;
  return 0;
}
