// Random octets for the hashes of Swift's Dictionary and Set. musl has no arc4random_buf().
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void arc4random_buf(void *octets, size_t count) {
  unsigned char *next = octets;
  while (count > 0) {
    ssize_t read = getrandom(next, count, 0);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) abort();
    next += read;
    count -= (size_t)read;
  }
}
