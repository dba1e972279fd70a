// What a site keeps between requests, in memory that is lent: passwords that are being hashed, tokens that were
// verified, the session of the visitor who is being answered. This file faces C: the memory is its arrays.

package import CMartletPlatform
import MartletBytes

/// The memory of a site.
@safe package struct SiteMemory {
  let site: UnsafeMutablePointer<martlet_site>

  /// The static memory, for the one site of a process.
  package init() { unsafe site = martlet_static_site() }

  /// Memory that a test lends: zeros at first, and arrays as large as C says.
  package init(_ site: UnsafeMutablePointer<martlet_site>) { unsafe self.site = site }

  /// A number for a responder that the memory is lent to: a token is valid for its owner only.
  func newOwner() -> UInt32 {
    unsafe site.pointee.owner_count += 1
    return unsafe site.pointee.owner_count
  }

  /// The passwords that are being verified or hashed.
  var work: PasswordWork { PasswordWork(self) }

  /// Memory for the session of the visitor who is being answered, whatever is in it.
  var session: MutableSpan<UInt8> {
    @_lifetime(immortal)
    get {
      let octets = unsafe site.pointee.session ?? martlet_static_session()
      // Safe: an array of that size; one visitor is answered at a time.
      let buffer = unsafe UnsafeMutableBufferPointer(start: octets, count: Limits.sessionSizeMax)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
    }
  }
}
