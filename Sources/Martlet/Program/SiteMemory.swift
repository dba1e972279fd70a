// The memory that a site keeps between requests. It holds the passwords that are being hashed, the tokens
// that were verified, and the session of the current visitor. This file faces C: the memory is arrays of C.

package import CMartletPlatform
import MartletBytes
import MartletServer

/// The memory of a site.
@safe package struct SiteMemory {
  let site: UnsafeMutablePointer<martlet_site>

  /// Uses the static memory, for the one site of a process.
  package init() { unsafe site = martlet_static_site() }

  /// Uses memory that a test lends: zeros at first, and arrays as large as C says.
  package init(_ site: UnsafeMutablePointer<martlet_site>) { unsafe self.site = site }

  /// A new number for a responder that the memory is lent to. A verified token is valid for its responder
  /// only.
  func newOwner() -> UInt32 {
    unsafe site.pointee.owner_count += 1
    return unsafe site.pointee.owner_count
  }

  /// Notes that the streams of a page are woken. Each of the first 63 pages has a bit, and all other pages share
  /// the last bit.
  func wake(page: UInt8) { unsafe site.pointee.woken |= 1 << UInt64(min(page, 63)) }

  /// Notes that the streams of a login end. Of two logins the streams of all logins end.
  func endStreams(login: UInt32) {
    let other = unsafe site.pointee.ended_login
    unsafe site.pointee.ended_login = other == 0 || other == login ? login : .max
  }

  /// The streams that have been noted. Forgets them.
  func removeWoken() -> StreamSet {
    var set = StreamSet()
    let pages = unsafe site.pointee.woken
    guard unsafe pages != 0 || site.pointee.ended_login != 0 else { return set }
    for page in 0..<UInt8(63) where pages & 1 << UInt64(page) != 0 { set.insert(page) }
    if pages >> 63 != 0 { for page in UInt8(63)...255 { set.insert(page) } }
    set.end(login: unsafe site.pointee.ended_login)
    unsafe site.pointee.woken = 0
    unsafe site.pointee.ended_login = 0
    return set
  }

  /// The table of passwords that are being verified or hashed.
  var work: PasswordWork { PasswordWork(self) }

  /// Memory for the fields of a form in parts (`FormDataApplication`).
  static var formRoom: MutableSpan<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: the array has that size, and one request is answered at a time.
      let buffer = unsafe UnsafeMutableBufferPointer(
        start: martlet_static_form(), count: Limits.requestContentSizeMax)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
    }
  }

  /// The start of `formRoom`.
  @_lifetime(immortal)
  static func form(_ count: Int) -> Span<UInt8> {
    invariant(count <= Limits.requestContentSizeMax, "a form fits its memory")
    // Safe: the array is larger, and its octets stay until the page has answered.
    let buffer = unsafe UnsafeBufferPointer(start: martlet_static_form(), count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
  }

  /// Overwrites the start of `formRoom`, so that no password stays in memory.
  static func wipeForm(_ count: Int) {
    // Safe: at most as many octets have been written there.
    unsafe martlet_wipe(martlet_static_form(), count)
  }

  /// Memory for the session of the current visitor. The memory may hold an older session.
  var session: MutableSpan<UInt8> {
    @_lifetime(immortal)
    get {
      let octets = unsafe site.pointee.session ?? martlet_static_session()
      // Safe: the array has that size, and one visitor is answered at a time.
      let buffer = unsafe UnsafeMutableBufferPointer(start: octets, count: Limits.sessionSizeMax)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
    }
  }
}
