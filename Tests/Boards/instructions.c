// A plugin of qemu's user-mode emulators: counts the instructions that the program executes. What it needs of qemu's
// plugin API, version 1, is declared here, because Debian packages no header for it.
//
// The count is printed at the end. With the argument counts=FILE it stands in that file while the program runs, with
// the number of turns: a turn is what the program executes between two system calls by which it waits, whose numbers
// waits=NUMBER names. The file has struct counts, in this machine's order of octets.
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
typedef void called(qemu_plugin_id_t, unsigned processor, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t,
                    uint64_t, uint64_t, uint64_t, uint64_t);
typedef void returned(qemu_plugin_id_t, unsigned processor, int64_t number, int64_t result);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *));
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, called *callback);
void qemu_plugin_register_vcpu_syscall_ret_cb(qemu_plugin_id_t id, returned *callback);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *), void *data);
size_t qemu_plugin_tb_n_insns(const void *block);
void qemu_plugin_register_vcpu_tb_exec_inline(void *block, int operation, void *count, uint64_t value);

enum { ADD = 0, WAITS_MAX = 4 };

struct counts {
  uint64_t executed;
  uint64_t calls;    // of the system
  uint64_t turns;    // that have ended
  uint64_t longest;  // instructions of a turn
  uint64_t waits;    // 1 while the program waits
};

static struct counts own, *counts = &own;
static int64_t waits[WAITS_MAX];
static int wait_count;
static uint64_t began;  // what had been executed when the turn began

static void translated(qemu_plugin_id_t id, void *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, &counts->executed, qemu_plugin_tb_n_insns(block));
}

static bool is_wait(int64_t number) {
  for (int i = 0; i < wait_count; i++)
    if (number == waits[i]) return true;
  return false;
}

static void called_system(qemu_plugin_id_t id, unsigned processor, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                          uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)processor, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  counts->calls++;
  if (!is_wait(number)) return;
  uint64_t turn = counts->executed - began;
  began = counts->executed;
  // What the program does before it first waits is its start.
  if (counts->turns++ > 0 && turn > counts->longest) counts->longest = turn;
  counts->waits = 1;
}

static void returned_to_program(qemu_plugin_id_t id, unsigned processor, int64_t number, int64_t result) {
  (void)id, (void)processor, (void)result;
  if (is_wait(number)) counts->waits = 0;
}

static void ended(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  fprintf(stderr, "instructions: %" PRIu64 "\n", counts->executed);
}

static bool map_counts(const char *path) {
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, sizeof *counts) != 0) return false;
  void *mapped = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) return false;
  counts = mapped;
  return true;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void *info,
                                                               int count, char **arguments) {
  (void)info;
  for (int i = 0; i < count; i++) {
    if (strncmp(arguments[i], "counts=", 7) == 0) {
      if (!map_counts(arguments[i] + 7)) return -1;
    } else if (strncmp(arguments[i], "waits=", 6) == 0 && wait_count < WAITS_MAX) {
      waits[wait_count++] = strtoll(arguments[i] + 6, NULL, 10);
    } else {
      return -1;
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  if (wait_count > 0) {
    qemu_plugin_register_vcpu_syscall_cb(id, called_system);
    qemu_plugin_register_vcpu_syscall_ret_cb(id, returned_to_program);
  }
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
