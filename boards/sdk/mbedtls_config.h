// What Martlet uses of mbedTLS, for the static programs: SHA-256 and nothing else.
#pragma once
#define MBEDTLS_SHA256_C
// A loop instead of its unrolled rounds: 2 KB less, as fast where the instruction cache is small.
#define MBEDTLS_SHA256_SMALLER
#include "mbedtls/check_config.h"
