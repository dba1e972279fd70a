// What the loop needs beside TLS itself. EINTR ends here.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // Files beyond 2 GiB on 32-bit boards.
#endif
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "martlet_tls.h"
#include "martlet_tls_sockets.h"

_Static_assert(MARTLET_TLS_COUNT <= 127, "a place is an int8_t");
static int8_t slots[MARTLET_CONNECTION_COUNT];

int martlet_tls_slot(size_t slot) { return slot < MARTLET_CONNECTION_COUNT ? slots[slot] : MARTLET_TLS_SILENT; }

void martlet_tls_set_slot(size_t slot, int what) {
  if (slot < MARTLET_CONNECTION_COUNT) slots[slot] = (int8_t)what;
}

static int channel;

int martlet_tls_channel(void) { return channel; }

void martlet_tls_set_channel(int value) { channel = value; }

// How many octets there must be before poll() says that a connection is readable.
static int wait_for(int descriptor, int count) {
  return setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count);
}

int martlet_tls_begins(int descriptor) {
  enum { HANDSHAKE = 22, HEAD_SIZE = 5, RECORD_SIZE_MAX = 16384 };
  uint8_t head[HEAD_SIZE];
  ssize_t n;
  do n = recv(descriptor, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  if (n == 0) return -ENOTCONN;
  if (head[0] != HANDSHAKE) return 0;
  int wanted = HEAD_SIZE + (n == HEAD_SIZE ? head[3] << 8 | head[4] : 0);
  int available = 0, awaited = 0;
  socklen_t size = sizeof awaited;
  // A record that is too long is refused by the library.
  if (wanted <= HEAD_SIZE + RECORD_SIZE_MAX && ioctl(descriptor, FIONREAD, &available) == 0 && available < wanted
      && getsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &awaited, &size) == 0
      // Where poll() has said it nevertheless, the peer has ended its octets, or there is no memory for more of them.
      && awaited != wanted && wait_for(descriptor, wanted) == 0)
    return -EAGAIN;
  wait_for(descriptor, 1);
  return 1;
}

long martlet_tls_send_file(int place, int file, int64_t offset, size_t count) {
  uint8_t octets[MARTLET_TLS_RECORD_SIZE];
  size_t sent = 0;
  while (sent < count) {
    size_t wanted = count - sent < sizeof octets ? count - sent : sizeof octets;
    ssize_t n;
    do n = pread(file, octets, wanted, (off_t)(offset + (int64_t)sent));
    while (n < 0 && errno == EINTR);
    if (n <= 0) return sent > 0 ? (long)sent : n == 0 ? 0 : MARTLET_TLS_GONE;
    long m = martlet_tls_send(place, octets, (size_t)n, sent + (size_t)n < count);
    if (m < 0) return sent > 0 && m == MARTLET_TLS_WANT_WRITE ? (long)sent : m;
    sent += (size_t)m;
    if (m < n) break;
  }
  return (long)sent;
}

uint16_t martlet_tls_local_port(int descriptor) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {.v6 = {0}};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, &address.any, &size) != 0) return 0;
  return ntohs(address.v4.sin_port);
}

int martlet_tls_gather(int first, int second, int third) {
  int descriptors[] = {first, second, third};
  int gathered = epoll_create1(EPOLL_CLOEXEC);
  if (gathered < 0) return -errno;
  for (size_t i = 0; i < 3; i++) {
    struct epoll_event event = {.events = EPOLLIN};
    if (descriptors[i] < 0 || epoll_ctl(gathered, EPOLL_CTL_ADD, descriptors[i], &event) == 0) continue;
    int error = errno;
    close(gathered);
    return -error;
  }
  return gathered;
}

int martlet_tls_hangups(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -errno;
  int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int martlet_tls_take_hangup(int hangups) {
  struct signalfd_siginfo facts;
  ssize_t n;
  do n = read(hangups, &facts, sizeof facts);
  while (n < 0 && errno == EINTR);
  return n == sizeof facts;
}
