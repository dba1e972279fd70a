// Chooses from the Accept-Encoding field in which coding a representation is sent.
//
//     Accept-Encoding = #( codings [ weight ] )                         ; RFC 9110 §12.5.3
//     codings         = content-coding / "identity" / "*"
//     weight          = OWS ";" OWS "q=" qvalue                         ; RFC 9110 §12.4.2
//     qvalue          = ( "0" [ "." *3DIGIT ] ) / ( "1" [ "." *3"0" ] )

import MartletBytes

/// How a representation is encoded.
public enum ContentCoding: UInt8, Sendable {
  case identity
  case gzip
  case brotli

  /// The coding as fields name it.
  public var name: StaticString {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    case .brotli: "br"
    }
  }
}

extension FieldSection {
  /// The coding, of those that there are, with the greatest weight. Of equal weights Brotli comes before gzip,
  /// and gzip before identity. Without the field, and where no coding is accepted, identity is chosen.
  ///
  /// - Parameters:
  ///   - hasGzip: Whether there is a variant in gzip.
  ///   - hasBrotli: Whether there is a variant in Brotli.
  /// - Complexity: O(n) in the section's octets.
  public func contentCoding(hasGzip: Bool, hasBrotli: Bool) -> ContentCoding {
    var choice = ContentCoding.identity
    // Identity is accepted where nothing is said, but comes after a coding that is named.
    var best = weight(of: .identity) ?? 0
    if hasGzip, let weight = weight(of: .gzip), weight > 0, weight >= best {
      (choice, best) = (.gzip, weight)
    }
    if hasBrotli, let weight = weight(of: .brotli), weight > 0, weight >= best { choice = .brotli }
    return choice
  }

  /// Whether the client accepts gzip: `gzip` is named, or else `*`, and not with a weight of zero. Which coding the
  /// client prefers is not asked.
  ///
  /// - Complexity: O(n) in the section's octets.
  public var acceptsGzip: Bool {
    var fields = self
    var named: Bool?
    var others = false
    while let field = fields.next() {
      guard field.name.equalsIgnoringCase("Accept-Encoding") else { continue }
      var elements = ListElements(field.value, separator: 0x2C)
      while let element = elements.next() {
        var parameters = ListElements(element, separator: 0x3B)
        guard let name = parameters.next() else { continue }
        var isAccepted = true
        while let parameter = parameters.next() {
          if Self.isWeightOfZero(parameter) { isAccepted = false }
        }
        if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
          named = isAccepted
        } else if name.equals("*") {
          others = isAccepted
        }
      }
    }
    return named ?? others
  }

  /// The weight of a coding in thousandths; `nil` where neither the coding nor `*` is named. A weight that is
  /// malformed is 0. Of several elements with the name the last counts.
  @inline(never)
  private func weight(of coding: ContentCoding) -> Int? {
    var fields = self
    var named: Int?
    var others: Int?
    while let field = fields.next() {
      guard field.name.equalsIgnoringCase("Accept-Encoding") else { continue }
      var elements = ListElements(field.value, separator: 0x2C)
      while let element = elements.next() {
        var parameters = ListElements(element, separator: 0x3B)
        guard let name = parameters.next() else { continue }
        var weight = 1_000
        if let parameter = parameters.next() { weight = Self.weight(parameter) }
        if name.equalsIgnoringCase(coding.name)
          || coding == .gzip && name.equalsIgnoringCase("x-gzip")
        {
          named = weight
        } else if name.equals("*") {
          others = weight
        }
      }
    }
    return named ?? others
  }

  /// The thousandths of `q=0.5`; 0 for what is malformed.
  private static func weight(_ parameter: Span<UInt8>) -> Int {
    guard parameter.count >= 3, parameter.count <= 7, parameter.extracting(first: 2).equalsIgnoringCase("q="),
      parameter[2] == "0" || parameter[2] == "1", parameter.count == 3 || parameter[3] == "."
    else { return 0 }
    var value = parameter[2] == "1" ? 1_000 : 0
    var unit = 100
    for i in min(4, parameter.count)..<parameter.count {
      guard let digit = ASCII.digit(parameter[i]) else { return 0 }
      value += Int(digit) * unit
      unit /= 10
    }
    return value <= 1_000 ? value : 0
  }
}
