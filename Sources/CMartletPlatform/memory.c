// The static memory of the one server that a process runs; zero pages until they are used.
#include "martlet_memory.h"

#include <link.h>
#include <string.h>

#include "martlet_bugs.h"

// In this order the first connections share a page with the entries of poll(). The start chooses where the
// response begins: a page of 4 KiB then holds 1 KiB of its head and 3 KiB of its content. Most responses have
// no more than that.
static struct {
  struct martlet_poll_entry poll[MARTLET_POLL_COUNT];
  _Alignas(16) uint8_t connections[MARTLET_CONNECTION_COUNT * MARTLET_CONNECTION_SIZE];
  uint8_t receive[MARTLET_RECEIVE_SIZE];
  uint8_t fields[MARTLET_FIELDS_SIZE];
  uint8_t response[MARTLET_RESPONSE_SHIFT_SIZE + MARTLET_RESPONSE_SIZE];
  _Alignas(16) uint8_t small[MARTLET_SMALL_BLOCK_COUNT * MARTLET_SMALL_BLOCK_SIZE];
  _Alignas(16) uint8_t large[MARTLET_LARGE_BLOCK_COUNT * MARTLET_LARGE_BLOCK_SIZE];
} memory;

static const uint8_t lent_once[] = "the static memory is lent once", file_name[] = "memory.c";

struct martlet_memory martlet_lend_static_memory(void) {
  static int lent;
  if (lent) martlet_stop(file_name, __LINE__, lent_once);
  lent = 1;
  size_t shift = (1024 - MARTLET_HEAD_SIZE - (uintptr_t)memory.response) % MARTLET_RESPONSE_SHIFT_SIZE;
  return (struct martlet_memory){memory.receive, memory.fields, memory.response + shift,
                                 memory.small,   memory.large,  memory.connections};
}

struct martlet_poll_entry *martlet_lend_static_poll_entries(void) {
  static int lent;
  if (lent) martlet_stop(file_name, __LINE__, lent_once);
  lent = 1;
  return memory.poll;
}

void *martlet_last_memory(size_t *size) {
  *size = sizeof memory.response;
  return memory.response;
}

// The linker defines these: the file's first octet in memory, and where .bss begins and ends.
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const uint8_t __bss_start[] __attribute__((visibility("hidden")));
extern const uint8_t _end[] __attribute__((visibility("hidden")));

size_t martlet_linked_size(void) {
  const ElfW(Phdr) *header = (const void *)((const uint8_t *)&__ehdr_start + __ehdr_start.e_phoff);
  size_t data = 0;
  // The last segment has .data and .bss. What of that segment lies in the file is .data.
  for (size_t i = 0; i < __ehdr_start.e_phnum; i++)
    if (header[i].p_type == PT_LOAD) data = header[i].p_filesz;
  return data + (size_t)(_end - __bss_start);
}

static MARTLET_PER_THREAD struct {
  uint8_t *octets;
  size_t capacity, count;
  uint64_t markup[MARTLET_PAGE_MARKUP_SIZE / 8];
  bool overflowed, misused;
} page;

void martlet_page_begin(uint8_t *octets, size_t capacity) {
  page.octets = octets;
  page.capacity = capacity;
  page.count = 0;
  page.overflowed = false;
  if (octets) page.misused = false;
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

void martlet_page_advance(size_t count) {
  if (count <= martlet_page_room()) page.count += count;
}

void martlet_page_truncate(size_t count) {
  if (count < page.count) page.count = count;
}

void martlet_page_restart(void) {
  page.count = 0;
  page.overflowed = false;
}

size_t martlet_page_room(void) { return page.overflowed ? 0 : page.capacity - page.count; }

bool martlet_page_overflowed(void) { return page.overflowed; }

const uint8_t *martlet_page_octets(void) { return page.octets ? page.octets : (const uint8_t *)&page; }

void martlet_page_misuse(void) { page.overflowed = page.misused = true; }

bool martlet_page_misused(void) { return page.misused; }

uint64_t *martlet_page_markup(void) { return page.markup; }

static MARTLET_PER_THREAD uint8_t prefix[MARTLET_PREFIX_SIZE];
static MARTLET_PER_THREAD size_t prefix_count;

void martlet_page_set_prefix(const uint8_t *octets, size_t count) {
  prefix_count = count < sizeof prefix ? count : sizeof prefix;
  if (prefix_count > 0) memmove(prefix, octets, prefix_count);
}

const uint8_t *martlet_page_prefix(size_t *count) {
  *count = prefix_count;
  return prefix;
}

static uint64_t counts[MARTLET_COUNTER_COUNT];

void martlet_count_add(size_t counter) { counts[counter % MARTLET_COUNTER_COUNT]++; }

uint64_t martlet_count(size_t counter) { return counts[counter % MARTLET_COUNTER_COUNT]; }

static struct martlet_site site;

struct martlet_site *martlet_static_site(void) { return &site; }

static struct martlet_work work_places[MARTLET_WORK_COUNT];

struct martlet_work *martlet_static_work(void) { return work_places; }

static struct martlet_token tokens[MARTLET_TOKEN_COUNT];

struct martlet_token *martlet_static_tokens(void) { return tokens; }

static uint8_t session[MARTLET_SESSION_SIZE];

uint8_t *martlet_static_session(void) { return session; }

static MARTLET_PER_THREAD uint8_t form[MARTLET_FORM_SIZE];

uint8_t *martlet_static_form(void) { return form; }

static struct martlet_file_parts file_parts[MARTLET_FILE_PARTS_COUNT];

struct martlet_file_parts *martlet_static_file_parts(void) { return file_parts; }

static struct martlet_commands commands;

struct martlet_commands *martlet_static_commands(void) { return &commands; }
