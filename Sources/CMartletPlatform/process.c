// The process itself: ending it.
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <errno.h>

#include "martlet_platform.h"

static void say(const void *octets, size_t count) {
  ssize_t ignored = write(STDERR_FILENO, octets, count);
  (void)ignored;
}

_Noreturn void martlet_stop(const uint8_t *name, size_t name_count, const uint8_t *file,
                            size_t file_count, uint32_t line) {
  char digits[10];
  size_t start = sizeof digits;
  do {
    digits[--start] = (char)('0' + line % 10);
    line /= 10;
  } while (line > 0);
  say("martlet: ", 9);
  say(name, name_count);
  say(" (", 2);
  say(file, file_count);
  say(":", 1);
  say(digits + start, sizeof digits - start);
  say(")\n", 2);
  abort();
}

int martlet_random(uint8_t *octets, size_t count) {
  while (count > 0) {
    ssize_t n = getrandom(octets, count, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    octets += n;
    count -= (size_t)n;
  }
  return 0;
}
