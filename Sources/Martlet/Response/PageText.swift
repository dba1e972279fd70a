// The text of the page that is being answered. A string literal does not know the response that it is written
// for. So the place where page text goes is kept in a static while a page answers, one page at a time in a
// process. This file faces C; the memory is lent by a writer.

import CMartletPlatform
import MartletBytes

/// The text that the current page has written.
enum PageText {
  /// Sets where page text is written: at the start of `room`. Only page text may be written there until
  /// `end`.
  static func begin(in room: consuming MutableSpan<UInt8>) {
    // Safe: the room keeps its place until `end`, which the same function calls.
    unsafe room.withUnsafeMutableBufferPointer { octets in
      unsafe martlet_page_begin(octets.baseAddress, octets.count)
    }
    markup = Markup()
  }

  /// Ends the page's text: no text can be written until the next `begin`.
  static func end() { martlet_page_begin(nil, 0) }

  /// Octets that have been written.
  static var count: Int { martlet_page_count() }

  /// Drops the text after the first `count` octets, where a value was only made there and is no page text.
  static func truncate(to count: Int) { martlet_page_truncate(count) }

  /// Drops all text, and forgets that some text did not fit.
  static func restart() { martlet_page_restart() }

  /// Octets that still fit.
  static var room: Int { martlet_page_room() }

  /// The text so far; valid until more text is written.
  static var octets: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Safe: so many octets have been written. Callers use the view before they write more.
      let octets = unsafe Span(_unsafeStart: martlet_page_octets(), count: martlet_page_count())
      return unsafe _overrideLifetime(octets, copying: ())
    }
  }

  /// Writes the octets of a value without references.
  ///
  /// - Returns: Octets that were written.
  static func write<Value: BitwiseCopyable>(_ value: Value) -> Int {
    let start = count
    // Safe: the octets are copied during the call, and the value has no references.
    unsafe withUnsafeBytes(of: value) { octets in
      unsafe martlet_page_append(
        octets.baseAddress?.assumingMemoryBound(to: UInt8.self), octets.count)
    }
    return count - start
  }

  /// Whether some text did not fit.
  static var overflowed: Bool { martlet_page_overflowed() }

  /// Writes all of `octets`, or notes that they do not fit.
  static func append(_ octets: Span<UInt8>) {
    // Safe: C reads `count` octets during the call, and writes no more than fit.
    unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_page_append(octets.baseAddress, octets.count)
    }
  }

  /// Writes the content of a gzip member. What does not fit, or is no such member, is noted as text that does not
  /// fit.
  @inline(never)
  static func append(gzip: Span<UInt8>) {
    // Safe: so many octets are left behind the text, and nothing else is written there meanwhile.
    let start = unsafe UnsafeMutablePointer(mutating: martlet_page_octets()) + martlet_page_count()
    var writer = unsafe Writer(MutableSpan(_unsafeStart: start, count: martlet_page_room()))
    if Inflate.unpack(gzip, to: &writer) { martlet_page_advance(writer.count) } else { misuse() }
  }

  /// Whether the last page has written a value where no value can stand.
  static var isMisused: Bool { martlet_page_misused() }

  /// The check for a value that is written now. Where no value can stand, the page becomes a 500.
  @inline(never)
  static func check() -> SchemeCheck {
    // Safe: so many octets have been written, and the view ends before more text is written.
    let octets = unsafe Span(
      _unsafeStart: martlet_page_octets(), count: martlet_page_count())
    var markup = self.markup
    let check = markup.check(after: octets)
    self.markup = markup
    if check == nil { martlet_page_misuse() }
    return check ?? .anything
  }

  /// Notes that the page writes a value where no value can stand. The page then becomes a 500.
  static func misuse() { martlet_page_misuse() }

  /// Whether the first `count` octets of the page end with the tag that begins a script.
  static func isScriptBegun(at count: Int) -> Bool {
    guard count > 0, count <= self.count else { return false }
    // Safe: so many octets have been written, and the view ends before more text is written.
    let octets = unsafe Span(_unsafeStart: martlet_page_octets(), count: count)
    var markup = self.markup
    return markup.endsWithScriptTag(octets)
  }

  /// Notes that the page is no HTML, so that its markup is not parsed.
  static func setPlain() { markup.state = .plain }

  /// The state of parsing the page's markup.
  private static var markup: Markup {
    get {
      // Safe: `begin` has stored a `Markup` there.
      unsafe UnsafeRawPointer(martlet_page_markup()).load(as: Markup.self)
    }
    set {
      invariant(
        MemoryLayout<Markup>.size <= Int(MARTLET_PAGE_MARKUP_SIZE), "markup fits its place")
      // Safe: the place has room for a `Markup`, which has no references.
      unsafe UnsafeMutableRawPointer(martlet_page_markup()).storeBytes(of: newValue, as: Markup.self)
    }
  }

  /// The path below which the current browser sees the program: empty, or `/` and more octets.
  static var prefix: Span<UInt8> {
    @_lifetime(immortal)
    get {
      var count = 0
      // Safe: C returns `count` octets of a static array, which change only with the next request.
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
