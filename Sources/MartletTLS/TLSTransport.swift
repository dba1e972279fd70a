// Sockets whose octets are encrypted: the second conformer of the loop's seam.

import CMartletTLS
import MartletBytes
import MartletServer
