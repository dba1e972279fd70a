// What Martlet uses of mbedTLS, for the static programs: SHA-256 and nothing else.
#pragma once
#define MBEDTLS_SHA256_C
#include "mbedtls/check_config.h"
