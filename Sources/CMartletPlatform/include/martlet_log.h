// Log lines on standard error, put together in static memory. One line at a time: its fields are those
// between martlet_log_begin() and martlet_log_end(). Keys, words and events are texts with a NUL that
// stay for ever. Octets from outside go through martlet_log_text() alone.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  // Octets of a log line with its line feed: what poll() promises any pipe room for (PIPE_BUF).
  MARTLET_LOG_SIZE = 512,

  // Octets of a text from outside, which are four times as many where each is escaped.
  MARTLET_LOG_TEXT_SIZE = 64,

  // Events that lines are counted of; those beyond share the last place.
  MARTLET_LOG_EVENT_COUNT = 16,

  // Lines of an event that are written in a second: more than a board verifies passwords.
  MARTLET_LOG_RATE = 10,
};

// Prepares standard error. A closed descriptor of 0 to 2 becomes /dev/null, so that no file and no
// connection gets its number. Where JOURNAL_STREAM is set and standard error is a socket, each line
// begins with `<LEVEL>`, as the journal takes it (sd-daemon(3)).
void martlet_log_open(void);

// Begins a line. `level` is syslog's number, 3 to 6.
void martlet_log_begin(uint32_t level, const uint8_t *_Nonnull event);

// Adds ` KEY=WORD`, ` KEY=NUMBER`, ` KEY="TEXT"`, ` KEY=ADDRESS`. A field without room is left out.
void martlet_log_word(const uint8_t *_Nonnull key, const uint8_t *_Nonnull word);
void martlet_log_number(const uint8_t *_Nonnull key, uint64_t number);
void martlet_log_text(const uint8_t *_Nonnull key, const uint8_t *_Nullable octets, size_t count);
void martlet_log_address(const uint8_t *_Nonnull key, uint64_t high, uint64_t low);

// Writes the line, unless its event has had too many in this second. Never waits: a line that standard
// error has no room for is dropped and counted.
void martlet_log_end(void);
