// A plugin of qemu's user-mode emulators: counts the program's accesses to memory at addresses that
// are no multiple of their size, and where the first were. What it needs of qemu's plugin API,
// version 1, is declared here, because Debian packages no header for it.
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
typedef void (*mem_callback)(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *), void *data);
size_t qemu_plugin_tb_n_insns(const void *block);
void *qemu_plugin_tb_get_insn(const void *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const void *instruction);
void qemu_plugin_register_vcpu_mem_cb(void *instruction, mem_callback callback, int flags, int kinds, void *data);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

enum { NO_REGISTERS = 0, READS_AND_WRITES = 3, SHOWN = 5 };

static atomic_ulong accesses, misaligned;

static void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *instruction) {
  (void)vcpu;
  unsigned size = 1u << qemu_plugin_mem_size_shift(info);
  atomic_fetch_add(&accesses, 1);
  if (address % size == 0) return;
  if (atomic_fetch_add(&misaligned, 1) < SHOWN)
    fprintf(stderr, "misaligned: %u octets at %#" PRIx64 ", by the instruction at %#" PRIxPTR "\n", size,
            address, (uintptr_t)instruction);
}

static void translated(qemu_plugin_id_t id, void *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    void *instruction = qemu_plugin_tb_get_insn(block, i);
    qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, READS_AND_WRITES,
                                     (void *)(uintptr_t)qemu_plugin_insn_vaddr(instruction));
  }
}

static void ended(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  fprintf(stderr, "misaligned: %lu of %lu accesses\n", misaligned, accesses);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void *info,
                                                               int count, char **arguments) {
  (void)info, (void)count, (void)arguments;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
