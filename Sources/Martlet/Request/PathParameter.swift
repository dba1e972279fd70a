// The values of a path's parameters, as a page reads them. A page names a value by a key that carries the
// type.

public import MartletBytes
public import MartletHTTP

/// A type that the value of a path's parameter can have.
public protocol PathParameterValue {
  /// Parses a value. The route has matched before, so a value of a library's type always parses.
  ///
  /// - Returns: `nil` when the value is not of this type. `accepts` of the application checks a value of its
  ///   own type before, so that the answer is 404.
  init?(_ value: borrowing PathValue)
}

extension Int: PathParameterValue {
  /// The number. On a board of 32 bits, a number beyond `Int` becomes the nearest bound.
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
  /// The decoded text, cut at `capacity` octets.
  public init?(_ value: borrowing PathValue) {
    self.init()
    var decoder = value.decoder
    while let octet = decoder.next(), append(octet) {}
  }
}

/// The key of a path's parameter: the name of the parameter, and the type of its value.
///
///     extension PathParameter<Int> {
///       static var id: Self { "id" }
///     }
///
///     case .item: .get("/items/<int:id>", for: .everyone)
///     …
///     let id = request[.id]
public struct PathParameter<Value: PathParameterValue>: ExpressibleByStringLiteral {
  // Not named `name`: with an undeclared key `.name` the compiler's error would be about this property.
  let parameterName: StaticString

  public init(stringLiteral literal: StaticString) { parameterName = literal }
}
