// The request method (RFC 9110 §9; PATCH: RFC 5789; QUERY: draft-ietf-httpbis-safe-method-w-body): a
// token, case-sensitive, that says what a request is to do. Only those that stand here are known; any
// other token is refused with 501.

import MartletBytes

/// A request method. The cases stand in the order in which an Allow field names methods
/// (MethodSet.swift); CONNECT and TRACE come last, because no page answers them.
public enum Method: UInt8, Sendable {
  case get, head, post, put, patch, delete, query, options, connect, trace

  /// Octets of the longest known method: a longer token is known to be none of them at once.
  static var sizeMax: Int { 7 }

  /// The method that `token` names, exactly: `get` is not `GET` (RFC 9110 §9.1).
  ///
  /// - Returns: `nil` for every other token; the answer to that is `Refusal.methodUnknown`.
  public static func parse(_ token: Span<UInt8>) -> Method? {
    var lines = Lines(names.octets)
    var code: UInt8 = 0
    while let name = lines.next() {
      if token.equals(name) { return Method(rawValue: code) }
      code &+= 1
    }
    return nil
  }

  /// As they stand in a request line, in the order of the cases.
  private static var names: StaticString {
    "GET\nHEAD\nPOST\nPUT\nPATCH\nDELETE\nQUERY\nOPTIONS\nCONNECT\nTRACE"
  }

  /// Whether a request of this method changes nothing at the server (RFC 9110 §9.2.1). QUERY is safe,
  /// although a request of it has content.
  public var isSafe: Bool {
    switch self {
    case .get, .head, .query, .options, .trace: true
    case .post, .put, .patch, .delete, .connect: false
    }
  }

  /// The method as it stands in a request line.
  public var name: Span<UInt8> {
    @_lifetime(immortal) get { Self.names.line(Int(rawValue)) }
  }
}
