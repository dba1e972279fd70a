// The text of the page that is being answered. A string literal knows nothing of the response that it
// is meant for, so where page text goes is kept aside while a page answers, one at a time in a
// process. This file faces C; the memory is a writer's room, lent.

import CMartletPlatform
import MartletBytes

/// What the page under way has written.
enum PageText {
  /// Puts text from now on to where `room` begins. Nothing else may be put there before `end`.
  static func begin(in room: consuming MutableSpan<UInt8>) {
    // Safe: the room stays where it is until `end`, which the same function calls.
    unsafe room.withUnsafeMutableBufferPointer { octets in
      unsafe martlet_page_begin(octets.baseAddress, octets.count)
    }
  }

  /// No text is taken any more.
  static func end() { martlet_page_begin(nil, 0) }

  /// How many octets have been written.
  static var count: Int { martlet_page_count() }

  /// Whether something did not fit.
  static var overflowed: Bool { martlet_page_overflowed() }

  /// Writes all of `octets`, or notes that they do not fit.
  static func append(_ octets: Span<UInt8>) {
    // Safe: C reads `count` octets during the call, and writes no more than there is room for.
    unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_page_append(octets.baseAddress, octets.count)
    }
  }

  /// The path below which the browser that is being answered sees the program: empty, or a `/` and more.
  static var prefix: Span<UInt8> {
    @_lifetime(immortal)
    get {
      var count = 0
      // Safe: C returns `count` octets of a static array, which change with the next request only.
      let octets = unsafe martlet_page_prefix(&count)
      let buffer = unsafe UnsafeBufferPointer(start: octets, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: buffer), copying: ())
    }
  }

  /// - Parameter prefix: At most `Limits.prefixSizeMax` octets.
  static func setPrefix(_ prefix: Span<UInt8>) {
    // Safe: C reads `count` octets during the call.
    unsafe prefix.withUnsafeBufferPointer { octets in
      unsafe martlet_page_set_prefix(octets.baseAddress, octets.count)
    }
  }

  /// Memory for the session of the visitor who is being answered, whatever is in it.
  static var sessionMemory: MutableSpan<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: a static array of that size; one visitor is answered at a time.
      let buffer = unsafe UnsafeMutableBufferPointer(
        start: martlet_session(), count: Limits.sessionSizeMax)
      return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), copying: ())
    }
  }
}
