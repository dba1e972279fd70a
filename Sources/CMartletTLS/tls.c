// TLS connections by mbedTLS.
#include "martlet_tls.h"
