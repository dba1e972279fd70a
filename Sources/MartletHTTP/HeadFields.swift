// Collects the fields that the server itself needs while a head is parsed: Host, Content-Length,
// Transfer-Encoding, Connection, Expect, Cookie. A rule for one line is checked at that line. `RequestHead`
// and `BodyFraming` check the rules that concern several lines.
//
// A field that has one value may not come twice (RFC 9110 §5.3). A proxy may read the last line where this
// server reads the first. So a second line is refused of each such field by which the server or the library
// decides:
//
//     Host, Content-Length, Transfer-Encoding     which host, where the request ends
//     Authorization                               who asks
//     Origin, Sec-Fetch-Site                      which site caused the request
//     Content-Type                                whether a page accepts the content
//
// Repeated lines of the other fields that are read have one meaning, so they are served:
//
//     Connection, Accept, X-Forwarded-For         lists: the lines are one list
//     Expect                                      a list: each line must be `100-continue`
//     Cookie                                      proxies split it (RFC 9113 §8.2.3): the lines are one list
//     X-Forwarded-Proto, X-Forwarded-Prefix       the last line counts, because the nearest proxy wrote it
//     If-Match, If-None-Match, Accept-Encoding    lists: the lines are one list
//     Range, If-Range, dates of conditions        ignored where they come twice (Preconditions.swift)
//
// Upgrade and Forwarded are not read.

import MartletBytes

struct HeadFields {
  private let minorVersion: UInt8
  private var lineCount = 0
  /// Where the first Cookie line begins; 0 without a Cookie line.
  private(set) var cookieStart: UInt16 = 0
  private(set) var host: ByteRange?
  /// At most `Limits.requestPiecesSizeMax`.
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  /// Whether `close` is among the connection options.
  private(set) var asksToClose = false
  private(set) var expectsContinue = false
  /// The fields of `checkOnce` that have come, one bit each.
  private var seenOnce: UInt8 = 0

  init(minorVersion: UInt8) { self.minorVersion = minorVersion }

  /// Checks the next line, and stores what the server needs of it.
  @inline(never)
  mutating func parse(_ line: FieldLine, of octets: Span<UInt8>) throws(Refusal) {
    lineCount &+= 1
    guard lineCount <= Limits.fieldLineCountMax else { throw .tooManyFieldLines }
    let name = octets.extracting(line.name)
    let value = octets.extracting(line.value)
    // Most names differ in length, so most of these comparisons end at once.
    if name.equalsIgnoringCase("Cookie") {
      if cookieStart == 0 { cookieStart = UInt16(line.name.lowerBound) }
    } else if name.equalsIgnoringCase("Host") {
      try parseHost(value, at: line.value)
    } else if name.equalsIgnoringCase("Content-Length") {
      try parseContentLength(value)
    } else if name.equalsIgnoringCase("Transfer-Encoding") {
      try parseTransferEncoding(value)
    } else if name.equalsIgnoringCase("Connection") {
      parseConnection(value)
    } else if name.equalsIgnoringCase("Expect") {
      try parseExpect(value)
    } else {
      try checkOnce(name)
    }
  }

  /// Refuses the second line of a field that only pages and rules of access read.
  private mutating func checkOnce(_ name: Span<UInt8>) throws(Refusal) {
    let bit: UInt8
    if name.equalsIgnoringCase("Origin") {
      bit = 1
    } else if name.equalsIgnoringCase("Content-Type") {
      bit = 2
    } else if name.equalsIgnoringCase("Authorization") {
      bit = 4
    } else if name.equalsIgnoringCase("Sec-Fetch-Site") {
      bit = 8
    } else {
      return
    }
    guard seenOnce & bit == 0 else { throw .fieldRepeated }
    seenOnce |= bit
  }

  /// Host: exactly one line, with a valid value (RFC 9112 §3.2). An empty value is valid, because clients
  /// send an empty Host when the target has no authority.
  private mutating func parseHost(_ value: Span<UInt8>, at range: Range<Int>) throws(Refusal) {
    guard host == nil else { throw .hostRepeated }
    guard value.count == 0 || Host.isValid(value) else { throw .hostMalformed }
    host = ByteRange(range)
  }

  /// Content-Length = 1*DIGIT (RFC 9110 §8.6). A list and a repeated line are refused even when all values
  /// are equal, as RFC 9112 §6.3 allows.
  private mutating func parseContentLength(_ value: Span<UInt8>) throws(Refusal) {
    guard contentLength == nil else { throw .contentLengthRepeated }
    guard value.count > 0 else { throw .contentLengthMalformed }
    for i in value.indices where ASCII.digit(value[i]) == nil { throw .contentLengthMalformed }
    // decimal() returns `nil` here only for a number beyond 64 bits.
    guard let length = value.decimal(), length <= UInt64(Limits.requestPiecesSizeMax)
    else { throw .contentTooLarge }
    contentLength = Int(length)
  }

  /// Transfer-Encoding: exactly `chunked` (RFC 9112 §7). When the last coding is another one, the content's
  /// end is uncertain (RFC 9112 §6.3). When codings stand before `chunked`, recipients disagree about the
  /// content.
  private mutating func parseTransferEncoding(_ value: Span<UInt8>) throws(Refusal) {
    guard !isChunked else { throw .transferEncodingRepeated }
    guard value.equalsIgnoringCase("chunked") else { throw .transferEncodingMalformed }
    isChunked = true
  }

  /// Connection = #connection-option (RFC 9110 §7.6.1). Options other than `close` are ignored.
  private mutating func parseConnection(_ value: Span<UInt8>) {
    var options = ListElements(value, separator: 0x2C)
    while let option = options.next() {
      if option.equalsIgnoringCase("close") { asksToClose = true }
    }
  }

  /// Expect (RFC 9110 §10.1.1). The field is ignored in HTTP/1.0, which does not define Expect.
  private mutating func parseExpect(_ value: Span<UInt8>) throws(Refusal) {
    guard minorVersion > 0 else { return }
    guard value.equalsIgnoringCase("100-continue") else { throw .expectationUnknown }
    expectsContinue = true
  }
}
