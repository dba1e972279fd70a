// The static memory of certificates, as bounded views. This file faces C: the arrays are those of certificate_memory.c.

import CMartletTLS
import MartletBytes

/// The arrays, and what is known besides.
///
/// A view that is written to must be the only one of its array at that moment.
enum CertificateMemory {
  /// An array of certificate_memory.c.
  enum Area {
    case chain
    case authority
    case authorityKey
    case key
    case otherKey
    case new
    case text
    case hosts
    case hostName
    case firstPath
    case secondPath
    case words

    fileprivate var number: martlet_certificate_area {
      switch self {
      case .chain: MARTLET_CERTIFICATE_CHAIN
      case .authority: MARTLET_CERTIFICATE_AUTHORITY
      case .authorityKey: MARTLET_CERTIFICATE_AUTHORITY_KEY
      case .key: MARTLET_CERTIFICATE_KEY
      case .otherKey: MARTLET_CERTIFICATE_OTHER_KEY
      case .new: MARTLET_CERTIFICATE_NEW
      case .text: MARTLET_CERTIFICATE_TEXT
      case .hosts: MARTLET_CERTIFICATE_HOSTS
      case .hostName: MARTLET_CERTIFICATE_HOST_NAME
      case .firstPath: MARTLET_CERTIFICATE_FIRST_PATH
      case .secondPath: MARTLET_CERTIFICATE_SECOND_PATH
      case .words: MARTLET_CERTIFICATE_WORDS
      }
    }
  }

  /// What is known besides the arrays.
  static var state: martlet_certificate_state {
    // Safe: C returns a static struct.
    get { unsafe martlet_certificate_state().pointee }
    // In place, because a copy of the whole struct for each change is more code.
    _modify { yield unsafe &martlet_certificate_state().pointee }
  }

  /// An array, to be written to.
  @inline(never)
  @_lifetime(immortal)
  static func room(_ area: Area) -> MutableSpan<UInt8> {
    var size = 0
    // Safe: C returns the start of a static array, and its size.
    let start = unsafe martlet_certificate_memory(area.number, &size)
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: size)
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
  }

  /// The first octets of an array.
  @inline(never)
  @_lifetime(immortal)
  static func octets(_ area: Area, _ count: Int) -> Span<UInt8> {
    var size = 0
    // Safe: as above, and no more octets are lent than the array has.
    let start = unsafe martlet_certificate_memory(area.number, &size)
    invariant(count <= size, "an array has at most its size")
    let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }

  /// The certificates that clients get.
  static var chain: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.chain, Int(state.chain_count)) }
  }
  /// The certificate of the own authority.
  static var authority: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.authority, Int(state.authority_count)) }
  }
  /// The private key of the server.
  static var key: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.key, Int(MARTLET_TLS_KEY_SIZE)) }
  }
  /// The host names that people gave, in lower case, each with a blank behind it.
  static var hosts: Span<UInt8> {
    @_lifetime(immortal) get { octets(.hosts, Int(state.hosts_count)) }
  }
  /// The machine's name in lower case; empty where the machine has none that a certificate can have.
  static var hostName: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.hostName, Int(state.host_name_count)) }
  }
  /// The directory, or the file of the chain.
  static var firstPath: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.firstPath, Int(state.first_path_count)) }
  }
  /// The file of the key.
  static var secondPath: Span<UInt8> {
    @inline(never) @_lifetime(immortal) get { octets(.secondPath, Int(state.second_path_count)) }
  }
  /// Where a line that says what is wrong is put together.
  static var words: MutableSpan<UInt8> { @_lifetime(immortal) get { room(.words) } }

  /// Copies octets to the start of an array. The caller has made sure that they fit.
  @inline(never)
  static func copy(_ octets: Span<UInt8>, to area: Area) {
    var room = room(area)
    room.copy(octets, to: 0)
  }

  /// Keeps a chain for clients, or the authority's certificate.
  static func setChain(_ octets: Span<UInt8>) {
    copy(octets, to: .chain)
    state.chain_count = UInt32(octets.count)
  }

  static func setAuthority(_ octets: Span<UInt8>) {
    copy(octets, to: .authority)
    state.authority_count = UInt32(octets.count)
  }
}
