// What the octets of the request that is being answered go through. One request is answered at a time.

import CMartletTLS
public import MartletServer

/// The channel of the request that is being answered.
public enum RequestChannel {
  public static var current: Channel {
    get { Channel(rawValue: UInt8(truncatingIfNeeded: martlet_tls_channel())) ?? .plain }
    set { martlet_tls_set_channel(Int32(newValue.rawValue)) }
  }
}
