// What a program shows of its machine: texts of /proc and /sys of any length, addresses, and file systems.
// What the system may hold up is asked by a child. What can fail returns -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Makes all paths of the functions below begin at a directory instead of at "/", for tests and
// demonstrations. Paths of martlet_read_file() without a directory begin there as well. The result is
// -ENOTDIR when the path is no directory.
int martlet_set_root(const uint8_t *_Nullable path, size_t count);

// Whether martlet_set_root() has been called.
int martlet_has_root(void);

// Writes the root and then a path to `target`, with a NUL at the end.
int martlet_rooted_path(char *_Nonnull target, size_t size, const uint8_t *_Nullable path, size_t count);

// Whether there is a file or folder at a path.
int martlet_exists(const uint8_t *_Nullable path, size_t count);

// A text that is read line by line into a buffer of `size` octets.
struct martlet_lines {
  uint8_t *_Nonnull octets;
  size_t size;
  size_t start, end; // what has been read and not yet handed out
  int32_t descriptor; // negative: nothing is left to be read
  int32_t skips; // the start of the line has been handed out; its rest is not
};

// Opens the text. 0, or -errno.
int martlet_begin_lines(struct martlet_lines *_Nonnull lines, const uint8_t *_Nullable path, size_t count);

// The next line, without its line feed: how many octets, from `*offset` on. Of a line that is longer than
// the buffer, its start. -1 after the last line.
long martlet_next_line(struct martlet_lines *_Nonnull lines, size_t *_Nonnull offset);

// Ends the reading, wherever it is.
void martlet_end_lines(struct martlet_lines *_Nonnull lines);

// An IPv4 address and its interface's name, or the name of an alias (`eth0:1`).
struct martlet_ipv4 {
  uint8_t name[16]; // NUL after the name, where there is room
  uint8_t address[4];
};
// Writes the machine's IPv4 addresses to the start of `octets`, in the order of the interfaces: how many
// entries. `*left_out` addresses found no room.
long martlet_ipv4_addresses(uint8_t *_Nonnull octets, size_t size, size_t *_Nonnull left_out);

// How full a file system is, in blocks.
struct martlet_space {
  uint64_t total;
  uint64_t free;      // with the administrator's reserve
  uint64_t available; // without it
  uint64_t block_size;
};

// Asks the file system at a path of this system; never mounts anything: -ENOENT where an automatic
// mount has not happened. It waits for as long as the device does not answer.
int martlet_ask_space(const uint8_t *_Nullable path, size_t count, struct martlet_space *_Nonnull space);

// The questions to a child, and its answers: in memory that both see.
enum { MARTLET_QUESTION_COUNT = 9, MARTLET_CHILD_COUNT = 2, MARTLET_SENSOR_SIZE = 24 };
enum martlet_question_state {
  MARTLET_NOT_ASKED,
  MARTLET_WANTED,
  MARTLET_ASKED,    // the child waits for the system
  MARTLET_ANSWERED,
  MARTLET_REFUSED,  // the system has no answer
};
struct martlet_question {
  uint32_t state;
  uint32_t key; // what is asked about; the asker's own number
  struct martlet_space space;
};
struct martlet_questions {
  struct martlet_question all[MARTLET_QUESTION_COUNT];
  int32_t milli_degrees;
  int32_t throttling; // what the firmware of a Raspberry Pi says; negative: nothing
  uint32_t sensor_count;
  uint8_t sensor[MARTLET_SENSOR_SIZE];
  int32_t delivery; // how the delivery of an alert ended
};

// The questions of a child; NULL where the system has no memory for them. Behind the MARTLET_CHILD_COUNT children that
// measure stands the one that delivers alerts.
struct martlet_questions *_Nullable martlet_questions(size_t child);

// Reads and writes a state so that the other process sees what was written before it.
uint32_t martlet_load_state(const uint32_t *_Nonnull state);
void martlet_store_state(uint32_t *_Nonnull state, uint32_t value);

// Makes a child of this process that has no descriptor but standard error. The child ends with its parent,
// or by itself after MARTLET_CHILD_SECONDS at the latest, wherever the child waits. A child that waits for a
// device which does not answer may stay, because the kernel lets nobody end such a process. The result is 0
// in the child, and in the parent the child's number, or -errno.
enum { MARTLET_CHILD_SECONDS = 10 };
int martlet_begin_child(void);

// Whether a child has not ended. One that has is forgotten by the kernel.
int martlet_child_runs(int child);

// Ends the child, in the child.
_Noreturn void martlet_end_child(void);

// The samples of what a program shows as plots: rings of 16-bit values in static memory, which are all 0 at
// the start. A program that shows no plots does not have the array.
#if defined MARTLET_LIMITS_TINY
enum { MARTLET_HISTORY_SLOTS = 360 };
#else
enum { MARTLET_HISTORY_SLOTS = 720 }; // an hour by 5 s, a day by 2 min
#endif
enum { MARTLET_HISTORY_RINGS = 3, MARTLET_HISTORY_SERIES = 9 };
enum { MARTLET_HISTORY_SIZE = MARTLET_HISTORY_RINGS * MARTLET_HISTORY_SERIES * MARTLET_HISTORY_SLOTS * 2 };

// A value, by its index below MARTLET_HISTORY_SIZE / 2; 0 for any other index.
uint16_t martlet_history(size_t index);
void martlet_set_history(size_t index, uint16_t value);

// The samples of single processors, in another static array. Each of MARTLET_HISTORY_CORES processors has a ring of an
// hour and a ring of a day, with 8 bits a value. A machine with fewer processors touches less of the array.
#if defined MARTLET_LIMITS_TINY
enum { MARTLET_HISTORY_CORES = 4 };
#else
enum { MARTLET_HISTORY_CORES = 8 };
#endif
enum { MARTLET_CORE_HISTORY_SIZE = MARTLET_HISTORY_CORES * 2 * MARTLET_HISTORY_SLOTS };
uint8_t martlet_core_history(size_t index);
void martlet_set_core_history(size_t index, uint8_t value);
