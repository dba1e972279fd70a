// Sockets and waiting for them. EINTR ends here; every other errno is handed up as -errno.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // Files beyond 2 GiB on 32-bit boards.
#endif
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "martlet_platform.h"

// Eight octets in wire order.
static uint64_t number(const uint8_t *octets) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | octets[i];
  return value;
}

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "both families have the port at one place");

static socklen_t set_address(union address *address, uint64_t high, uint64_t low, uint16_t port) {
  memset(address, 0, sizeof *address);
  address->v4.sin_port = htons(port);
  if (high == 0 && low >> 32 == 0xFFFF) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_addr.s_addr = htonl((uint32_t)low);
    return sizeof address->v4;
  }
  address->v6.sin6_family = AF_INET6;
  for (int i = 7; i >= 0; i--, high >>= 8, low >>= 8) {
    address->v6.sin6_addr.s6_addr[i] = (uint8_t)high;
    address->v6.sin6_addr.s6_addr[i + 8] = (uint8_t)low;
  }
  return sizeof address->v6;
}

// What a listener is given, and its connections inherit, in this order.
static const struct {
  int level, option, value;
  uint32_t step; // What fails without it; MARTLET_LISTENER_ITSELF: it only helps, and some kernels lack it.
} options[] = {
    // After a restart the old connections' TIME-WAIT must not keep the port.
    {SOL_SOCKET, SO_REUSEADDR, 1, MARTLET_LISTENER_ITSELF},
    // There is room to send when little waits to be sent, not when a third of the buffer is free (Linux
    // 3.12). A slow reader is seen to read, and costs the kernel little.
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, MARTLET_UNSENT_SIZE, MARTLET_LISTENER_ITSELF},
    // A client that has vanished without a word is noticed within a minute and a half while its page has
    // nothing to send. Other phases end sooner.
    {SOL_SOCKET, SO_KEEPALIVE, 1, MARTLET_LISTENER_ITSELF},
    {IPPROTO_TCP, TCP_KEEPIDLE, 60, MARTLET_LISTENER_ITSELF},
    {IPPROTO_TCP, TCP_KEEPINTVL, 10, MARTLET_LISTENER_ITSELF},
    {IPPROTO_TCP, TCP_KEEPCNT, 3, MARTLET_LISTENER_ITSELF},
    // A response goes out in one piece, and waiting for more would only delay its last segment.
    {IPPROTO_TCP, TCP_NODELAY, 1, MARTLET_LISTENER_NODELAY},
    // The kernel doubles both, for its own overhead.
    {SOL_SOCKET, SO_SNDBUF, MARTLET_SEND_BUFFER_SIZE / 2, MARTLET_LISTENER_BUFFERS},
    {SOL_SOCKET, SO_RCVBUF, MARTLET_RECEIVE_BUFFER_SIZE / 2, MARTLET_LISTENER_BUFFERS},
    // "::" shall take IPv4 too, whatever the system's default is. The last, for IPv6 only.
    {IPPROTO_IPV6, IPV6_V6ONLY, 0, MARTLET_LISTENER_BOTH_FAMILIES},
};

// The first step that fails, or MARTLET_LISTENER_ITSELF.
static uint32_t set_options(int listener, int family) {
  size_t count = sizeof options / sizeof *options - (family != AF_INET6);
  for (size_t i = 0; i < count; i++)
    if (setsockopt(listener, options[i].level, options[i].option, &options[i].value, sizeof(int)) != 0 &&
        options[i].step != MARTLET_LISTENER_ITSELF)
      return options[i].step;
  return MARTLET_LISTENER_ITSELF;
}

int martlet_listen(uint64_t high, uint64_t low, uint16_t port, uint16_t *bound_port, uint32_t *step) {
  union address address;
  *step = MARTLET_LISTENER_ITSELF;
  socklen_t size = set_address(&address, high, low, port);
  int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return -errno;
  *step = set_options(listener, address.any.sa_family);
  if (*step != MARTLET_LISTENER_ITSELF || bind(listener, &address.any, size) != 0 ||
      listen(listener, MARTLET_BACKLOG_COUNT) != 0 ||
      getsockname(listener, &address.any, &size) != 0) {
    int error = errno;
    close(listener);
    return -error;
  }
  *bound_port = ntohs(address.v4.sin_port);
  return listener;
}

int martlet_accept(int listener, uint64_t *peer_high, uint64_t *peer_low) {
  union address peer;
  socklen_t size = sizeof peer;
  int descriptor;
  do descriptor = accept4(listener, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return -errno;
  *peer_high = 0;
  *peer_low = 0;
  if (peer.any.sa_family == AF_INET) {
    *peer_low = 0xFFFF00000000 | ntohl(peer.v4.sin_addr.s_addr);
  } else if (peer.any.sa_family == AF_INET6) {
    *peer_high = number(peer.v6.sin6_addr.s6_addr);
    *peer_low = number(peer.v6.sin6_addr.s6_addr + 8);
  }
  return descriptor;
}

long martlet_receive(int descriptor, uint8_t *octets, size_t count) {
  ssize_t n;
  do n = recv(descriptor, octets, count, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

long martlet_send(int descriptor, const uint8_t *octets, size_t count, const uint8_t *more,
                  size_t more_count, int continues) {
  struct iovec parts[2] = {{(void *)octets, count}, {(void *)more, more_count}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (continues ? MSG_MORE : 0);
  ssize_t n;
  do {
    n = more_count > 0 ? sendmsg(descriptor, &message, flags)
                       : send(descriptor, octets, count, flags);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

long martlet_send_file(int descriptor, int file, int64_t offset, size_t count) {
  off_t start = (off_t)offset;
  ssize_t n;
  do n = sendfile(descriptor, file, &start, count);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

#ifdef SYS_preadv2
// As Linux numbers it (4.14); older headers do not have the name.
enum { READ_WITHOUT_WAITING = 0x8 };

// Whether the octet at `offset` is in memory; negative where the file system cannot tell. musl 1.2.3 has no preadv2().
static int octet_is_in_memory(int file, int64_t offset) {
  uint8_t octet;
  struct iovec part = {&octet, 1};
  long n;
  do n = syscall(SYS_preadv2, file, &part, 1L, (long)offset, (long)(offset >> 32), READ_WITHOUT_WAITING);
  while (n < 0 && errno == EINTR);
  return n > 0 ? 1 : n < 0 && errno == EAGAIN ? 0 : -1;
}
#else
static int octet_is_in_memory(int file, int64_t offset) { return (void)file, (void)offset, -1; }
#endif

// What is in memory is pages. Where they have more than 4 KiB, some octets are asked for in vain.
enum { PAGE_SIZE_MIN = 4096 };

size_t martlet_file_in_memory(int file, int64_t offset, size_t count, size_t ahead_count, int how) {
  size_t known = 0;
  if (how == MARTLET_ASK_BRIEFLY && octet_is_in_memory(file, offset) && octet_is_in_memory(file, offset + (int64_t)count - 1))
    return count;
  while (known < count) {
    int answer = octet_is_in_memory(file, offset + (int64_t)known);
    if (answer < 0) return count;
    if (answer == 0) break;
    known += PAGE_SIZE_MIN - (size_t)(offset + (int64_t)known) % PAGE_SIZE_MIN;
  }
  if (known == 0 && how == MARTLET_ASK_ANEW)
    posix_fadvise(file, (off_t)(offset / PAGE_SIZE_MIN * PAGE_SIZE_MIN), PAGE_SIZE_MIN, POSIX_FADV_DONTNEED);
  // An error would come again from sendfile(), which reports it.
  if (known == 0) posix_fadvise(file, (off_t)offset, (off_t)ahead_count, POSIX_FADV_WILLNEED);
  return known < count ? known : count;
}

long martlet_unsent(int descriptor) {
  int count = 0;
  // Emulators know the older question only: what the peer has not confirmed is more, never less.
  if (ioctl(descriptor, SIOCOUTQNSD, &count) == 0 || ioctl(descriptor, SIOCOUTQ, &count) == 0)
    return count;
  return -errno;
}

int martlet_finish_sending(int descriptor) {
  return shutdown(descriptor, SHUT_WR) == 0 ? 0 : -errno;
}

// Linux closes the descriptor even when close() reports EINTR, so it is never called again.
void martlet_close(int descriptor) { close(descriptor); }

_Static_assert(sizeof(struct martlet_poll_entry) == sizeof(struct pollfd), "as struct pollfd");
_Static_assert(offsetof(struct martlet_poll_entry, wanted) == offsetof(struct pollfd, events),
               "as struct pollfd");
_Static_assert(offsetof(struct martlet_poll_entry, ready) == offsetof(struct pollfd, revents),
               "as struct pollfd");
_Static_assert(MARTLET_READABLE == POLLIN && MARTLET_WRITABLE == POLLOUT &&
                   MARTLET_PEER_DONE == POLLRDHUP && MARTLET_PEER_GONE == (POLLERR | POLLHUP),
               "as poll() numbers them");

int martlet_poll(struct martlet_poll_entry *entries, size_t count, int milliseconds) {
  int n = poll((struct pollfd *)entries, count, milliseconds);
  // The system is out of memory, or allows fewer descriptors than are open. Asked again at once it
  // would say so again, and the processor would do nothing else.
  if (n < 0 && errno != EINTR) poll(NULL, 0, 20);
  return n < 0 ? 0 : n;
}

// MARK: Asking

static long ask_error(int error) {
  switch (error) {
  case ETIMEDOUT:
    return MARTLET_PEER_SILENT;
  case ECONNREFUSED:
    return MARTLET_PEER_REFUSES;
  case EHOSTUNREACH:
  case ENETUNREACH:
    return MARTLET_PEER_UNREACHABLE;
  default:
    return MARTLET_PEER_BROKEN;
  }
}

// Waits until the descriptor is ready or `end` has come. 0, or an errno.
static int wait_ready(int descriptor, short events, int64_t end) {
  struct pollfd entry = {.fd = descriptor, .events = events};
  for (;;) {
    int64_t left = end - martlet_monotonic_milliseconds();
    if (left <= 0) return ETIMEDOUT;
    int count = poll(&entry, 1, (int)left);
    if (count > 0) return 0;
    if (count < 0 && errno != EINTR) return errno;
  }
}

long martlet_ask_peer(uint64_t high, uint64_t low, uint16_t port, int is_datagram, const uint8_t *question,
                      size_t count, uint8_t *answer, size_t size, int64_t milliseconds) {
  union address peer;
  socklen_t peer_size = set_address(&peer, high, low, port);
  int64_t end = martlet_monotonic_milliseconds() + milliseconds;
  int type = is_datagram ? SOCK_DGRAM : SOCK_STREAM;
  int descriptor = socket(peer.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return ask_error(errno);
  int error = connect(descriptor, &peer.any, peer_size) == 0 || errno == EINPROGRESS ? 0 : errno;
  size_t sent = 0, received = 0;
  while (!error && sent < count) {
    error = wait_ready(descriptor, POLLOUT, end);
    if (error) break;
    long n = martlet_send(descriptor, question + sent, count - sent, NULL, 0, 0);
    if (n > 0) sent += (size_t)n;
    else if (n != -EAGAIN) error = (int)-n;
  }
  while (!error && received < size) {
    error = wait_ready(descriptor, POLLIN, end);
    if (error) break;
    long n = martlet_receive(descriptor, answer + received, size - received);
    if (n > 0) received += (size_t)n;
    else if (n != -EAGAIN) error = (int)-n;
    if (n == 0 || is_datagram) break;
  }
  close(descriptor);
  return error ? ask_error(error) : (long)received;
}
