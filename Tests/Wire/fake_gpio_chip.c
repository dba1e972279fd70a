// A GPIO chip for programs that are started with this library before the system's: /dev/gpiochip0 with 64 lines, whose
// levels are the octets of the file that GPIO_LEVELS names. It answers as Linux' gpiolib-cdev.c does, and logs what
// it is asked for to standard error.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_COUNT = 64, DESCRIPTOR_COUNT = 1024 };

// The chip's descriptor is 1, that of a line is 2 plus its number; 0: no descriptor of the chip.
static int kinds[DESCRIPTOR_COUNT];
static int is_output[LINE_COUNT], is_taken[LINE_COUNT];

static int levels(void) {
  int (*system_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  return system_open(getenv("GPIO_LEVELS"), O_RDWR | O_CLOEXEC);
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  int mode = va_arg(arguments, int);
  va_end(arguments);
  int (*system_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  if (strcmp(path, "/dev/gpiochip0") != 0) return system_open(path, flags, mode);
  if (getenv("GPIO_REFUSES")) {
    errno = EACCES;
    return -1;
  }
  int descriptor = levels();
  if (descriptor >= 0) kinds[descriptor] = 1;
  return descriptor;
}

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTOR_COUNT && kinds[descriptor]) {
    if (kinds[descriptor] > 1) is_taken[kinds[descriptor] - 2] = 0;
    kinds[descriptor] = 0;
  }
  int (*system_close)(int) = dlsym(RTLD_NEXT, "close");
  return system_close(descriptor);
}

static int refuse(int number) {
  errno = number;
  return -1;
}

static int request_line(struct gpio_v2_line_request *request) {
  uint32_t line = request->offsets[0];
  if (request->num_lines != 1 || line >= LINE_COUNT) return refuse(EINVAL);
  if (is_taken[line]) return refuse(EBUSY);
  uint64_t both = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT;
  if ((request->config.flags & both) == both) return refuse(EINVAL);
  int descriptor = levels();
  if (descriptor < 0) return -1;
  is_taken[line] = 1;
  is_output[line] = (request->config.flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0;
  kinds[descriptor] = 2 + (int)line;
  if (is_output[line]) {
    char level = request->config.num_attrs == 1 && request->config.attrs[0].attr.values & 1 ? '1' : '0';
    if (pwrite(descriptor, &level, 1, line) != 1) return -1;
  }
  request->fd = descriptor;
  fprintf(stderr, "gpio: line %u taken by %s, flags %llx\n", line, request->consumer,
          (unsigned long long)request->config.flags);
  return 0;
}

int ioctl(int descriptor, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  int kind = descriptor >= 0 && descriptor < DESCRIPTOR_COUNT ? kinds[descriptor] : 0;
  if (kind == 1 && request == GPIO_V2_GET_LINE_IOCTL) return request_line(argument);
  if (kind > 1) {
    struct gpio_v2_line_values *values = argument;
    char level;
    if (values->mask != 1) return refuse(EINVAL);
    if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
      if (pread(descriptor, &level, 1, kind - 2) != 1) return refuse(ENODEV);
      values->bits = level == '1';
      return 0;
    }
    if (request == GPIO_V2_LINE_SET_VALUES_IOCTL && is_output[kind - 2]) {
      level = values->bits & 1 ? '1' : '0';
      return pwrite(descriptor, &level, 1, kind - 2) == 1 ? 0 : refuse(ENODEV);
    }
    return refuse(EPERM);
  }
  int (*system_ioctl)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
  return system_ioctl(descriptor, request, argument);
}
