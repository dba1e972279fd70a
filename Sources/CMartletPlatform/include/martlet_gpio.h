// One line of a GPIO chip, by the kernel's character device (version 2, Linux 5.10).
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { MARTLET_GPIO_INPUT, MARTLET_GPIO_PULLED_UP, MARTLET_GPIO_PULLED_DOWN, MARTLET_GPIO_LOW, MARTLET_GPIO_HIGH };

// Takes a line for this process: as an input, or as an output with a first value. `path` is that of the chip. The line is
// given back when the descriptor is closed. Negative: an errno; EBUSY where somebody else has the line.
int martlet_gpio_request(const uint8_t *path, size_t path_count, uint32_t line, int use);

// The value of a line, 0 or 1. Negative: an errno.
int martlet_gpio_get(int descriptor);

// Sets the value of an output.
int martlet_gpio_set(int descriptor, int value);
