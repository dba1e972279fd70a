// Memory that goes back to the kernel.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Octets of a page where pages are smallest. What is to be given back begins at such a boundary.
enum { MARTLET_PAGE_SIZE = 4096 };

// Makes zeros of memory whose first `used` octets are perhaps not zero. The kernel takes back the pages that lie wholly
// in it, and has zeros for them when they are used again.
void martlet_give_back(void *_Nonnull octets, size_t size, size_t used);

// The same where the kernel's pages have `page` octets.
void martlet_give_back_pages(uint8_t *_Nonnull octets, size_t size, size_t used, size_t page);
