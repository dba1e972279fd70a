// Parses the request method (RFC 9110 §9; PATCH: RFC 5789; QUERY: draft-ietf-httpbis-safe-method-w-body): a
// case-sensitive token that says what a request asks for. A token that is no case below is refused with 501.

import MartletBytes

/// A request method. The cases stand in the order in which an Allow field names methods
/// (MethodSet.swift); CONNECT and TRACE come last, because no page answers them.
public enum Method: UInt8, Sendable {
  case get, head, post, put, patch, delete, query, options, connect, trace

  /// Octets of the longest method below. A longer token is refused before its end has arrived.
  static var sizeMax: Int { 7 }

  /// The method that `token` names. Case counts: `get` is not `GET` (RFC 9110 §9.1).
  ///
  /// - Returns: `nil` for every other token. The caller throws `Refusal.methodUnknown` then.
  public static func parse(_ token: Span<UInt8>) -> Method? {
    var lines = Lines(names.octets)
    var code: UInt8 = 0
    while let name = lines.next() {
      if token.equals(name) { return Method(rawValue: code) }
      code &+= 1
    }
    return nil
  }

  /// The methods as a request line spells them, in the order of the cases.
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

  /// The method as a request line spells it.
  public var name: Span<UInt8> {
    @_lifetime(immortal) get { Self.names.line(Int(rawValue)) }
  }
}
