// Sockets and waiting for them. EINTR ends here; every other errno is handed up as -errno.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "martlet_platform.h"

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

int martlet_listen(const uint8_t *host, size_t host_count, uint16_t port, uint16_t *bound_port) {
  char text[INET6_ADDRSTRLEN] = {0};
  struct sockaddr_storage address;
  if (host_count >= sizeof text) return -EDESTADDRREQ;
  memcpy(text, host, host_count);
  socklen_t size = parse_address(text, port, &address);
  if (size == 0) return -EDESTADDRREQ;

  int listener = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return -errno;
  int on = 1, off = 0, failed = 0;
  // After a restart the old connections' TIME-WAIT must not keep the port.
  failed |= setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" shall take IPv4 too, whatever the system's default is.
  if (address.ss_family == AF_INET6)
    failed |= setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  struct sockaddr_storage bound;
  socklen_t bound_size = sizeof bound;
  if (failed || bind(listener, (struct sockaddr *)&address, size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, (struct sockaddr *)&bound, &bound_size) != 0) {
    int error = errno;
    close(listener);
    return -error;
  }
  *bound_port = ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port
                                                 : ((struct sockaddr_in6 *)&bound)->sin6_port);
  return listener;
}

int martlet_accept(int listener) {
  int descriptor;
  do descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return -errno;
  // A response goes out in one piece: waiting for more would only delay its last segment.
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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

int martlet_wake_at(int descriptor, int count) {
  return setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count) == 0 ? 0 : -errno;
}

long martlet_send(int descriptor, const uint8_t *octets, size_t count) {
  ssize_t n;
  do n = send(descriptor, octets, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

int martlet_finish_sending(int descriptor) {
  return shutdown(descriptor, SHUT_WR) == 0 ? 0 : -errno;
}

// Linux closes the descriptor even when close() reports EINTR, so it is never called again.
void martlet_close(int descriptor) { close(descriptor); }

// The entries are laid out as poll()'s own, so that they need not be copied.
_Static_assert(sizeof(struct martlet_poll_entry) == sizeof(struct pollfd), "as struct pollfd");
_Static_assert(offsetof(struct martlet_poll_entry, wanted) == offsetof(struct pollfd, events),
               "as struct pollfd");
_Static_assert(offsetof(struct martlet_poll_entry, ready) == offsetof(struct pollfd, revents),
               "as struct pollfd");

int martlet_poll(struct martlet_poll_entry *entries, size_t count, int milliseconds) {
  for (size_t i = 0; i < count; i++) {
    int16_t wanted = entries[i].wanted;
    entries[i].wanted = (int16_t)((wanted & MARTLET_READABLE ? POLLIN : 0) |
                                  (wanted & MARTLET_WRITABLE ? POLLOUT : 0) |
                                  (wanted & MARTLET_PEER_DONE ? POLLRDHUP : 0));
  }
  int n = poll((struct pollfd *)entries, count, milliseconds);
  // The system is out of memory, or allows fewer descriptors than are open. Asked again at once it
  // would say so again, and the processor would do nothing else.
  if (n < 0 && errno != EINTR) poll(NULL, 0, 20);
  for (size_t i = 0; i < count; i++) {
    int16_t ready = n > 0 && entries[i].descriptor >= 0 ? entries[i].ready : 0;
    entries[i].ready = (int16_t)((ready & POLLIN ? MARTLET_READABLE : 0) |
                                 (ready & POLLOUT ? MARTLET_WRITABLE : 0) |
                                 (ready & (POLLRDHUP | POLLHUP | POLLERR) ? MARTLET_PEER_DONE : 0));
  }
  return n < 0 ? 0 : n;
}
