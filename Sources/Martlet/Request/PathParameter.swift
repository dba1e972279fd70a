// The values of a path's parameters, as a page reads them: by a key that carries the type.

public import MartletBytes
public import MartletHTTP

/// A type that the value of a path's parameter can have.
public protocol PathParameterValue {
  /// Parses a value. The route has matched, so that a value of a type of the library is always one.
  ///
  /// - Returns: `nil` when the value is none of this type. An application says so in `accepts` before, so
  ///   that the answer is 404.
  init?(_ value: borrowing PathValue)
}

extension Int: PathParameterValue {
  /// The number. On a board of 32 bits a number beyond these is the nearest bound.
  public init?(_ value: borrowing PathValue) {
    guard let integer = value.integer else { return nil }
    self.init(clamping: integer)
  }
}

extension Int64: PathParameterValue {
  public init?(_ value: borrowing PathValue) {
    guard let integer = value.integer else { return nil }
    self = integer
  }
}

extension Text: PathParameterValue {
  /// The decoded text, cut where it does not fit.
  public init?(_ value: borrowing PathValue) {
    self.init()
    var decoder = value.decoder
    while let octet = decoder.next(), append(octet) {}
  }
}

/// The key of a path's parameter: its name, and the type of its value.
///
///     extension PathParameter<Int> {
///       static var id: Self { "id" }
///     }
///
///     case .item: .get("/items/<int:id>", for: .everyone)
///     …
///     let id = request[.id]
public struct PathParameter<Value: PathParameterValue>: ExpressibleByStringLiteral {
  // Not `name`: the compiler would tell whoever has forgotten to declare a key `.name` of this one.
  let parameterName: StaticString

  public init(stringLiteral literal: StaticString) { parameterName = literal }
}
