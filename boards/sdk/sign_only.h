// For the library's pk_wrap.c: keys sign, and verify nothing. The server asks for no certificate, so that there is no
// signature of a client (Sources/CMartletTLS/nobody.c).
#include "common.h"

#include <mbedtls/pk.h>
#undef MBEDTLS_PK_CAN_ECDSA_VERIFY
