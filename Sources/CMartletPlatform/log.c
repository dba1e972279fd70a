// Log lines on standard error. The server never waits for the reader of its log. poll() says whether a line
// fits; a line that does not fit is dropped and counted.
#define _GNU_SOURCE
#include "martlet_log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "martlet_memory.h"
#include "martlet_platform.h"

// ` suppressed=4294967295 dropped=4294967295` and a line feed.
enum { END_SIZE = 42, FIELDS_SIZE = MARTLET_LOG_SIZE - END_SIZE };

static MARTLET_PER_THREAD uint8_t line[MARTLET_LOG_SIZE];
static MARTLET_PER_THREAD size_t used;
static MARTLET_PER_THREAD size_t room; // FIELDS_SIZE, or MARTLET_LOG_SIZE at the end of a line

static struct {
  const uint8_t *name;
  uint32_t second, count, suppressed;
} events[MARTLET_LOG_EVENT_COUNT], *event;

static bool is_journal;
static bool is_cut; // the last line was written in part
static uint32_t dropped;

// --- Text.

static void put(uint8_t octet) {
  // Beyond the room octets are counted only, so that a field that does not fit is noticed.
  if (used < room) line[used] = octet;
  used++;
}

static void put_text(const void *text) {
  for (const uint8_t *octet = text; *octet; octet++) put(*octet);
}

static void put_number(uint64_t number, size_t digit_count) {
  uint8_t digits[20];
  size_t count = 0;
  do {
    digits[count++] = (uint8_t)('0' + number % 10);
    number /= 10;
  } while (number > 0 || count < digit_count);
  while (count > 0) put(digits[--count]);
}

static void put_hexadecimal(unsigned number, int shift) {
  for (; shift >= 0; shift -= 4) put((uint8_t)"0123456789abcdef"[number >> shift & 15]);
}

// RFC 3339, section 5.6. Years begin in March here, so that the leap day is the last one, and 400 of them
// have 146,097 days.
static void put_time(int64_t seconds) {
  uint32_t time = 0, days = 719468;
  // The year has four digits.
  if (seconds > 0 && seconds <= 253402300799) {
    time = (uint32_t)(seconds % 86400);
    days += (uint32_t)(seconds / 86400);
  }
  uint32_t day = days % 146097;
  uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  uint32_t month = (5 * day + 2) / 153;
  put_number(days / 146097 * 400 + year + month / 10, 4);
  put('-');
  put_number(month < 10 ? month + 3 : month - 9, 2);
  put('-');
  put_number(day - (153 * month + 2) / 5 + 1, 2);
  put('T');
  put_number(time / 3600, 2);
  put(':');
  put_number(time / 60 % 60, 2);
  put(':');
  put_number(time % 60, 2);
  put('Z');
}

// RFC 5952, section 4: lower case, no leading zeros, "::" for the first longest run of zeros.
static void put_address(uint64_t high, uint64_t low) {
  if (high == 0 && low >> 32 == 0xFFFF) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      put_number(low >> shift & 255, 1);
      if (shift > 0) put('.');
    }
    return;
  }
  unsigned groups[8];
  int gap = 0, gap_count = 1, start = 0;
  for (int i = 0; i < 8; i++) {
    groups[i] = (unsigned)((i < 4 ? high : low) >> (48 - 16 * (i % 4)) & 0xFFFF);
    if (groups[i] != 0) start = i + 1;
    if (i + 1 - start > gap_count) {
      gap = start;
      gap_count = i + 1 - start;
    }
  }
  for (int i = 0; i < 8; i++) {
    if (gap_count > 1 && i == gap) {
      put_text("::");
      i += gap_count - 1;
      continue;
    }
    if (i > 0 && (gap_count < 2 || i != gap + gap_count)) put(':');
    int shift = 12;
    while (shift > 0 && groups[i] >> shift == 0) shift -= 4;
    put_hexadecimal(groups[i], shift);
  }
}

// --- Lines.

static void begin(uint32_t level, const uint8_t *name) {
  static const char names[][8] = {"error", "warning", "notice", "info"};
  used = 0;
  room = FIELDS_SIZE;
  if (is_journal) {
    put('<');
    put_number(level, 1);
    put('>');
  }
  put_text("time=");
  put_time(martlet_unix_seconds());
  put_text(" level=");
  put_text(names[(level - 3) % 4]);
  put_text(" event=");
  put_text(name);
}

static size_t begin_field(const void *key) {
  size_t start = used;
  put(' ');
  put_text(key);
  put('=');
  return start;
}

// A field that does not fit is left out as a whole.
static void end_field(size_t start) {
  if (used > room) used = start;
}

static void put_count(const char *key, uint32_t *count) {
  if (*count == 0) return;
  begin_field(key);
  put_number(*count, 1);
  *count = 0;
}

static void count(uint32_t *counter) {
  if (*counter < UINT32_MAX) ++*counter;
}

// Writes what has been put together, with the counts.
static void write_line(uint32_t *suppressed) {
  uint32_t dropped_before = dropped;
  room = MARTLET_LOG_SIZE;
  put_count("suppressed", suppressed);
  put_count("dropped", &dropped);
  put('\n');
  struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};
  ssize_t written = -1;
  if (poll(&standard_error, 1, 0) == 1 && standard_error.revents & POLLOUT &&
      (!is_cut || write(STDERR_FILENO, "\n", 1) == 1)) {
    is_cut = false;
    written = write(STDERR_FILENO, line, used);
  }
  if (written == (ssize_t)used) return;
  is_cut |= written > 0;
  dropped = dropped_before;
  count(&dropped);
}

void martlet_log_begin(uint32_t level, const uint8_t *name) {
  uint32_t second = (uint32_t)(martlet_monotonic_milliseconds() / 1000);
  // What was suppressed is told as soon as anything is, once its second is over.
  for (size_t i = 0; i < MARTLET_LOG_EVENT_COUNT; i++) {
    if (events[i].suppressed == 0 || events[i].second == second) continue;
    begin(5, events[i].name);
    write_line(&events[i].suppressed);
  }
  event = events;
  while (event < events + MARTLET_LOG_EVENT_COUNT - 1 && event->name &&
         strcmp((const char *)event->name, (const char *)name) != 0)
    event++;
  event->name = name;
  if (event->second != second) event->count = 0;
  event->second = second;
  begin(level, name);
}

void martlet_log_word(const uint8_t *key, const uint8_t *word) {
  size_t start = begin_field(key);
  put_text(word);
  end_field(start);
}

void martlet_log_number(const uint8_t *key, uint64_t number) {
  size_t start = begin_field(key);
  put_number(number, 1);
  end_field(start);
}

void martlet_log_text(const uint8_t *key, const uint8_t *octets, size_t octet_count) {
  size_t start = begin_field(key);
  put('"');
  for (size_t i = 0; i < octet_count && i < MARTLET_LOG_TEXT_SIZE; i++) {
    if (octets[i] < ' ' || octets[i] > '~') {
      put_text("\\x");
      put_hexadecimal(octets[i], 4);
      continue;
    }
    if (octets[i] == '"' || octets[i] == '\\') put('\\');
    put(octets[i]);
  }
  put('"');
  end_field(start);
}

void martlet_log_address(const uint8_t *key, uint64_t high, uint64_t low) {
  size_t start = begin_field(key);
  put_address(high, low);
  end_field(start);
}

void martlet_log_end(void) {
  if (event->count >= MARTLET_LOG_RATE) {
    count(&event->suppressed);
    return;
  }
  event->count++;
  static uint32_t none;
  write_line(&none);
}

// --- The start.

// Whether the environment has a variable of that name. getenv() is twice as long.
static bool has_variable(const char *name, size_t count) {
  extern char **environ;
  for (char **entry = environ; *entry; entry++)
    if (strncmp(*entry, name, count) == 0) return true;
  return false;
}

void martlet_log_open(void) {
  struct pollfd standard[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
  poll(standard, 3, 0);
  for (int i = 0; i < 3; i++)
    // open() takes the lowest number that is free.
    if (standard[i].revents & POLLNVAL && open("/dev/null", O_RDWR) != i) return;
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  is_journal = has_variable("JOURNAL_STREAM=", 15) &&
               getsockname(STDERR_FILENO, (struct sockaddr *)&address, &size) == 0;
}
