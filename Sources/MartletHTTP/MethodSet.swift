// The methods that a path answers, as bits, and the Allow field that names the methods:
//
//     Allow = #method                                                   ; RFC 9110 §10.2.1
//
// One order for all: that of the cases of `Method`, whose raw value is the number of the bit.

public import MartletBytes

/// A set of request methods.
///
///     let methods = Methods.get.union(.delete)
///     methods.contains(request.method)
///
/// A set takes two octets. CONNECT and TRACE are in no set, because no page answers them.
public struct Methods: Equatable, Sendable {
  /// The methods as bits: bit n is the method whose raw value is n.
  public private(set) var rawValue: UInt16

  /// The set of one method; of GET, the set of GET and HEAD (RFC 9110 §9.3.2); of CONNECT or TRACE,
  /// the empty set.
  public init(_ method: Method) {
    switch method {
    case .get: rawValue = Self.bit(.get) | Self.bit(.head)
    case .connect, .trace: rawValue = 0
    case .head, .post, .put, .patch, .delete, .query, .options: rawValue = Self.bit(method)
    }
  }

  private init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The empty set.
  public static var none: Methods { Methods(rawValue: 0) }
  /// GET and HEAD.
  public static var get: Methods { Methods(.get) }
  /// POST.
  public static var post: Methods { Methods(.post) }
  /// PUT.
  public static var put: Methods { Methods(.put) }
  /// PATCH (RFC 5789).
  public static var patch: Methods { Methods(.patch) }
  /// DELETE.
  public static var delete: Methods { Methods(.delete) }
  /// QUERY (draft-ietf-httpbis-safe-method-w-body).
  public static var query: Methods { Methods(.query) }
  /// GET, HEAD and POST: a form, and where the form is sent to.
  public static var getAndPost: Methods { Methods.get.union(.post) }
  /// Every method that a page can answer.
  public static var all: Methods {
    Methods.getAndPost.union(.put).union(.patch).union(.delete).union(.query).union(.options)
  }
  /// OPTIONS.
  public static var options: Methods { Methods(.options) }

  /// Whether the set holds no method.
  public var isEmpty: Bool { rawValue == 0 }

  /// Whether the set holds `method`.
  public func contains(_ method: Method) -> Bool { rawValue & Self.bit(method) != 0 }

  /// Whether both sets hold a method.
  public func intersects(_ other: Methods) -> Bool { rawValue & other.rawValue != 0 }

  /// The methods that one set or the other holds.
  public func union(_ other: Methods) -> Methods { Methods(rawValue: rawValue | other.rawValue) }

  /// Whether the set holds a method that may change something at the server (`Method.isSafe`).
  public var hasUnsafe: Bool {
    let all = Methods.post.union(.put).union(.patch).union(.delete)
    return intersects(all)
  }

  /// The bit of a method.
  private static func bit(_ method: Method) -> UInt16 { 1 << UInt16(method.rawValue) }
}

extension Writer {
  /// Writes the value of an Allow field: the methods of the set.
  ///
  /// The order is GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, and at last OPTIONS.
  ///
  /// OPTIONS is written even if the set does not hold OPTIONS, because the server answers OPTIONS at
  /// every path. The longest value has 51 octets.
  @_lifetime(self: copy self)
  public mutating func append(allow methods: Methods) {
    let all = methods.union(.options)
    var isFirst = true
    var rawValue: UInt8 = 0
    while let method = Method(rawValue: rawValue) {
      if all.contains(method) {
        if !isFirst { append(", ") }
        append(method.name)
        isFirst = false
      }
      rawValue += 1
    }
  }
}
