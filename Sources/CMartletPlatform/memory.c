// The static memory of the one server that a process runs; zero pages until they are used.
#include "martlet_memory.h"

#include <string.h>

// In this order the first connections share a page with what poll() takes. Where the responses begin
// is chosen at the start, so that a page of 4 KiB holds the last KiB of a response's head and the
// first three of its content: most responses are no more than that.
static struct {
  struct martlet_poll_entry poll[MARTLET_CONNECTION_COUNT + 2];
  _Alignas(16) uint8_t connections[MARTLET_CONNECTION_COUNT * MARTLET_CONNECTION_SIZE];
  uint8_t receive[MARTLET_RECEIVE_SIZE];
  uint8_t fields[MARTLET_FIELDS_SIZE];
  uint8_t responses[4096 + MARTLET_RESPONSE_COUNT * MARTLET_RESPONSE_SIZE];
} memory;

struct martlet_memory martlet_take_static_memory(void) {
  static int taken;
  static const uint8_t name[] = "the static memory is taken once", file[] = "memory.c";
  if (taken) martlet_stop(file, __LINE__, name);
  taken = 1;
  size_t shift = (1024 - MARTLET_HEAD_SIZE - (uintptr_t)memory.responses) % 4096;
  return (struct martlet_memory){memory.receive, memory.fields, memory.responses + shift,
                                 memory.connections, memory.poll};
}

static _Thread_local struct {
  uint8_t *octets;
  size_t capacity, count;
  bool overflowed;
} page;

void martlet_page_begin(uint8_t *octets, size_t capacity) {
  page.octets = octets;
  page.capacity = capacity;
  page.count = 0;
  page.overflowed = false;
}

void martlet_page_append(const uint8_t *octets, size_t count) {
  if (page.overflowed || count > page.capacity - page.count) {
    page.overflowed = true;
    return;
  }
  memcpy(page.octets + page.count, octets, count);
  page.count += count;
}

size_t martlet_page_count(void) { return page.count; }

bool martlet_page_overflowed(void) { return page.overflowed; }
