// Parses application/x-www-form-urlencoded in place (WHATWG URL §5.1): the query of a target, and the
// content of a posted form. A name or a value is decoded only when a caller reads it.
//
//     name=value&name=value        `+` is a space, `%XX` an octet, a broken `%` stands for itself
//
// Empty pieces are skipped. A piece without `=` is a name with an empty value. Decoded octets may be no
// UTF-8; the caller checks that.

public import MartletBytes

/// A name or a value of a form, still encoded.
public struct FormValue: ~Escapable {
  private let encoded: Span<UInt8>

  @_lifetime(copy encoded)
  init(_ encoded: Span<UInt8>) { self.encoded = encoded }

  /// Whether the name or value is empty.
  public var isEmpty: Bool { encoded.count == 0 }

  /// A decoder that returns the decoded octets, one a call.
  public var decoder: PercentDecoder {
    @_lifetime(copy self) get { PercentDecoder(encoded, plusIsSpace: true) }
  }

  /// Whether the decoded octets equal `octets`. Not for secrets, because the comparison ends at the first
  /// difference.
  public func equals(_ octets: Span<UInt8>) -> Bool { decoder.equals(octets) }

  /// Whether the decoded octets equal the literal.
  public func equals(_ literal: StaticString) -> Bool { equals(literal.octets) }

  /// Writes the decoded octets to the start of `target`.
  ///
  /// - Returns: How many octets were written. `nil` when they do not fit; some may have been written.
  public func decode(into target: inout MutableSpan<UInt8>) -> Int? {
    decoder.decode(into: &target)
  }

  /// The decoded octets as a value, or `nil` when they do not fit.
  public func text<let capacity: Int>() -> Text<capacity>? { decoder.text() }
}

/// One field of a form.
public struct FormField: ~Escapable {
  public let name: FormValue
  public let value: FormValue

  @_lifetime(copy name, copy value)
  init(name: FormValue, value: FormValue) {
    self.name = name
    self.value = value
  }
}

/// The fields of a query or of a posted form, in their order.
///
///     let form = FormFields(content)
///     guard let name = form["username"], !name.isEmpty else { ... }
public struct FormFields: ~Escapable {
  private var rest: Span<UInt8>

  /// - Parameter octets: A query or a form's content; any octets are allowed.
  @_lifetime(copy octets)
  public init(_ octets: Span<UInt8>) { rest = octets }

  /// The next field, or `nil` after the last.
  @inline(never)
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> FormField? {
    while rest.count > 0 {
      let end = rest.firstIndex(of: 0x26) ?? rest.count
      let piece = rest.extracting(0..<end)
      rest = rest.extracting(min(end + 1, rest.count)..<rest.count)
      guard piece.count > 0 else { continue }
      let nameEnd = piece.firstIndex(of: 0x3D) ?? piece.count
      let valueStart = min(nameEnd + 1, piece.count)
      return FormField(
        name: FormValue(piece.extracting(0..<nameEnd)),
        value: FormValue(piece.extracting(valueStart..<piece.count)))
    }
    return nil
  }

  /// The value of the first field whose decoded name is `name`; `nil` when there is none.
  ///
  /// - Complexity: O(n) in the form's octets.
  public subscript(name: StaticString) -> FormValue? {
    @_lifetime(copy self)
    get {
      var fields = self
      while let field = fields.next() {
        if field.name.equals(name) { return field.value }
      }
      return nil
    }
  }
}
