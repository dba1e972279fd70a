// The address that alerts are sent to, and why another text is refused:
//
//     address = "http://" host [ ":" port ] [ "/" path ] [ "?" query ]       ; RFC 9110 §4.2.1
//     host    = name / IPv4address / "[" IPv6address "]"
//
// Every octet of it goes into a request. So blanks, controls and what is no ASCII are refused; so is a fragment,
// because it would not be sent. A name and password before the host are refused, because the network would show them.

import Martlet

/// Where alerts are sent to; empty for nowhere.
struct HookAddress: Equatable {
  /// Octets of an address at most, so that a page, a file and a request have room for it whatever it is.
  static var sizeMax: Int { 200 }

  /// Why a text is no address.
  enum Refusal: Error { case https, malformed }

  private(set) var text = Text<200>()
  /// Where the host begins, and where the host and the port end.
  private static var start: Int { 7 }
  private var end: UInt8 = 7

  /// No address.
  init() {}

  var isEmpty: Bool { text.isEmpty }

  static func == (left: HookAddress, right: HookAddress) -> Bool { left.text.span.equals(right.text.span) }

  /// Reads an address.
  init(_ octets: Span<UInt8>) throws(Refusal) {
    if octets.count >= 8, octets.extracting(first: 8).equalsIgnoringCase("https://") { throw .https }
    guard let text = Text<200>(octets), octets.count > Self.start,
      octets.extracting(first: Self.start).equalsIgnoringCase("http://")
    else { throw .malformed }
    var end = Self.start
    while end < octets.count, octets[end] != "/", octets[end] != "?" { end += 1 }
    guard Self.isHost(octets.extracting(Self.start..<end)),
      Self.isTarget(octets.extracting(end..<octets.count))
    else { throw .malformed }
    self.text = text
    self.end = UInt8(end)
  }

  /// Whether a text is a host with or without a port.
  @inline(never)
  private static func isHost(_ text: Span<UInt8>) -> Bool {
    for i in text.indices {
      switch text[i] {
      case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", ":", "[", "]": continue
      default: return false
      }
    }
    guard let authority = Authority.parse(text), authority.host.count > 0, authority.port(or: 80) > 0 else {
      return false
    }
    if authority.address != nil { return true }
    // What ends with a number is an address and no name (WHATWG URL §3.5): 127.1 would be another way to write one.
    var last = 0
    for i in authority.host.indices where authority.host[i] == "." { last = i + 1 }
    return !authority.isBracketed && last < authority.host.count && ASCII.digit(authority.host[last]) == nil
      && NameQuery.isName(authority.host)
  }

  /// Whether a text is a path with or without a query.
  @inline(never)
  private static func isTarget(_ text: Span<UInt8>) -> Bool {
    for i in text.indices {
      switch text[i] {
      case "#", "[", "]": return false
      case "%":
        guard i + 2 < text.count, ASCII.hexadecimalDigit(text[i + 1]) != nil,
          ASCII.hexadecimalDigit(text[i + 2]) != nil
        else { return false }
      default: guard ASCII.isURIOctet(text[i]) else { return false }
      }
    }
    return true
  }

  /// Hands the host with its port to `body`, as the Host field has it.
  func withHost<R>(_ body: (Span<UInt8>) -> R) -> R { body(text.span.extracting(Self.start..<Int(end))) }

  /// Writes a request that brings `content`.
  @_lifetime(writer: copy writer)
  func writeRequest(_ content: Span<UInt8>, to writer: inout Writer) {
    writer.append("POST ")
    let target = text.span.extracting(Int(end)..<text.count)
    if target.count == 0 || target[0] == "?" { writer.append("/") }
    writer.append(target)
    writer.append(" HTTP/1.1\r\nHost: ")
    writer.append(text.span.extracting(Self.start..<Int(end)))
    writer.append(
      "\r\nUser-Agent: martlet-panel\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
    )
    writer.append(decimal: content.count)
    writer.append("\r\n\r\n")
    writer.append(content)
  }
}
