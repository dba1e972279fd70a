// One line of a GPIO chip.
#define _GNU_SOURCE
#include "martlet_gpio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "martlet_files.h"

int martlet_gpio_request(const uint8_t *path, size_t path_count, uint32_t line, int use) {
  static const uint64_t flags[] = {
      [MARTLET_GPIO_INPUT] = GPIO_V2_LINE_FLAG_INPUT,
      [MARTLET_GPIO_PULLED_UP] = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
      [MARTLET_GPIO_PULLED_DOWN] = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN,
      [MARTLET_GPIO_LOW] = GPIO_V2_LINE_FLAG_OUTPUT,
      [MARTLET_GPIO_HIGH] = GPIO_V2_LINE_FLAG_OUTPUT,
  };
  char text[MARTLET_PATH_SIZE];
  if (path_count >= sizeof text) return -ENAMETOOLONG;
  memcpy(text, path, path_count);
  text[path_count] = 0;
  int chip;
  do chip = open(text, O_RDWR | O_CLOEXEC);
  while (chip < 0 && errno == EINTR);
  if (chip < 0) return -errno;
  struct gpio_v2_line_request request = {.offsets = {line}, .num_lines = 1, .consumer = "martlet"};
  request.config.flags = flags[use];
  if (use == MARTLET_GPIO_HIGH) {
    request.config.num_attrs = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    request.config.attrs[0].attr.values = 1;
    request.config.attrs[0].mask = 1;
  }
  int error = ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) == 0 ? 0 : -errno;
  close(chip);
  return error ? error : request.fd;
}

int martlet_gpio_get(int descriptor) {
  struct gpio_v2_line_values values = {.mask = 1};
  if (ioctl(descriptor, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return -errno;
  return (int)(values.bits & 1);
}

int martlet_gpio_set(int descriptor, int value) {
  struct gpio_v2_line_values values = {.bits = value ? 1 : 0, .mask = 1};
  return ioctl(descriptor, GPIO_V2_LINE_SET_VALUES_IOCTL, &values) == 0 ? 0 : -errno;
}
