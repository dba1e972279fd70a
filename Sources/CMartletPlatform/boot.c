// The first process: file systems, modules, network, and the end of the system.
#define _GNU_SOURCE
#include "martlet_boot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "martlet_bugs.h"
#include "martlet_files.h"
#include "martlet_platform.h"

static int data_is_mounted;

int martlet_is_first_process(void) {
  if (getpid() != 1) return 0;
  size_t count;
  const char *path = (const char *)martlet_argument(0, &count);
  const char *slash = path ? strrchr(path, '/') : NULL;
  return path && strcmp(slash ? slash + 1 : path, "init") == 0;
}

// Writes "martlet: START END\n" to the console; one call, so that no kernel message splits it.
static void tell(const char *start, const char *end) {
  char line[160] = "martlet: ";
  strncat(line, start, sizeof line - strlen(line) - 2);
  strncat(line, end, sizeof line - strlen(line) - 2);
  size_t count = strlen(line);
  line[count++] = '\n';
  martlet_write_all(STDERR_FILENO, (const uint8_t *)line, count);
}

// Nothing here needs more than system calls, because a fault may have happened anywhere.
static _Noreturn void power_off(void) {
  // What is open keeps a file system busy.
  for (int descriptor = STDERR_FILENO + 1; descriptor < 1024; descriptor++) close(descriptor);
  sync();
  if (data_is_mounted && umount("/data") != 0)
    tell("cannot unmount /data: ", martlet_error_text(errno));
  tcdrain(STDERR_FILENO);
  reboot(RB_POWER_OFF);
  tell("cannot power off: ", martlet_error_text(errno));
  // The kernel's panic is all that is left.
  _exit(1);
}

static _Noreturn void end(int status) {
  if (status == 0) tell("powering off", "");
  else if (status == 1) tell("ended with an error, see above; powering off", "");
  else tell("wrongly called, see above; powering off", "");
  power_off();
}

static _Noreturn void end_after_fault(int number) {
  // A child's fault is not the system's end.
  if (getpid() != 1) _exit(1);
  tell("stopped by a fault; powering off: SIG", martlet_signal_name(number));
  power_off();
}

int martlet_become_first_process(void) {
  // Without a console the kernel opens nothing, and what is said must not go to a connection.
  int descriptor;
  do descriptor = open("/", O_RDONLY);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) close(descriptor);
  martlet_at_exit(end);
  int error = martlet_tell_bugs(NULL, end_after_fault);
  if (error) return error;
  if (signal(SIGCHLD, SIG_IGN) == SIG_ERR) return -errno;
  // A container's kernel is not its own: EINVAL.
  if (reboot(RB_DISABLE_CAD) != 0 && errno != EINVAL) return -errno;
  return 0;
}

int martlet_mount(int which) {
  static const struct {
    const char *type, *folder, *options, *sign; // `sign` is there when it is mounted
  } all[] = {
      [MARTLET_PROC] = {"proc", "/proc", NULL, "/proc/self"},
      [MARTLET_SYS] = {"sysfs", "/sys", NULL, "/sys/kernel"},
      [MARTLET_DATA] = {"tmpfs", "/data", "size=256k,mode=0700", NULL},
  };
  const char *folder = all[which].folder;
  if (all[which].sign && access(all[which].sign, F_OK) == 0) return 0;
  if (mkdir(folder, 0755) != 0 && errno != EEXIST) return -errno;
  if (mount(all[which].type, folder, all[which].type, MS_NOSUID | MS_NODEV | MS_NOEXEC,
            all[which].options) != 0)
    return -errno;
  if (which == MARTLET_DATA) data_is_mounted = 1;
  return 0;
}

// Whether a file's content lies in memory until the file is removed, as that of an initramfs does.
static int is_in_memory(int descriptor) {
  struct statfs system;
  return fstatfs(descriptor, &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

int martlet_load_module(const uint8_t *path, size_t path_count) {
  char text[MARTLET_PATH_SIZE];
  if (path_count >= sizeof text) return -ENAMETOOLONG;
  memcpy(text, path, path_count);
  text[path_count] = 0;
  int descriptor = open(text, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int error = syscall(SYS_finit_module, descriptor, "", 0) == 0 || errno == EEXIST ? 0 : -errno;
  if (!error && is_in_memory(descriptor) && unlink(text) != 0) error = -errno;
  close(descriptor);
  return error;
}

int martlet_set_host_name(const uint8_t *name, size_t count) {
  return sethostname((const char *)name, count) == 0 ? 0 : -errno;
}

// One request about the network: an ioctl() on a socket of its own.
static int ask_network(unsigned long request, void *argument) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int error = ioctl(descriptor, request, argument) == 0 ? 0 : -errno;
  close(descriptor);
  return error;
}

static struct sockaddr ipv4(uint32_t address) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
  struct sockaddr any;
  memcpy(&any, &v4, sizeof any);
  return any;
}

int martlet_first_ethernet(void) {
  // Numbers are given in the order in which the interfaces appeared; there are gaps.
  for (int index = 1; index <= 64; index++) {
    struct ifreq interface = {.ifr_ifindex = index};
    if (ask_network(SIOCGIFNAME, &interface) != 0) continue;
    if (ask_network(SIOCGIFHWADDR, &interface) != 0) continue;
    if (interface.ifr_hwaddr.sa_family == ARPHRD_ETHER) return index;
  }
  return -ENODEV;
}

static int switch_on(struct ifreq *interface) {
  int error = ask_network(SIOCGIFFLAGS, interface);
  if (error) return error;
  interface->ifr_flags |= IFF_UP;
  return ask_network(SIOCSIFFLAGS, interface);
}

int martlet_start_loopback(void) {
  struct ifreq interface = {.ifr_name = "lo"};
  return switch_on(&interface);
}

int martlet_start_interface(int index, uint32_t address, uint32_t netmask) {
  struct ifreq interface = {.ifr_ifindex = index};
  int error = ask_network(SIOCGIFNAME, &interface);
  if (error) return error;
  interface.ifr_addr = ipv4(address);
  error = ask_network(SIOCSIFADDR, &interface);
  if (error) return error;
  interface.ifr_netmask = ipv4(netmask);
  error = ask_network(SIOCSIFNETMASK, &interface);
  return error ? error : switch_on(&interface);
}

int martlet_set_gateway(uint32_t gateway) {
  struct rtentry route = {.rt_dst = ipv4(0),
                          .rt_genmask = ipv4(0),
                          .rt_gateway = ipv4(gateway),
                          .rt_flags = RTF_UP | RTF_GATEWAY};
  int error = ask_network(SIOCADDRT, &route);
  return error == -EEXIST ? 0 : error;
}

void martlet_sleep(int milliseconds) { poll(NULL, 0, milliseconds); }
