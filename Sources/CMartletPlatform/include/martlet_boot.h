// The first process of a system: what the kernel starts as /init or /sbin/init. It must set up what
// the kernel leaves to it, and it must never end: the kernel panics when it does. A program that
// does not call martlet_become_first_process() is not touched. What can fail returns -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Whether the kernel has started this program as the first process: process 1, named "init". The
// first process of a container has the same number and another name.
int martlet_is_first_process(void);

// From now on, however the program ends, the system is switched off: martlet_exit(), a fault, an
// abort. The console gets a line that says why. Children of nobody are reaped by the kernel, and
// ctrl-alt-del arrives as SIGINT.
int martlet_become_first_process(void);

enum {
  MARTLET_PROC, // /proc
  MARTLET_SYS,  // /sys
  MARTLET_DATA, // /data: 256 KiB of memory, for the owner only
};

// Mounts one of these, and makes its folder. 0 too when /proc or /sys is mounted already.
int martlet_mount(int which);

// Loads a module of the kernel from a file. 0 too when it is loaded already. A file in memory, such
// as that of an initramfs, is removed then: the kernel has its own copy.
int martlet_load_module(const uint8_t *_Nullable path, size_t path_count);

int martlet_set_host_name(const uint8_t *_Nullable name, size_t count);

// Network interfaces go by their numbers. The first Ethernet interface; -ENODEV when there is none.
int martlet_first_ethernet(void);

// Switches on the interface that a machine talks to itself with.
int martlet_start_loopback(void);

// Switches an interface on, with an IPv4 address. Addresses are numbers: 10.0.2.15 is 0x0A00020F.
int martlet_start_interface(int index, uint32_t address, uint32_t netmask);

// Sends through a gateway what is for no network of this machine's. 0 too when it is so already.
int martlet_set_gateway(uint32_t gateway);

// Waits.
void martlet_sleep(int milliseconds);
