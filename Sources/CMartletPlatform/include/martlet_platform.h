// The C that Martlet writes: system calls behind plain functions, so that Swift sees neither macros,
// nor errno, nor the differences between glibc and musl. No function here allocates.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Fills `octets` from the kernel's random source, after the source has been seeded. Returns 0, or -1 on
// failure. Calls getrandom(), or reads /dev/urandom where the kernel or a sandbox refuses getrandom().
int martlet_random(uint8_t *octets, size_t count);

// Returns 0 when the kernel's random source has been seeded, -1 when there is no source. With a timeout of
// 0, returns 1 when the source has not been seeded. With a timeout of -1, waits for that.
int martlet_random_wait(int timeout);

// A number that differs from one start of the program to the next. No secret.
uint32_t martlet_run_number(void);

// Time. Milliseconds that never go back; seconds since 1970 UTC, 64 bits everywhere.
int64_t martlet_monotonic_milliseconds(void);
int64_t martlet_monotonic_microseconds(void);
int64_t martlet_unix_seconds(void);

// Time that this process has had a processor.
int64_t martlet_processor_nanoseconds(void);

// Milliseconds since this boot, those included that the machine has slept.
int64_t martlet_boot_milliseconds(void);

// Whether the kernel says that its time of day has been synchronized (adjtimex without STA_UNSYNC).
// 0 too where a sandbox does not allow the question.
int martlet_clock_is_synchronized(void);

// A number that no other boot has: 53 bits of the kernel's boot id. 0 where the kernel does not tell.
uint64_t martlet_boot_id(void);

// Writes all octets to a descriptor, waiting as long as it takes. 0, or -errno.
int martlet_write_all(int descriptor, const uint8_t *octets, size_t count);

// The program's arguments, the program's name first; NULL beyond the last. They stay for ever,
// each with a NUL after its octets.
const uint8_t *martlet_argument(size_t index, size_t *count);

// The secret that cookies are signed with, where the command line has it. The static memory has
// MARTLET_SECRET_SIZE octets, and two more for the line end of a file. `martlet_store_secret` copies an
// argument there and returns how many octets the argument has. The argument is overwritten with x, because
// everybody may read the arguments of a process (ps).
enum { MARTLET_SECRET_SIZE = 200 };
uint8_t *martlet_secret(void);
size_t martlet_store_secret(size_t index);

// A line for the terminal is put together in one place, of MARTLET_MESSAGE_SIZE octets; what is
// beyond is cut. `martlet_message_print` writes it with a line feed and empties it.
enum { MARTLET_MESSAGE_SIZE = 1024 };
void martlet_message_add(const uint8_t *octets, size_t count);
void martlet_message_print(int descriptor);
void martlet_message_clear(void);

// This machine's name, as the kernel has it: *count octets, valid until the next call. It is read again
// when it was read a second or more before `milliseconds`, or when `milliseconds` is negative.
const uint8_t *martlet_host_name(int64_t milliseconds, size_t *count);

// Ends the program with that status.
_Noreturn void martlet_exit(int status);

// What martlet_exit() shall do first.
void martlet_at_exit(void (*function)(int status));

// A descriptor that becomes readable when SIGINT or SIGTERM arrives; both no longer end the process.
// SIGPIPE and SIGXFSZ are blocked for ever. -errno on failure.
int martlet_signal_descriptor(void);

// Sockets. Every descriptor is non-blocking and closed on exec. What can fail returns -errno.

// Octets that the kernel takes ahead of what the peer has room for. It says that there is room for more
// when less than half of it is in use, and then takes a whole response.
enum { MARTLET_UNSENT_SIZE = 32768 };

// Clients that the kernel lets wait for a connection slot, at most (net.core.somaxconn may say fewer).
// Whoever comes when so many wait tries again after 1, 3, 7 seconds; so it is enough for some hundred who
// flood a device. Each costs the kernel some 2 KiB.
enum { MARTLET_BACKLOG_COUNT = 512 };

// Octets of kernel memory for the send buffer and for the receive buffer of a connection. The kernel counts
// the overhead of each sk_buff as well, and setsockopt() is given half. An attacker who neither reads nor
// stops sending makes the kernel hold both for every connection, and a cgroup's memory limit counts them.
//
// The send buffer holds a response after MARTLET_UNSENT_SIZE / 2 unsent octets, at the smallest segments.
// There the kernel needs up to 3.2 octets for one (measured with an MSS of 200 and the smallest window). So
// 32,768 octets need 105,000.
//
// The receive buffer holds the largest request, MARTLET_RECEIVE_SIZE octets, in half of its size. That half
// is the window that the kernel offers. Linux begins with this size (tcp_rmem), and would add to it later.
enum { MARTLET_SEND_BUFFER_SIZE = 131072, MARTLET_RECEIVE_BUFFER_SIZE = 131072 };

// Octets of kernel memory that a connection needs besides, for the socket, its file and its inode: 5,300 were
// measured. The rest is for what exceeds the send buffer, because the kernel compares before it makes a
// segment. A segment may have 64 KiB, but only data of a file makes so large a segment.
enum { MARTLET_SOCKET_SIZE = 8192 };

// Allows this process as many descriptors as it may have, up to `count`. How many that are.
size_t martlet_allow_descriptors(size_t count);

// What a listener was being given when martlet_listen() failed.
enum {
  MARTLET_LISTENER_ITSELF, // socket(), bind(), listen()
  MARTLET_LISTENER_NODELAY,
  MARTLET_LISTENER_BUFFERS,
  MARTLET_LISTENER_BOTH_FAMILIES,
};

// Lets no system keep the memory of this process when it fails: passwords pass through it.
void martlet_refuse_core_dumps(void);

// Listens on an IPv6 address ("::" takes both families), or on an IPv4 address as ::ffff:a.b.c.d. Port 0 lets
// the system choose; *bound_port is the port that it is, *step what failed (MARTLET_LISTENER_...). Socket
// options that only help are left out where the kernel does not know them.
int martlet_listen(uint64_t high, uint64_t low, uint16_t port, uint16_t *bound_port, uint32_t *step);

// The next connection's descriptor, and where its peer is: an IPv6 address as two numbers, an IPv4
// address as ::ffff:a.b.c.d.
int martlet_accept(int listener, uint64_t *peer_high, uint64_t *peer_low);

// Takes what has arrived, at most `count` octets. 0: the peer is done.
long martlet_receive(int descriptor, uint8_t *octets, size_t count);

// Sends `octets`, then `more`, in one piece as far as they go. `count` or `more_count` may be 0. With
// `continues` the kernel may wait for what is sent next before it makes a packet.
long martlet_send(int descriptor, const uint8_t *octets, size_t count, const uint8_t *more,
                  size_t more_count, int continues);

// Sends octets of a file without copying them to the program. 0: the file ends before `offset`.
long martlet_send_file(int descriptor, int file, int64_t offset, size_t count);

// How many of `count` octets of a file, 1 or more, are in memory, so that sending them does not wait for the
// disk. Where the first is not, the kernel is asked to read `ahead_count` octets, and the result is 0. `count`
// where the file system, or the kernel, cannot tell.
//
// MARTLET_ASK_BRIEFLY takes all to be in memory when the first and the last of them are. That is nearly always true
// where no disk has been waited for. MARTLET_ASK_ANEW lets the kernel forget the first page. A page that was read
// in part, at the former end of a file that has grown, would never be read as a whole otherwise.
enum { MARTLET_ASK_BRIEFLY, MARTLET_ASK_EXACTLY, MARTLET_ASK_ANEW };
size_t martlet_file_in_memory(int file, int64_t offset, size_t count, size_t ahead_count, int how);

// Octets that the kernel has taken and not yet sent: the peer has no room for them.
long martlet_unsent(int descriptor);

int martlet_finish_sending(int descriptor);
void martlet_close(int descriptor);

// Connects to an address as martlet_listen() has it, sends a question, and receives the start of the answer: at most
// `size` octets, or one datagram. The result is how many octets, or one of MARTLET_PEER_... It waits, so only a child
// calls it: for the connection, the kernel's send buffer and the answer, `milliseconds` in all.
long martlet_ask_peer(uint64_t high, uint64_t low, uint16_t port, int is_datagram, const uint8_t *question,
                      size_t count, uint8_t *answer, size_t size, int64_t milliseconds);
enum {
  MARTLET_PEER_SILENT = -1,      // no connection, or no answer, in time
  MARTLET_PEER_REFUSES = -2,     // ECONNREFUSED
  MARTLET_PEER_UNREACHABLE = -3, // no route, or a router or firewall says so
  MARTLET_PEER_BROKEN = -4,      // the connection was cut, or the system allows none
};

// One entry of the set that poll() waits for: laid out as its own, with its own bits.
struct martlet_poll_entry {
  int32_t descriptor; // negative: ignored
  int16_t wanted;     // what to wait for
  int16_t ready;      // what came
};

// poll()'s bits, as the kernel numbers them on every board (sockets.c checks it).
enum {
  MARTLET_READABLE = 0x1, // octets, a connection, or an end
  MARTLET_WRITABLE = 0x4,
  MARTLET_PEER_DONE = 0x2000, // the peer has sent all that it will send
  MARTLET_PEER_GONE = 0x18,   // the connection is over or broken
};

// Waits. `milliseconds` negative: for ever. The number of ready entries; 0 on a signal or timeout, and
// then nothing is to be read of `ready`.
int martlet_poll(struct martlet_poll_entry *entries, size_t count, int milliseconds);

// What an errno means to a person: a few words; never NULL.
const char *martlet_error_text(int error);
enum {
  MARTLET_EAGAIN = 1,
  MARTLET_NO_DESCRIPTOR, // EMFILE, ENFILE, ENOBUFS, ENOMEM
  MARTLET_CONNECTION_GONE,
  MARTLET_ADDRESS_IN_USE,
  MARTLET_NO_PERMISSION,
  MARTLET_NO_ADDRESS,
  MARTLET_NOT_FOUND,
  MARTLET_EXISTS,
  MARTLET_OTHER,
};

// The class of a negative result above.
int martlet_error_class(long result);
