// Whether the clock is synchronized, for programs that are started with this library before the system's: where the
// first octet of the file that CLOCK_SYNCHRONIZED names is 1, adjtimex() says so, and otherwise that it is not.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex *state) {
  char octet = '0';
  int file = open(getenv("CLOCK_SYNCHRONIZED"), O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    if (read(file, &octet, 1) != 1) octet = '0';
    close(file);
  }
  *state = (struct timex){.status = octet == '1' ? 0 : STA_UNSYNC};
  return octet == '1' ? TIME_OK : TIME_ERROR;
}
