// A bare HMAC-SHA256 with Debian's mbedTLS, as often as it can within a time. Signing a token and
// verifying it both contain one; this is what they cannot do without. The key is prepared each
// time, as mbedtls_md_hmac() does. Usage: hmac SECRET TEXT MILLISECONDS
// Prints how often, how many seconds it took, and the MAC in hexadecimal digits.
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 256 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argument_count, char **arguments) {
  if (argument_count != 4) return 2;
  const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  const unsigned char *secret = (unsigned char *)arguments[1];
  const unsigned char *text = (unsigned char *)arguments[2];
  size_t secret_size = strlen(arguments[1]), text_size = strlen(arguments[2]);
  unsigned char mac[32];
  long done = 0;
  double start = seconds(), end = start + atoi(arguments[3]) / 1e3, now;
  do {
    for (int i = 0; i < BATCH; i++)
      if (mbedtls_md_hmac(sha256, secret, secret_size, text, text_size, mac) != 0) return 1;
    done += BATCH;
    now = seconds();
  } while (now < end);
  printf("%ld %.6f ", done, now - start);
  for (size_t i = 0; i < sizeof mac; i++) printf("%02x", mac[i]);
  printf("\n");
  return 0;
}
