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
    markup = Markup()
  }

  /// No text is taken any more.
  static func end() { martlet_page_begin(nil, 0) }

  /// How many octets have been written.
  static var count: Int { martlet_page_count() }

  /// Drops what was written behind the first `count` octets: what a value was made of that is no page text.
  static func truncate(to count: Int) { martlet_page_truncate(count) }

  /// How many more octets fit.
  static var room: Int { martlet_page_room() }

  /// What has been written, until the next is.
  static var octets: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: so many octets have been written. The view is used before the next is, as its callers do.
      let octets = unsafe Span(_unsafeStart: martlet_page_octets(), count: martlet_page_count())
      return unsafe _overrideLifetime(octets, copying: ())
    }
  }

  /// Writes the octets of a value that is plain octets.
  ///
  /// - Returns: How many octets.
  static func write<Value: BitwiseCopyable>(_ value: Value) -> Int {
    let start = count
    // Safe: the octets of a value without references are copied during the call.
    unsafe withUnsafeBytes(of: value) { octets in
      unsafe martlet_page_append(
        octets.baseAddress?.assumingMemoryBound(to: UInt8.self), octets.count)
    }
    return count - start
  }

  /// Whether something did not fit.
  static var overflowed: Bool { martlet_page_overflowed() }

  /// Writes all of `octets`, or notes that they do not fit.
  static func append(_ octets: Span<UInt8>) {
    // Safe: C reads `count` octets during the call, and writes no more than there is room for.
    unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_page_append(octets.baseAddress, octets.count)
    }
  }

  /// Whether the last page has put a value where none can stand.
  static var isMisused: Bool { martlet_page_misused() }

  /// What a value must pass that is put into the page now. Where none can stand the page becomes a 500.
  @inline(never)
  static func check() -> SchemeCheck {
    // Safe: so many octets have been written, and the view ends before the next is.
    let octets = unsafe Span(
      _unsafeStart: martlet_page_octets(), count: martlet_page_count())
    var markup = self.markup
    let check = markup.check(after: octets)
    self.markup = markup
    if check == nil { martlet_page_misuse() }
    return check ?? .anything
  }

  /// Notes that the page puts a value where none can stand: the page becomes a 500.
  static func misuse() { martlet_page_misuse() }

  /// Whether the first `count` octets of the page end with the tag that begins a script.
  static func isScriptBegun(at count: Int) -> Bool {
    guard count > 0, count <= self.count else { return false }
    // Safe: so many octets have been written, and the view ends before the next is.
    let octets = unsafe Span(_unsafeStart: martlet_page_octets(), count: count)
    var markup = self.markup
    return markup.endsWithScriptTag(octets)
  }

  /// Says that the page is no HTML, so that no markup is looked for in it.
  static func setPlain() { markup.state = .plain }

  /// What has been read of the page's markup.
  private static var markup: Markup {
    get {
      // Safe: `begin` has stored one there.
      unsafe UnsafeRawPointer(martlet_page_markup()).load(as: Markup.self)
    }
    set {
      invariant(
        MemoryLayout<Markup>.size <= Int(MARTLET_PAGE_MARKUP_SIZE), "markup fits its place")
      // Safe: there is room for it, and it is plain octets.
      unsafe UnsafeMutableRawPointer(martlet_page_markup()).storeBytes(of: newValue, as: Markup.self)
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
}
