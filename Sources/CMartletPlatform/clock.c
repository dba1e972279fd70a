// The clocks that tell durations where the time of day is not known yet, and whether it is.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "martlet_platform.h"

int64_t martlet_boot_milliseconds(void) {
  struct timespec now;
  // Kernels before 2.6.39 lack CLOCK_BOOTTIME; what they sleep is not counted then.
  if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) return martlet_monotonic_milliseconds();
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint32_t martlet_run_number(void) {
  // The time of day may be the same at each boot, and the other clock counts from the boot. Two starts do not
  // agree in both to the nanosecond.
  static uint32_t number;
  if (number != 0) return number;
  struct timespec now = {0}, boot = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_MONOTONIC, &boot);
  uint64_t mixed = (uint64_t)now.tv_sec * 1000000007 + (uint64_t)now.tv_nsec;
  mixed = mixed * 0x9E3779B97F4A7C15 + (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec;
  mixed = (mixed ^ (uint64_t)getpid() << 40) * 0x9E3779B97F4A7C15;
  number = (uint32_t)(mixed >> 32) | 1;
  return number;
}

int martlet_clock_is_synchronized(void) {
  // Without modes adjtimex() only reads, which needs no right. A sandbox may refuse it all the same.
  struct timex state = {0};
  int result = adjtimex(&state);
  return result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
}

uint64_t martlet_boot_id(void) {
  uint8_t text[36];
  int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count = read(file, text, sizeof text);
  close(file);
  if (count != sizeof text) return 0;
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof text; i++) {
    uint8_t digit = text[i];
    if (digit == '-') continue;
    number = number << 4 | (digit <= '9' ? digit & 15 : (digit & 15) + 9);
  }
  // The last 16 of 32 digits; of these the 53 bits that a JSON number holds exactly.
  return number & 0x1FFFFFFFFFFFFF;
}
