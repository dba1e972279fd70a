// The memory of a server: static arrays, so that the linker knows the sum, nothing is allocated,
// and pages that are never touched cost no RAM. Each size with its unit and its reason; Swift reads
// them through `Limits`, which checks how they relate to each other.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "martlet_platform.h"

// How much a board has for a web page: chosen by `limits` in boards/BOARD/board.conf.
#if defined MARTLET_LIMITS_TINY
#define MARTLET_CONNECTIONS 8  // routers with 32 MB of RAM
#define MARTLET_RESPONSES 2
#elif defined MARTLET_LIMITS_SMALL
#define MARTLET_CONNECTIONS 64 // one slow core
#define MARTLET_RESPONSES 4
#else
#define MARTLET_CONNECTIONS 256
#define MARTLET_RESPONSES 8
#endif

enum {
  // Connections at a time: a slot each, of this many octets at most.
  MARTLET_CONNECTION_COUNT = MARTLET_CONNECTIONS,
  MARTLET_CONNECTION_SIZE = 64,

  // Octets where one complete request is read into, shared by all connections, because only one is
  // worked on at a time; what is not yet complete stays in the kernel's receive buffer. 16 KiB of
  // head, 16 KiB of content, 8 KiB for the framing of chunks.
  MARTLET_RECEIVE_SIZE = 40960,

  // Octets of a response head: status line, the server's fields, the page's fields. It is put together
  // where the request was, which has been answered then.
  MARTLET_HEAD_SIZE = 8704,

  // Octets of the field lines that a page adds: cookies above all.
  MARTLET_FIELDS_SIZE = 8192,

  // Octets of one response: room for its head, then its content.
  MARTLET_RESPONSE_SIZE = 24576,

  // Responses that wait for slow readers at a time; each holds one response buffer.
  MARTLET_RESPONSE_COUNT = MARTLET_RESPONSES,

  // Octets beside the responses, so that they can begin where they touch the fewest pages.
  MARTLET_RESPONSE_SHIFT_SIZE = 4096,
};

// Where the memory lies: the static arrays of the one server of a process, or what a test lends.
struct martlet_memory {
  uint8_t *_Nonnull receive;  // MARTLET_RECEIVE_SIZE octets
  uint8_t *_Nonnull fields;   // MARTLET_FIELDS_SIZE octets
  uint8_t *_Nonnull responses; // MARTLET_RESPONSE_COUNT times MARTLET_RESPONSE_SIZE octets
  void *_Nonnull connections;  // MARTLET_CONNECTION_COUNT times MARTLET_CONNECTION_SIZE octets
  struct martlet_poll_entry *_Nonnull poll; // MARTLET_CONNECTION_COUNT + 2 entries
};

// The static arrays, for the one server of a process: a second call stops the program.
struct martlet_memory martlet_take_static_memory(void);

// Octets of all static memory of the program that can be written, whoever holds it: the linker's
// .data and .bss.
size_t martlet_linked_size(void);

// The text of the page that this thread is answering: where it goes, how much of it there is, and
// whether something did not fit. Nothing fits before a page has begun.
void martlet_page_begin(uint8_t *_Nullable octets, size_t capacity);
void martlet_page_append(const uint8_t *_Nullable octets, size_t count);
size_t martlet_page_count(void);
bool martlet_page_overflowed(void);
