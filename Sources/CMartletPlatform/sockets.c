// Sockets and waiting for them. EINTR ends here; every other errno is handed up as -errno.
#define _GNU_SOURCE
#ifndef __LP64__
#define _FILE_OFFSET_BITS 64 // Files beyond 2 GiB on 32-bit boards.
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "martlet_platform.h"

// Eight octets in wire order.
static uint64_t number(const uint8_t *octets) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | octets[i];
  return value;
}

int martlet_address(const uint8_t *text, size_t count, uint64_t *high, uint64_t *low) {
  char copy[INET6_ADDRSTRLEN] = {0};
  uint8_t octets[16] = {[10] = 0xFF, [11] = 0xFF};
  // inet_pton() would stop at a NUL.
  if (count >= sizeof copy || (count > 0 && memchr(text, 0, count))) return 0;
  memcpy(copy, text, count);
  if (inet_pton(AF_INET, copy, octets + 12) != 1 && inet_pton(AF_INET6, copy, octets) != 1) return 0;
  *high = number(octets);
  *low = number(octets + 8);
  return 1;
}

static socklen_t parse_address(const char *host, uint16_t port, struct sockaddr_storage *address) {
  memset(address, 0, sizeof *address);
  struct sockaddr_in *v4 = (struct sockaddr_in *)address;
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof *v6;
  }
  return 0;
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

int martlet_listen(const uint8_t *host, size_t host_count, uint16_t port, uint16_t *bound_port,
                   uint32_t *step) {
  char text[INET6_ADDRSTRLEN] = {0};
  struct sockaddr_storage address;
  *step = MARTLET_LISTENER_ITSELF;
  if (host_count >= sizeof text) return -EDESTADDRREQ;
  memcpy(text, host, host_count);
  socklen_t size = parse_address(text, port, &address);
  if (size == 0) return -EDESTADDRREQ;

  int listener = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return -errno;
  *step = set_options(listener, address.ss_family);
  struct sockaddr_storage bound;
  socklen_t bound_size = sizeof bound;
  if (*step != MARTLET_LISTENER_ITSELF ||
      bind(listener, (struct sockaddr *)&address, size) != 0 ||
      listen(listener, MARTLET_BACKLOG_COUNT) != 0 ||
      getsockname(listener, (struct sockaddr *)&bound, &bound_size) != 0) {
    int error = errno;
    close(listener);
    return -error;
  }
  *bound_port = ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                                 : ((struct sockaddr_in6 *)&bound)->sin6_port);
  return listener;
}

int martlet_accept(int listener, uint64_t *peer_high, uint64_t *peer_low) {
  union {
    struct sockaddr_storage any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } peer;
  socklen_t size = sizeof peer;
  int descriptor;
  do descriptor = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return -errno;
  *peer_high = 0;
  *peer_low = 0;
  if (peer.any.ss_family == AF_INET) {
    *peer_low = 0xFFFF00000000 | ntohl(peer.v4.sin_addr.s_addr);
  } else if (peer.any.ss_family == AF_INET6) {
    *peer_high = number(peer.v6.sin6_addr.s6_addr);
    *peer_low = number(peer.v6.sin6_addr.s6_addr + 8);
  }
  return descriptor;
}

static long receive(int descriptor, void *octets, size_t count, int flags) {
  ssize_t n;
  do n = recv(descriptor, octets, count, flags | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

long martlet_peek(int descriptor, uint8_t *octets, size_t count) {
  return receive(descriptor, octets, count, MSG_PEEK);
}

// On TCP sockets MSG_TRUNC takes octets without copying them (tcp(7)).
long martlet_discard(int descriptor, size_t count) {
  return receive(descriptor, NULL, count, MSG_TRUNC);
}

long martlet_receive(int descriptor, uint8_t *octets, size_t count) {
  return receive(descriptor, octets, count, 0);
}

int martlet_wake_at(int descriptor, int count) {
  return setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count) == 0 ? 0 : -errno;
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
