// What heap.c must count: each function the number of times that its place in the list says, then a
// function of the C library that allocates for itself. Between the two it waits for a line, so that
// the counts can be read in between.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile kept; // so that nothing is optimised away

static void wait_for_line(void) {
  char octet = 0;
  while (octet != '\n' && read(STDIN_FILENO, &octet, 1) == 1) {
  }
}

int main(void) {
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) return 1;
  wait_for_line();
  for (int i = 0; i < 1; i++) kept = malloc(24);
  for (int i = 0; i < 2; i++) kept = calloc(3, 8);
  for (int i = 0; i < 3; i++) kept = realloc(kept, 64);
  for (int i = 0; i < 4; i++) kept = reallocarray(kept, 4, 32);
  for (int i = 0; i < 5; i++) free(i < 1 ? kept : NULL);
  void *memory;
  for (int i = 0; i < 6; i++)
    if (posix_memalign(&memory, 64, 128) == 0) kept = memory;
  for (int i = 0; i < 7; i++) kept = aligned_alloc(64, 128);
  for (int i = 0; i < 8; i++) kept = memalign(64, 128);
  for (int i = 0; i < 9; i++) kept = valloc(64);
  for (int i = 0; i < 10; i++) kept = pvalloc(64);
  for (int i = 0; i < 11; i++) brk(sbrk(0));
  sbrk(4096);
  for (int i = 0; i < 13; i++)
    kept = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  wait_for_line();
  kept = strdup("the C library allocates this");
  if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  wait_for_line();
  return 0;
}
