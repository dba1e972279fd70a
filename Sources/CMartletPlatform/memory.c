// The static memory of the one server that a process runs; zero pages until they are used.
#include "martlet_memory.h"

#include <string.h>

// In this order what is always used shares a page; the head of a short response and its content do.
static struct martlet_poll_entry poll_memory[MARTLET_CONNECTION_COUNT + 2];
static _Alignas(16) uint8_t connection_memory[MARTLET_CONNECTION_COUNT * MARTLET_CONNECTION_SIZE];
static uint8_t receive_memory[MARTLET_RECEIVE_SIZE];
static uint8_t fields_memory[MARTLET_FIELDS_SIZE];
static _Alignas(4096) uint8_t response_memory[MARTLET_RESPONSE_COUNT * MARTLET_RESPONSE_SIZE];

struct martlet_memory martlet_take_static_memory(void) {
  static int taken;
  static const uint8_t name[] = "the static memory is taken once", file[] = "memory.c";
  if (taken) martlet_stop(file, __LINE__, name);
  taken = 1;
  return (struct martlet_memory){receive_memory, fields_memory, response_memory,
                                 connection_memory, poll_memory};
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
