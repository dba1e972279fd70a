// JSON that a program sends, read in place and by type: every refusal names the member and says what is
// expected there. JSON.swift has checked the whole text before the first member is looked for.
//
//     let settings = try JSONDocument(content).object()
//     let port = try settings.integer("port", in: 1...65_535)
//     let name: Text<32> = try settings.text("name")
//     var tags = try settings.array("tags")
//     while let tag = tags.next() { let word: Text<16> = try tag.text() … }
//
// A name that an object has twice is refused when the member is read, because two readers of one
// text could see two values (RFC 8259 §4). `JSONObject.find`, which reads tokens, takes the last.

/// What a reader expects of a JSON value.
public enum JSONExpectation: Sendable {
  /// One whole JSON text of at most `Limits.jsonSizeMax` octets.
  case document
  case object, array, boolean
  /// A text of at most so many octets of UTF-8.
  case text(atMost: Int)
  /// One line of at most so many octets of UTF-8.
  case line(atMost: Int)
  /// A whole number within bounds.
  case integer(ClosedRange<Int64>)
  /// A number within bounds, which count units of the last decimal.
  case decimal(digits: Int, ClosedRange<Int64>)
  /// A number within bounds.
  case number(ClosedRange<Double>)
}

/// Why a JSON text or one of its values was refused.
///
/// `Writer.append(_:)` writes a sentence such as `port: a whole number from 1 to 65535`. A text that is
/// no JSON (`notJSON`) is a 400; every other refusal is a 422 (RFC 9110 §15.5.21).
public struct JSONError: Error, Sendable {
  /// What is wrong.
  public enum Kind: Equatable, Sendable {
    /// The octets are not one JSON text, or more than `Limits.jsonSizeMax`.
    case notJSON
    /// The object has no member of that name.
    case missing
    /// The object has several members of that name.
    case duplicate
    /// The value is of another kind; `null` is of no kind that is read.
    case wrongType
    case outOfRange
    /// The text has more octets than fit.
    case tooLong
    /// The text is empty or has controls, and one line is asked for.
    case notLine
    /// The number has more decimals than are asked for, or a whole number has some.
    case notExact
  }

  /// What is wrong.
  public let kind: Kind
  /// The name of the member whose value or whose element was refused; empty for the root.
  public let member: StaticString
  /// The index of the element in the member's array; `nil` where the member itself was refused.
  public let index: Int?
  /// What stands there in a text that is accepted.
  public let expectation: JSONExpectation
}

/// A JSON text of any kind, checked whole and read in place.
public struct JSONDocument: ~Escapable {
  /// The value that the text is.
  public let root: JSONItem

  /// Checks a text.
  ///
  /// - Parameter octets: Any octets at all.
  /// - Throws: `.notJSON` where the octets are not exactly one JSON text (RFC 8259) in UTF-8, at most
  ///   `Limits.jsonDepthMax` levels deep and at most `Limits.jsonSizeMax` octets long.
  /// - Complexity: O(n), without recursion.
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>) throws(JSONError) {
    let start = JSON.skipBlanks(octets, 0)
    guard octets.count <= Limits.jsonSizeMax, JSON.isValid(octets),
      let end = JSON.skipValue(octets, start)
    else { throw JSONError(kind: .notJSON, member: "", index: nil, expectation: .document) }
    root = JSONItem(octets, JSON.value(octets, start..<end), "", nil)
  }

  /// The object that the text is.
  ///
  /// - Throws: `.wrongType`.
  @_lifetime(copy self)
  public func object() throws(JSONError) -> JSONObject { try root.object() }

  /// The array that the text is.
  ///
  /// - Throws: `.wrongType`.
  @_lifetime(copy self)
  public func array() throws(JSONError) -> JSONArray { try root.array() }
}

/// One value of a checked JSON text: the root, a member's value or an element.
public struct JSONItem: ~Escapable {
  /// What the value is.
  public let kind: JSONKind
  /// The value's octets: of a string those between the quotation marks, escapes still in them.
  public let octets: Span<UInt8>
  private let member: StaticString
  private let index: Int?

  @_lifetime(copy text)
  init(_ text: Span<UInt8>, _ value: JSONValue, _ member: StaticString, _ index: Int?) {
    kind = value.kind
    octets = text[value.range]
    self.member = member
    self.index = index
  }

  /// Whether the value is `null`.
  public var isNull: Bool { kind == .null }

  /// Whether the value is a string and, with its escapes read, that literal.
  public func equals(_ literal: StaticString) -> Bool {
    kind == .string && JSON.string(octets, equals: literal)
  }

  private func error(_ kind: JSONError.Kind, _ expectation: JSONExpectation) -> JSONError {
    JSONError(kind: kind, member: member, index: index, expectation: expectation)
  }

  private func expect(_ kind: JSONKind, _ expectation: JSONExpectation) throws(JSONError) {
    guard self.kind == kind else { throw error(.wrongType, expectation) }
  }

  /// The object that the value is.
  ///
  /// - Throws: `.wrongType`.
  @_lifetime(copy self)
  public func object() throws(JSONError) -> JSONObject {
    try expect(.object, .object)
    return JSONObject(checked: octets)
  }

  /// The array that the value is.
  ///
  /// - Throws: `.wrongType`.
  @_lifetime(copy self)
  public func array() throws(JSONError) -> JSONArray {
    try expect(.array, .array)
    return JSONArray(octets, member)
  }

  /// The value of `true` or `false`.
  ///
  /// - Throws: `.wrongType`; `0`, `1` and `"true"` are no booleans.
  public func boolean() throws(JSONError) -> Bool {
    guard kind == .true || kind == .false else { throw error(.wrongType, .boolean) }
    return kind == .true
  }

  /// The whole number that the value is, however it is spelt: `100`, `1e2` and `100.0` are one number.
  ///
  /// - Parameter range: Bounds; those of the result's type unless told. Beyond `Int64` nothing is read.
  /// - Throws: `.wrongType`, `.notExact` for a number with a fraction, `.outOfRange`.
  public func integer<Number: BinaryInteger & FixedWidthInteger>(
    in range: ClosedRange<Number> = Number.min...Number.max
  ) throws(JSONError) -> Number {
    let bounds = JSON.bounds(range)
    let value = try scaled(digits: 0, in: bounds, .integer(bounds))
    guard let number = Number(exactly: value), range.contains(number) else {
      throw error(.outOfRange, .integer(bounds))
    }
    return number
  }

  /// The number that the value is, exactly, in units of its last decimal.
  ///
  /// - Parameters:
  ///   - digits: Decimals, from 0 to `Limits.decimalCountMax`.
  ///   - range: Least and greatest value, each times 10 to the power of `digits`.
  /// - Throws: `.wrongType`, `.notExact` where a decimal beyond `digits` is not zero, `.outOfRange`.
  public func decimal(
    digits: Int, in range: ClosedRange<Int64> = .min ... .max
  ) throws(JSONError) -> FixedPoint {
    FixedPoint(
      try scaled(digits: digits, in: range, .decimal(digits: digits, range)), digits: digits)
  }

  @inline(never)
  private func scaled(
    digits: Int, in range: ClosedRange<Int64>, _ expectation: JSONExpectation
  ) throws(JSONError) -> Int64 {
    try expect(.number, expectation)
    let value: Int64
    do throws(NumberRefusal) {
      value = try FixedPoint(parsing: octets, digits: digits, in: range).value
    } catch {
      throw self.error(error == .notExact ? .notExact : .outOfRange, expectation)
    }
    return value
  }

  /// The number that the value is, rounded to the nearest double.
  ///
  /// - Parameter range: Bounds; those of all finite doubles unless told.
  /// - Throws: `.wrongType`, `.outOfRange`.
  public func double(
    in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  ) throws(JSONError) -> Double {
    try expect(.number, .number(range))
    guard let number = NumberText(octets) else { throw error(.wrongType, .number(range)) }
    let value = number.double()
    guard range.contains(value) else { throw error(.outOfRange, .number(range)) }
    return value
  }

  /// The string that the value is, with its escapes read. It is UTF-8; half a surrogate pair becomes
  /// U+FFFD. An escape may stand for a control octet, NUL among them.
  ///
  /// - Parameter countMax: Octets of UTF-8; as many as the result holds unless told.
  /// - Throws: `.wrongType`, `.tooLong`; nothing is cut off.
  public func text<let capacity: Int>(atMost countMax: Int = capacity) throws(JSONError) -> Text<capacity> {
    let limit = min(countMax, Text<capacity>.countMax)
    try expect(.string, .text(atMost: limit))
    var text = Text<capacity>()
    var decoder = JSONStringDecoder(octets)
    while let octet = decoder.next() {
      guard text.count < limit, text.append(octet) else { throw error(.tooLong, .text(atMost: limit)) }
    }
    return text
  }

  /// The string that the value is, as one line: without controls, without the blanks around it, and not empty.
  ///
  /// - Throws: `.wrongType`, `.tooLong`, `.notLine`; nothing is cut off.
  public func line<let capacity: Int>() throws(JSONError) -> Text<capacity> {
    let expectation = JSONExpectation.line(atMost: Text<capacity>.countMax)
    try expect(.string, expectation)
    var text = Text<capacity>()
    var decoder = JSONStringDecoder(octets)
    while let octet = decoder.next() {
      guard text.append(ofLine: octet) else { throw error(.tooLong, expectation) }
    }
    guard let line = try? text.line() else { throw error(.notLine, expectation) }
    return line
  }

  /// Copies the string that the value is, as `text` does, into a buffer in place of what is there.
  ///
  /// - Throws: `.wrongType`, `.tooLong`; the buffer is empty then.
  public func text<let capacity: Int>(into buffer: inout FixedBuffer<capacity>) throws(JSONError) {
    buffer.removeAll()
    try expect(.string, .text(atMost: capacity))
    var decoder = JSONStringDecoder(octets)
    while let octet = decoder.next() {
      guard buffer.append(octet) else {
        buffer.removeAll()
        throw error(.tooLong, .text(atMost: capacity))
      }
    }
  }
}

/// The elements of a checked JSON array, in their order.
///
///     while let tag = tags.next() { … }
public struct JSONArray: ~Escapable {
  private let octets: Span<UInt8>
  private let member: StaticString
  /// The index behind the last element that has been given.
  private var position = 1
  /// Elements that have been given.
  private var index = 0

  /// - Parameter octets: From bracket to bracket, in a text that has been checked.
  @_lifetime(copy octets)
  init(_ octets: Span<UInt8>, _ member: StaticString) {
    self.octets = octets
    self.member = member
  }

  /// The next element, or `nil` after the last. A copy of the array begins where the array is.
  ///
  /// - Complexity: O(n) in the element's octets.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> JSONItem? {
    guard let value = nextValue() else { return nil }
    index += 1
    return JSONItem(octets, value, member, index - 1)
  }

  /// Elements that have not been given yet: before the first `next` all elements.
  ///
  /// - Complexity: O(n) in the array's octets.
  public var count: Int {
    var rest = self
    var count = 0
    while rest.nextValue() != nil { count += 1 }
    return count
  }

  @_lifetime(self: copy self)
  private mutating func nextValue() -> JSONValue? {
    var i = JSON.skipBlanks(octets, position)
    if octets[i] == "," { i = JSON.skipBlanks(octets, i + 1) }
    // The text has been checked: where no value is, the array ends.
    guard octets[i] != "]", let end = JSON.skipValue(octets, i) else { return nil }
    position = end
    return JSON.value(octets, i..<end)
  }
}

/// What an object says of a name.
public enum JSONPresence: Equatable, Sendable {
  case absent, null, value
}

// Each reader walks over the object once: O(n) in the object's octets. Each throws `.missing` where
// there is no such member, `.duplicate` where there are several, and what the reader of `JSONItem` throws.
// Each `…IfPresent` returns `nil` where the member is missing or `null`.
extension JSONObject {
  /// Whether there is a member of that name, and whether the member is `null`.
  ///
  /// In a merge patch (RFC 7396) `null` removes a value, and a missing member leaves the value as it is.
  ///
  /// - Throws: `.duplicate`.
  public func presence(of name: StaticString) throws(JSONError) -> JSONPresence {
    guard let item = try item(name, .document) else { return .absent }
    return item.isNull ? .null : .value
  }

  @available(
    *, unavailable,
    message: "A member is read by its type, as in try object.text(\"name\"); value reads one of any type."
  )
  public subscript(name: StaticString) -> JSONItem? {
    @_lifetime(copy self) get { nil }
  }

  /// The member's value, of whatever kind.
  ///
  /// - Throws: `.missing`, `.duplicate`.
  @_lifetime(copy self)
  public func value(_ name: StaticString) throws(JSONError) -> JSONItem {
    try required(name, .document)
  }

  /// The whole number of a member (`JSONItem.integer(in:)`).
  public func integer<Number: BinaryInteger & FixedWidthInteger>(
    _ name: StaticString, in range: ClosedRange<Number> = Number.min...Number.max
  ) throws(JSONError) -> Number {
    try required(name, .integer(JSON.bounds(range))).integer(in: range)
  }

  /// The whole number of a member (`JSONItem.integer(in:)`), or `nil`.
  public func integerIfPresent<Number: BinaryInteger & FixedWidthInteger>(
    _ name: StaticString, in range: ClosedRange<Number> = Number.min...Number.max
  ) throws(JSONError) -> Number? {
    guard let item = try present(name, .integer(JSON.bounds(range))) else { return nil }
    return try item.integer(in: range)
  }

  /// The number of a member with that many decimals (`JSONItem.decimal(digits:in:)`).
  public func decimal(
    _ name: StaticString, digits: Int, in range: ClosedRange<Int64> = .min ... .max
  ) throws(JSONError) -> FixedPoint {
    try required(name, .decimal(digits: digits, range)).decimal(digits: digits, in: range)
  }

  /// The number of a member with that many decimals (`JSONItem.decimal(digits:in:)`), or `nil`.
  public func decimalIfPresent(
    _ name: StaticString, digits: Int, in range: ClosedRange<Int64> = .min ... .max
  ) throws(JSONError) -> FixedPoint? {
    guard let item = try present(name, .decimal(digits: digits, range)) else { return nil }
    return try item.decimal(digits: digits, in: range)
  }

  /// The double of a member (`JSONItem.double(in:)`).
  public func double(
    _ name: StaticString,
    in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  ) throws(JSONError) -> Double {
    try required(name, .number(range)).double(in: range)
  }

  /// The double of a member (`JSONItem.double(in:)`), or `nil`.
  public func doubleIfPresent(
    _ name: StaticString,
    in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  ) throws(JSONError) -> Double? {
    guard let item = try present(name, .number(range)) else { return nil }
    return try item.double(in: range)
  }

  /// `true` or `false` of a member (`JSONItem.boolean()`).
  public func boolean(_ name: StaticString) throws(JSONError) -> Bool {
    try required(name, .boolean).boolean()
  }

  /// `true` or `false` of a member (`JSONItem.boolean()`), or `nil`.
  public func booleanIfPresent(_ name: StaticString) throws(JSONError) -> Bool? {
    guard let item = try present(name, .boolean) else { return nil }
    return try item.boolean()
  }

  /// The text of a member (`JSONItem.text(atMost:)`).
  public func text<let capacity: Int>(
    _ name: StaticString, atMost countMax: Int = capacity
  ) throws(JSONError) -> Text<capacity> {
    try required(name, .text(atMost: min(countMax, Text<capacity>.countMax))).text(atMost: countMax)
  }

  /// The text of a member (`JSONItem.text(atMost:)`), or `nil`.
  public func textIfPresent<let capacity: Int>(
    _ name: StaticString, atMost countMax: Int = capacity
  ) throws(JSONError) -> Text<capacity>? {
    guard let item = try present(name, .text(atMost: min(countMax, Text<capacity>.countMax))) else {
      return nil
    }
    return try item.text(atMost: countMax)
  }

  /// The text of a member as one line (`JSONItem.line()`).
  public func line<let capacity: Int>(_ name: StaticString) throws(JSONError) -> Text<capacity> {
    try required(name, .line(atMost: Text<capacity>.countMax)).line()
  }

  /// The text of a member as one line (`JSONItem.line()`), or `nil`.
  public func lineIfPresent<let capacity: Int>(_ name: StaticString) throws(JSONError) -> Text<capacity>? {
    guard let item = try present(name, .line(atMost: Text<capacity>.countMax)) else { return nil }
    return try item.line()
  }

  /// Copies the text of a member into a buffer (`JSONItem.text(into:)`).
  public func text<let capacity: Int>(
    _ name: StaticString, into buffer: inout FixedBuffer<capacity>
  ) throws(JSONError) {
    buffer.removeAll()
    try required(name, .text(atMost: capacity)).text(into: &buffer)
  }

  /// The object of a member.
  @_lifetime(copy self)
  public func object(_ name: StaticString) throws(JSONError) -> JSONObject {
    try required(name, .object).object()
  }

  /// The object of a member, or `nil`.
  @_lifetime(copy self)
  public func objectIfPresent(_ name: StaticString) throws(JSONError) -> JSONObject? {
    guard let item = try present(name, .object) else { return nil }
    return try item.object()
  }

  /// The array of a member.
  @_lifetime(copy self)
  public func array(_ name: StaticString) throws(JSONError) -> JSONArray {
    try required(name, .array).array()
  }

  /// The array of a member, or `nil`.
  @_lifetime(copy self)
  public func arrayIfPresent(_ name: StaticString) throws(JSONError) -> JSONArray? {
    guard let item = try present(name, .array) else { return nil }
    return try item.array()
  }

  /// The member's value; `nil` where it is missing.
  @inline(never)
  @_lifetime(copy self)
  private func item(
    _ name: StaticString, _ expectation: JSONExpectation
  ) throws(JSONError) -> JSONItem? {
    var found: JSONValue?
    var member = self.member(after: nil)
    while let current = member {
      if JSON.string(octets[current.name], equals: name) {
        guard found == nil else {
          throw JSONError(kind: .duplicate, member: name, index: nil, expectation: expectation)
        }
        found = current.value
      }
      member = self.member(after: current)
    }
    guard let found else { return nil }
    return JSONItem(octets, found, name, nil)
  }

  /// The member's value; `nil` where it is missing or `null`.
  @_lifetime(copy self)
  private func present(
    _ name: StaticString, _ expectation: JSONExpectation
  ) throws(JSONError) -> JSONItem? {
    guard let item = try item(name, expectation), !item.isNull else { return nil }
    return item
  }

  @_lifetime(copy self)
  private func required(
    _ name: StaticString, _ expectation: JSONExpectation
  ) throws(JSONError) -> JSONItem {
    guard let item = try item(name, expectation) else {
      throw JSONError(kind: .missing, member: name, index: nil, expectation: expectation)
    }
    return item
  }
}

extension JSON {
  /// Bounds of any type as those of Int64.
  static func bounds(
    _ range: ClosedRange<some BinaryInteger & FixedWidthInteger>
  ) -> ClosedRange<Int64> {
    Int64(clamping: range.lowerBound)...Int64(clamping: range.upperBound)
  }
}

extension Writer {
  /// Writes why a value was refused: `port: a whole number from 1 to 65535`, `name is missing: a text of
  /// at most 32 octets`, `tags[2]: a text of at most 16 octets`, `port stands there twice`.
  @_lifetime(self: copy self)
  public mutating func append(_ error: JSONError) {
    append(error.member)
    if let index = error.index {
      append("[")
      append(decimal: index, digitCountMin: 1)
      append("]")
    }
    switch error.kind {
    case .duplicate: return append(" stands there twice")
    case .missing: append(" is missing")
    case .notJSON: return append("the text is no JSON")
    case .wrongType, .outOfRange, .tooLong, .notLine, .notExact: break
    }
    if !error.member.octets.isEmpty { append(": ") }
    append(error.expectation)
  }

  @_lifetime(self: copy self)
  private mutating func append(_ expectation: JSONExpectation) {
    switch expectation {
    case .document: append("JSON")
    case .object: append("an object")
    case .array: append("an array")
    case .boolean: append("true or false")
    case .text(let countMax):
      append("a text of at most ")
      append(decimal: countMax, digitCountMin: 1)
      append(" octets")
    case .line(let countMax):
      append("a line of 1 to ")
      append(decimal: countMax, digitCountMin: 1)
      append(" octets")
    case .integer(let range):
      append("a whole number")
      append(range, digits: 0)
    case .decimal(let digits, let range):
      append("a number")
      append(range, digits: digits)
      append(" with at most ")
      append(decimal: digits, digitCountMin: 1)
      append(" decimals")
    case .number(let range):
      append("a number")
      if range.lowerBound > -Double.greatestFiniteMagnitude
        || range.upperBound < Double.greatestFiniteMagnitude
      {
        append(" from ")
        append(shortest: range.lowerBound)
        append(" to ")
        append(shortest: range.upperBound)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func append(_ range: ClosedRange<Int64>, digits: Int) {
    guard range != Int64.min...Int64.max else { return }
    append(" from ")
    append(FixedPoint(range.lowerBound, digits: digits))
    append(" to ")
    append(FixedPoint(range.upperBound, digits: digits))
  }
}
