// The C that Martlet writes: system calls behind plain functions, so that Swift sees neither macros,
// nor errno, nor the differences between glibc and musl. No function here allocates.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Ends the program: "martlet: NAME (FILE:LINE)" on standard error, then abort().
_Noreturn void martlet_stop(const uint8_t *name, size_t name_count, const uint8_t *file,
                            size_t file_count, uint32_t line);

// Fills `octets` from the kernel's random source; waits for it to be seeded. 0, or -1 on failure.
int martlet_random(uint8_t *octets, size_t count);
