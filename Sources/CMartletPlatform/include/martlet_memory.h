// The memory of a server is static arrays. So nothing is allocated, the linker knows the sum, and pages that
// are never touched cost no RAM. Each size stands with its unit and its reason. Swift reads the sizes through
// `Limits`, which checks how they relate to each other.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "martlet_platform.h"

// What is one for each thread: the page that is being answered, and lines for people. Tests answer pages in
// several threads; a program on a board has one, and such memory costs it nothing.
#if defined MARTLET_ONE_THREAD
#define MARTLET_PER_THREAD
#else
#define MARTLET_PER_THREAD _Thread_local
#endif


// How much a board has for a web page: chosen by `limits` in boards/BOARD/board.conf.
#if defined MARTLET_CONNECTIONS
// Whoever compiles says all six.
#elif defined MARTLET_LIMITS_TINY
#define MARTLET_CONNECTIONS 8 // routers with 32 MB of RAM
#define MARTLET_SMALL_BLOCKS 8
#define MARTLET_LARGE_BLOCKS 2
#define MARTLET_WORKS 2
#define MARTLET_TOKENS 4
#define MARTLET_TLS_CONNECTIONS 4
#elif defined MARTLET_LIMITS_SMALL
#define MARTLET_CONNECTIONS 64 // one slow core
#define MARTLET_SMALL_BLOCKS 40
#define MARTLET_LARGE_BLOCKS 4
#define MARTLET_WORKS 4
#define MARTLET_TOKENS 8
#define MARTLET_TLS_CONNECTIONS 8
#else
#define MARTLET_CONNECTIONS 1024
#define MARTLET_SMALL_BLOCKS 96
#define MARTLET_LARGE_BLOCKS 8
#define MARTLET_WORKS 8
#define MARTLET_TOKENS 16
#define MARTLET_TLS_CONNECTIONS 16
#endif

enum {
  // Connections at a time: a slot each, of this many octets at most.
  MARTLET_CONNECTION_COUNT = MARTLET_CONNECTIONS,
  MARTLET_CONNECTION_SIZE = 112,

  // Requests whose answer takes several turns of the loop, at a time.
  MARTLET_WORK_COUNT = MARTLET_WORKS,

  // Blocks of octets that cannot be answered, or sent, at once. A small block holds a browser's request
  // head and a form; a password that waits for its hash holds one. A large block holds the largest
  // request: 16 KiB of head, 16 KiB of content, 1 KiB for a chunk's line or a trailer section.
  MARTLET_SMALL_BLOCK_COUNT = MARTLET_SMALL_BLOCKS,
  MARTLET_SMALL_BLOCK_SIZE = 2048,
  MARTLET_LARGE_BLOCK_COUNT = MARTLET_LARGE_BLOCKS,
  MARTLET_LARGE_BLOCK_SIZE = 33792,

  // Octets where recv() puts a request, for all connections: a request that is whole is answered from
  // here. As large as a large block, because what is not whole moves to a block.
  MARTLET_RECEIVE_SIZE = MARTLET_LARGE_BLOCK_SIZE,

  // Octets of a response head: status line, the server's fields, the page's fields.
  MARTLET_HEAD_SIZE = 8704,

  // Octets of the field lines that a page adds: cookies above all.
  MARTLET_FIELDS_SIZE = 8192,

  // Octets of one response: room for its head, then its content. Written here, for all connections; what
  // the kernel does not take at once moves to a block.
  MARTLET_RESPONSE_SIZE = 24576,

  // Session tokens that are remembered once they have been verified, each of at most that many octets:
  // those of ours have some 220.
  MARTLET_TOKEN_COUNT = MARTLET_TOKENS,
  MARTLET_TOKEN_SIZE = 384,
  // Octets of a remembered token's claims, and of what has been read of them.
  MARTLET_TOKEN_CLAIMS_SIZE = 240,
  MARTLET_TOKEN_FACTS_SIZE = 160,

  // TLS connections at a time, of a program that has TLS: a place each.
  MARTLET_TLS_COUNT = MARTLET_TLS_CONNECTIONS,
  // Octets of the memory that a TLS connection has: 16,429 for records that come, 4,141 for records that go, and
  // what a handshake needs. What is not used stays untouched.
  MARTLET_TLS_ARENA_SIZE = 24576,
  // Octets of a chain of certificates in DER: three or four certificates of an authority.
  MARTLET_TLS_CHAIN_SIZE = 8192,
  // Octets of content in a record that goes out: a slow reader costs one such record.
  MARTLET_TLS_RECORD_SIZE = 4096,

  // Octets beside the response, so that it can begin where it touches the fewest pages.
  MARTLET_RESPONSE_SHIFT_SIZE = 4096,
};

// Where the memory lies: the static arrays of the one server of a process, or what a test lends.
struct martlet_memory {
  uint8_t *_Nonnull receive;   // MARTLET_RECEIVE_SIZE octets
  uint8_t *_Nonnull fields;    // MARTLET_FIELDS_SIZE octets
  uint8_t *_Nonnull response;  // MARTLET_RESPONSE_SIZE octets
  uint8_t *_Nonnull small;     // MARTLET_SMALL_BLOCK_COUNT times MARTLET_SMALL_BLOCK_SIZE, aligned to 16
  uint8_t *_Nonnull large;     // MARTLET_LARGE_BLOCK_COUNT times MARTLET_LARGE_BLOCK_SIZE, aligned to 16
  void *_Nonnull connections;  // MARTLET_CONNECTION_COUNT times MARTLET_CONNECTION_SIZE octets
};

// The static arrays, for the one server of a process: a second call stops the program.
struct martlet_memory martlet_lend_static_memory(void);

// What poll() waits for: the signals, the listener, descriptors that pages wait for, and the connections of the
// slots. Lent once, as above.
enum { MARTLET_WATCH_COUNT = 4, MARTLET_POLL_COUNT = 2 + MARTLET_WATCH_COUNT + MARTLET_CONNECTION_COUNT };
struct martlet_poll_entry *_Nonnull martlet_lend_static_poll_entries(void);

// Memory for a program that a bug ends: the static array of the response. *size octets, at least 16 KiB.
void *_Nonnull martlet_last_memory(size_t *_Nonnull size);

// Octets of all static memory of the program that can be written, whoever holds it: the linker's
// .data and .bss.
size_t martlet_linked_size(void);

// The text of the page that is being answered: where it goes, how much of it there is, and whether
// something did not fit. Nothing fits before a page has begun. One page at a time in a process.
void martlet_page_begin(uint8_t *_Nullable octets, size_t capacity);
void martlet_page_append(const uint8_t *_Nullable octets, size_t count);
size_t martlet_page_count(void);

// Counts octets as appended that the caller has written behind the text itself.
void martlet_page_advance(size_t count);

// Drops what was written behind the first `count` octets.
void martlet_page_truncate(size_t count);

// Drops all that was written, and forgets that something did not fit.
void martlet_page_restart(void);

// How many more octets fit.
size_t martlet_page_room(void);

bool martlet_page_overflowed(void);

// What has been written; as many octets as the count says.
const uint8_t *_Nonnull martlet_page_octets(void);

// Notes that the page puts a value where none can stand: nothing fits any more. Known until the next
// page begins.
void martlet_page_misuse(void);
bool martlet_page_misused(void);

// What Swift has read of the page's markup, in octets.
enum { MARTLET_PAGE_MARKUP_SIZE = 32 };
uint64_t *_Nonnull martlet_page_markup(void);

// The path below which the browser that is being answered sees the program: at most
// MARTLET_PREFIX_SIZE octets.
enum { MARTLET_PREFIX_SIZE = 64 };
void martlet_page_set_prefix(const uint8_t *_Nullable octets, size_t count);
const uint8_t *_Nonnull martlet_page_prefix(size_t *_Nonnull count);

struct martlet_site;

// Passwords that are being verified or hashed, for the requests that wait for it.
enum { MARTLET_WORK_SIZE = 640 };
struct martlet_work {
  uint64_t octets[MARTLET_WORK_SIZE / 8]; // a value that only Swift knows, where there is an owner
  uint64_t owner;                         // the number of a connection; 0: none
};
struct martlet_works {
  uint64_t connection; // whose request is being answered; 0: one that cannot be put off
  int64_t now;         // milliseconds of the monotonic clock
  uint32_t count;      // places that have an owner
  // How the request is to wait, where it is put off: see WorkTurn in MartletServer.
  int64_t not_before;
  uint16_t share;
  uint8_t rank;
  // What goes on with the work of a connection, and what ends it. The first work sets both, so that a
  // program without passwords does not contain them.
  bool (*_Nullable step)(struct martlet_site *_Nonnull site, uint64_t connection);
  void (*_Nullable end)(struct martlet_site *_Nonnull site, uint64_t connection);
};

// A session token that has been verified. A token has one text, so whoever sends the same octets again
// has sent a valid one again.
struct martlet_token {
  uint64_t facts[MARTLET_TOKEN_FACTS_SIZE / 8];
  uint8_t octets[MARTLET_TOKEN_SIZE];
  uint8_t claims[MARTLET_TOKEN_CLAIMS_SIZE];
  uint32_t owner; // the responder whose secret it was verified with; 0: none
  uint32_t count;
  uint32_t claims_count;
  uint32_t tag; // of the token's last octets: entries with other tags need no comparison
};

// Responses with several ranges of a file that are being sent: a value that only Swift knows, while `taken`.
enum { MARTLET_FILE_PARTS_COUNT = 4, MARTLET_FILE_PARTS_SIZE = 320 };
struct martlet_file_parts {
  uint64_t octets[MARTLET_FILE_PARTS_SIZE / 8];
  uint32_t taken;
};

// Programs that pages have started (martlet_command.h), at a time.
enum { MARTLET_COMMAND_COUNT = MARTLET_WATCH_COUNT };
struct martlet_command {
  int32_t process;    // 0: none
  int32_t descriptor; // the output; -1: closed
  int64_t deadline;   // milliseconds of the monotonic clock: when it is told to end
  int64_t kill_at;    // and when it is made to end; INT64_MAX: it has not been told, or has been made to
  int64_t left;       // octets of output that are still passed on
  uint32_t number;    // none other of this site has the number
  uint8_t page;       // of the stream that passes the output on
  uint8_t is_read;    // whether a stream passes the output on
  uint8_t waits;      // whether the stream waits for output
  uint8_t is_late;    // whether the deadline has ended it
};
struct martlet_commands {
  struct martlet_command places[MARTLET_COMMAND_COUNT];
  int64_t now; // milliseconds of the monotonic clock, in this turn
  uint32_t count; // programs that have been started
};

// Octets of the session of the visitor who is being answered.
enum { MARTLET_SESSION_SIZE = 2048 };

// What a site keeps between requests. An array that is absent is taken from the static memory at its first
// use. So a program has only what it uses.
struct martlet_site {
  struct martlet_works works;
  struct martlet_work *_Nullable places;   // MARTLET_WORK_COUNT
  struct martlet_token *_Nullable tokens;  // MARTLET_TOKEN_COUNT, filled in order
  size_t token_count;                      // tokens that have been remembered
  uint32_t owner_count;                    // responders that the memory was lent to
  uint32_t ended_login;                    // the login whose streams end; 0: none, UINT32_MAX: several
  uint64_t woken;                          // pages whose streams are woken: a bit for each of 63, the last one for all others
  uint8_t *_Nullable session;              // MARTLET_SESSION_SIZE octets
  struct martlet_file_parts *_Nullable parts; // MARTLET_FILE_PARTS_COUNT
  struct martlet_commands *_Nullable commands;
};

// The static memory, for the one site of a process.
struct martlet_site *_Nonnull martlet_static_site(void);
struct martlet_work *_Nonnull martlet_static_work(void);
struct martlet_token *_Nonnull martlet_static_tokens(void);
uint8_t *_Nonnull martlet_static_session(void);
struct martlet_file_parts *_Nonnull martlet_static_file_parts(void);
struct martlet_commands *_Nonnull martlet_static_commands(void);

// Room for the fields of one form in parts, for an application that takes such forms. Other programs do not
// have this array.
enum { MARTLET_FORM_SIZE = 16384 };
uint8_t *_Nonnull martlet_static_form(void);

// Counts, by number: at most MARTLET_COUNTER_COUNT of them.
enum { MARTLET_COUNTER_COUNT = 16 };
void martlet_count_add(size_t counter);
uint64_t martlet_count(size_t counter);
