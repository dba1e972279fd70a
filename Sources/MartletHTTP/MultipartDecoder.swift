// Decodes multipart/form-data as it arrives (RFC 7578, RFC 2046 §5.1):
//
//     multipart-body    = [preamble CRLF] "--" boundary transport-padding CRLF
//                         body-part *( CRLF "--" boundary transport-padding CRLF body-part )
//                         CRLF "--" boundary "--" transport-padding [CRLF epilogue]
//     body-part         = field-lines CRLF data
//     transport-padding = *( SP / HTAB )
//
//                   delimiter         CRLF              empty line
//     preamble ──► afterDelimiter ───► head ────────────► data ──┐
//                    ▲      │ "--"                               │ delimiter
//                    │      └──► epilogue                        │
//                    └───────────────────────────────────────────┘
//
// Octets that begin like a delimiter and go on in another way are data. A delimiter goes on with a blank, CR LF
// or two hyphens. The decoder counts the octets of the delimiter that have come, and keeps none of them,
// because the delimiter has them. A blank behind a boundary is always padding.
//
// Only CR begins a delimiter, and a delimiter has one CR before its end. So where a delimiter fails, the next
// one begins at the octet that failed, or behind that octet.

import MartletBytes

/// One part of a form, as its head says. The spans are valid until the decoder goes on.
public struct FormPart: ~Escapable {
  /// The name of the field, any octets: browsers send a form's own encoding, UTF-8 as a rule.
  public let name: Span<UInt8>
  /// The name of the file as it was sent, which is no path to use (`FileName`); `nil` for a part that is no
  /// file. A browser sends an empty name where no file was chosen.
  public let fileName: Span<UInt8>?
  /// The value of Content-Type; `nil` where the part names no type, which then is text/plain.
  public let mediaType: Span<UInt8>?

  @_lifetime(copy name, copy fileName, copy mediaType)
  init(name: Span<UInt8>, fileName: Span<UInt8>?, mediaType: Span<UInt8>?) {
    self.name = name
    self.fileName = fileName
    self.mediaType = mediaType
  }
}

/// What a decoder has found in a form.
public enum FormPartEvent: ~Escapable {
  /// A part begins.
  case part(FormPart)
  /// The next octets of the part, at least one.
  case octets(Span<UInt8>)
  /// The part is complete.
  case partEnd
}

/// Decodes a form in parts, in portions of any size.
///
///     var rest = octets
///     while let event = try decoder.next(&rest) {
///       switch event {
///       case .part(let part): …
///       case .octets(let octets): …
///       case .partEnd: …
///       }
///     }
///
/// A decoder has some 600 octets and is copied as octets, so the state of an upload can hold a decoder. A
/// decoder that has thrown is of no further use.
public struct MultipartDecoder: BitwiseCopyable, Sendable {
  private enum Step: UInt8, Sendable {
    case preamble, data
    /// Blanks behind a boundary, and the CR that ends them.
    case padding, paddingEnd
    /// The field lines of a part.
    case head
    case epilogue
  }

  /// What stands where a delimiter may stand.
  private enum Match {
    /// A delimiter, as far as the octets go.
    case more
    /// No delimiter.
    case none
    case delimiter, padded, close
  }

  private var step = Step.preamble
  private var partCount: UInt8 = 0
  /// CR LF, two hyphens, the boundary, and the octet that has come behind them.
  private var delimiter = PartDelimiter(repeating: 0)
  private let delimiterSize: UInt8
  /// How many octets of the delimiter have come. A form may begin with a delimiter, as if CR LF had come.
  private var matchedCount: UInt8 = 2
  /// Octets that belong to no part.
  private var marginCount: UInt16 = 0
  private var head = PartHead(repeating: 0)
  private var headCount: UInt16 = 0
  /// Where in the head the next line begins.
  private var lineStart: UInt16 = 0
  /// Where in the head the values are; empty where they are missing.
  private var disposition = ByteRange(0..<0)
  private var mediaType = ByteRange(0..<0)

  // MARK: The boundary

  /// A decoder of no form: it is complete, and refuses octets.
  public init() {
    step = .epilogue
    delimiterSize = 0
    marginCount = UInt16(Limits.partMarginSizeMax)
  }

  /// A decoder before the first octet of a form.
  ///
  /// - Parameter mediaType: The value of the request's Content-Type.
  /// - Throws: `.mediaTypeUnknown`, or `.boundaryMalformed`.
  public init(mediaType: Span<UInt8>) throws(MultipartRefusal) {
    let end = FieldParameters.endOfEssence(mediaType)
    guard mediaType.extracting(first: end).equalsIgnoringCase("multipart/form-data") else {
      throw .mediaTypeUnknown
    }
    var boundary = 0..<0
    var parameters = FieldParameters(from: end)
    loop: while true {
      switch parameters.next(in: mediaType) {
      case .end: break loop
      case .malformed: throw .boundaryMalformed
      case .parameter(let parameter):
        guard mediaType.extracting(parameter.name).equalsIgnoringCase("boundary") else { continue }
        guard boundary.isEmpty, !parameter.value.isEmpty else { throw .boundaryMalformed }
        boundary = parameter.value
      }
    }
    try self.init(boundary: mediaType.extracting(boundary))
  }

  /// A decoder before the first octet of a form.
  ///
  /// - Throws: `.boundaryMalformed` for octets that are no boundary.
  public init(boundary: Span<UInt8>) throws(MultipartRefusal) {
    guard boundary.count > 0, boundary.count <= Limits.partBoundarySizeMax,
      boundary[boundary.count - 1] != " "
    else { throw .boundaryMalformed }
    for i in boundary.indices where !Self.isBoundaryOctet(boundary[i]) { throw .boundaryMalformed }
    delimiterSize = UInt8(boundary.count + 4)
    var target = delimiter.mutableSpan
    target.copy(("\r\n--" as StaticString).octets, to: 0)
    target.copy(boundary, to: 4)
  }

  /// bchars (RFC 2046 §5.1.1).
  private static func isBoundaryOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case "0"..."9", "A"..."Z", "a"..."z": true
    case "'", "(", ")", "+", "_", ",", "-", ".", "/", ":", "=", "?", " ": true
    default: false
    }
  }

  // MARK: The form

  /// Whether the last boundary has come. Without the last boundary, parts may be missing.
  public var isComplete: Bool { step == .epilogue }

  /// Checks that the form has come to its end.
  ///
  /// - Throws: `.truncated` where the last boundary has not come.
  public func checkEnd() throws(MultipartRefusal) {
    guard isComplete else { throw .truncated }
  }

  /// Decodes until the next event.
  ///
  /// - Parameter octets: The octets that have come and are not decoded. The call drops what it decodes.
  /// - Returns: `nil` when `octets` is empty and more must come. A portion has at most three events for each
  ///   part in it. One more comes where the former portion has ended inside of what might be a boundary.
  /// - Throws: The reason why the form is refused, at the first octet that shows the reason.
  /// - Complexity: O(n) in the octets that have come.
  @_lifetime(&self, copy octets)
  @_lifetime(octets: copy octets)
  public mutating func next(_ octets: inout Span<UInt8>) throws(MultipartRefusal) -> FormPartEvent? {
    // Each turn drops an octet, or is the last.
    while octets.count > 0 {
      switch step {
      case .preamble, .data:
        let portion = octets
        let scan = scan(portion)
        octets = portion.extracting(scan.droppedCount..<portion.count)
        let isData = step == .data
        if isData {
          if scan.heldCount > 0 { return .octets(delimiter.span.extracting(first: scan.heldCount)) }
          if scan.count > 0 { return .octets(portion.extracting(first: scan.count)) }
        } else {
          try count(margin: scan.heldCount + scan.count)
        }
        switch scan.end {
        case .more, .none: continue
        case .delimiter: try beginHead()
        case .padded: step = .padding
        case .close:
          if marginCount > 0, partCount == 0 { throw .partMissing }
          step = .epilogue
        }
        if isData { return .partEnd }
      case .padding, .paddingEnd: try readPadding(&octets)
      case .head: if try readHead(&octets) { return .part(try part()) }
      case .epilogue:
        try count(margin: octets.count)
        octets = octets.extracting(0..<0)
      }
    }
    return nil
  }

  private mutating func count(margin count: Int) throws(MultipartRefusal) {
    guard count <= Limits.partMarginSizeMax - Int(marginCount) else { throw .marginTooLarge }
    marginCount += UInt16(count)
  }

  // MARK: Delimiters

  /// What a portion begins with.
  private struct Scan {
    /// Octets of a delimiter that came earlier and are data: those at the start of `delimiter`.
    var heldCount = 0
    /// Octets at the start of the portion that are data, where `heldCount` is 0.
    var count = 0
    /// Octets of the portion that are decoded.
    var droppedCount: Int
    var end = Match.more
  }

  /// Looks for a delimiter.
  private mutating func scan(_ octets: Span<UInt8>) -> Scan {
    var i = 0
    if matchedCount > 0 {
      let end = match(octets, &i)
      if end == .more { return Scan(droppedCount: i) }
      let heldCount = end == .none ? Int(matchedCount) : 0
      matchedCount = 0
      return Scan(heldCount: heldCount, droppedCount: i, end: end)
    }
    while let start = octets.firstIndex(of: 0x0D, from: i) {
      i = start
      let end = match(octets, &i)
      if end == .more { return Scan(count: start, droppedCount: i) }
      matchedCount = 0
      guard end == .none else {
        // What is before the delimiter is an event of its own. The next call finds the delimiter again.
        return start > 0 ? Scan(count: start, droppedCount: start) : Scan(droppedCount: i, end: end)
      }
    }
    return Scan(count: octets.count, droppedCount: octets.count)
  }

  /// Compares octets with what is missing of a delimiter.
  ///
  /// - Parameter i: Where the comparison begins, and where it has ended.
  private mutating func match(_ octets: Span<UInt8>, _ i: inout Int) -> Match {
    let size = Int(delimiterSize)
    while i < octets.count {
      let octet = octets[i]
      let index = Int(matchedCount)
      if index < size {
        guard octet == delimiter[index] else { return .none }
      } else if index == size {
        if ASCII.isBlank(octet) { return .padded }
        guard octet == "\r" || octet == "-" else { return .none }
        delimiter[size] = octet
      } else {
        let isLine = delimiter[size] == "\r"
        guard isLine ? octet == "\n" : octet == "-" else { return .none }
        i &+= 1
        return isLine ? .delimiter : .close
      }
      matchedCount &+= 1
      i &+= 1
    }
    return .more
  }

  private mutating func readPadding(_ octets: inout Span<UInt8>) throws(MultipartRefusal) {
    let octet = octets[0]
    octets = octets.extracting(1..<octets.count)
    if step == .paddingEnd {
      guard octet == "\n" else { throw .delimiterMalformed }
      try beginHead()
    } else if ASCII.isBlank(octet) {
      try count(margin: 1)
    } else {
      guard octet == "\r" else { throw .delimiterMalformed }
      step = .paddingEnd
    }
  }

  // MARK: Heads

  private mutating func beginHead() throws(MultipartRefusal) {
    guard partCount < Limits.partCountMax else { throw .tooManyParts }
    partCount += 1
    headCount = 0
    lineStart = 0
    disposition = ByteRange(0..<0)
    mediaType = ByteRange(0..<0)
    step = .head
  }

  /// Keeps octets of the head, at most one line.
  ///
  /// - Returns: Whether the head is complete.
  private mutating func readHead(_ octets: inout Span<UInt8>) throws(MultipartRefusal) -> Bool {
    let lineFeed = octets.firstIndex(of: 0x0A)
    let count = lineFeed.map { $0 + 1 } ?? octets.count
    guard count <= head.count - Int(headCount) else { throw .headTooLarge }
    var target = head.mutableSpan
    target.copy(octets.extracting(first: count), to: Int(headCount))
    headCount += UInt16(count)
    octets = octets.extracting(count..<octets.count)
    guard lineFeed != nil else { return false }
    let line: FieldLine.Step?
    do throws(Refusal) {
      line = try FieldLine.parse(head.span.extracting(first: Int(headCount)), from: Int(lineStart))
    } catch { throw .headMalformed }
    switch line {
    case nil: throw .headMalformed
    case .end: return true
    case .line(let line):
      try note(line)
      lineStart = headCount
      return false
    }
  }

  /// Notes where the values are that count.
  private mutating func note(_ line: FieldLine) throws(MultipartRefusal) {
    let name = head.span.extracting(line.name)
    if name.equalsIgnoringCase("Content-Disposition") {
      guard disposition.isEmpty, !line.value.isEmpty else { throw .dispositionMalformed }
      disposition = ByteRange(line.value)
    } else if name.equalsIgnoringCase("Content-Type") {
      guard mediaType.isEmpty else { throw .headMalformed }
      mediaType = ByteRange(line.value)
    } else if name.equalsIgnoringCase("Content-Transfer-Encoding") {
      let value = head.span.extracting(line.value)
      guard
        value.equalsIgnoringCase("binary") || value.equalsIgnoringCase("8bit")
          || value.equalsIgnoringCase("7bit")
      else { throw .transferEncodingUnknown }
    }
  }

  /// The part whose head is complete. Names are decoded in place.
  @_lifetime(&self)
  private mutating func part() throws(MultipartRefusal) -> FormPart {
    step = .data
    matchedCount = 0
    var name: Range<Int>?
    var fileName: Range<Int>?
    let start = Int(disposition.offset)
    do {
      let value = head.span[disposition]
      let end = FieldParameters.endOfEssence(value)
      guard value.extracting(first: end).equalsIgnoringCase("form-data") else {
        throw .dispositionMalformed
      }
      var parameters = FieldParameters(from: end)
      loop: while true {
        switch parameters.next(in: value) {
        case .end: break loop
        case .malformed: throw .dispositionMalformed
        case .parameter(let parameter):
          let range = start + parameter.value.lowerBound..<start + parameter.value.upperBound
          let key = value.extracting(parameter.name)
          if key.equalsIgnoringCase("name") {
            guard name == nil else { throw .dispositionMalformed }
            name = range
          } else if key.equalsIgnoringCase("filename") {
            guard fileName == nil else { throw .dispositionMalformed }
            fileName = range
          }
        }
      }
    }
    guard let name else { throw .dispositionMalformed }
    let decodedName = decode(name)
    let decodedFileName = fileName.map { decode($0) }
    let octets = head.span
    var file: Span<UInt8>?
    if let decodedFileName { file = octets.extracting(decodedFileName) }
    return FormPart(
      name: octets.extracting(decodedName), fileName: file,
      mediaType: mediaType.isEmpty ? nil : octets[mediaType])
  }

  /// Decodes a name in place. A backslash quotes a quotation mark and a backslash. Browsers send `%22`, `%0D`
  /// and `%0A` for a quotation mark, CR and LF (WHATWG HTML, multipart/form-data). All else stays.
  ///
  /// - Returns: Where the decoded name is.
  @inline(never)
  private mutating func decode(_ range: Range<Int>) -> Range<Int> {
    var i = range.lowerBound
    var end = i
    while i < range.upperBound {
      let (octet, size) = Self.decodedOctet(head.span.extracting(i..<range.upperBound))
      head[end] = octet
      end &+= 1
      i &+= size
    }
    return range.lowerBound..<end
  }

  /// The octet that an encoded name begins with, and how many octets encode it.
  private static func decodedOctet(_ octets: Span<UInt8>) -> (octet: UInt8, size: Int) {
    if FieldParameters.isQuotedPair(octets, 0) { return (octets[1], 2) }
    let code = octets.extracting(first: min(3, octets.count))
    if code.equals("%22") { return (0x22, 3) }
    if code.equalsIgnoringCase("%0D") { return (0x0D, 3) }
    return code.equalsIgnoringCase("%0A") ? (0x0A, 3) : (octets[0], 1)
  }
}
