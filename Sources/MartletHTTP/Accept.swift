// Decides from the Accept field whether a client wants HTML. When a person opens a page, the browser names
// text/html in Accept. Programs name other types or all types, or send no Accept.
//
//     Accept      = #( media-range [ weight ] )                         ; RFC 9110 §12.5.1
//     media-range = ( "*/*" / ( type "/*" ) / ( type "/" subtype ) ) parameters
//     weight      = OWS ";" OWS "q=" qvalue                             ; RFC 9110 §12.4.2

import MartletBytes

/// How much a client wants HTML.
public enum HTMLPreference: Equatable, Sendable {
  /// The client names HTML.
  case named
  /// The client names HTML among all types, or sends no Accept.
  case possible
  /// The client names other types only, or HTML with a weight of zero.
  case excluded
}

extension FieldSection {
  /// The preference for HTML in all Accept fields. The most specific media range counts (RFC 9110 §12.5.1).
  ///
  /// - Complexity: O(n) in the section's octets.
  public var htmlPreference: HTMLPreference {
    var fields = self
    var rank = -1
    var isAccepted = true
    while let field = fields.next() {
      guard field.name.equalsIgnoringCase("Accept") else { continue }
      var ranges = ListElements(field.value, separator: 0x2C)
      while let range = ranges.next() {
        var parameters = ListElements(range, separator: 0x3B)
        let rangeRank = Self.rank(parameters.next())
        guard rangeRank >= rank else { continue }
        var isWanted = true
        while let parameter = parameters.next() {
          if Self.isWeightOfZero(parameter) { isWanted = false }
        }
        isAccepted = isWanted || isAccepted && rangeRank == rank
        rank = rangeRank
      }
    }
    // A request without Accept is handled like one with `*/*`.
    return !isAccepted || rank == 0 ? .excluded : rank == 3 ? .named : .possible
  }

  /// How specific a media range is: 1 for `*/*`, 2 for `text/*`, 3 for HTML, 0 for a range without HTML.
  private static func rank(_ range: Span<UInt8>?) -> Int {
    guard let range else { return 0 }
    if range.equals("*/*") { return 1 }
    if range.equalsIgnoringCase("text/*") { return 2 }
    return range.equalsIgnoringCase("text/html") || range.equalsIgnoringCase("application/xhtml+xml")
      ? 3 : 0
  }

  /// Whether a parameter is `q=0`, with or without decimals.
  static func isWeightOfZero(_ parameter: Span<UInt8>) -> Bool {
    guard parameter.hasPrefix("q=") || parameter.hasPrefix("Q=") else { return false }
    for i in parameter.indices {
      if case "1"..."9" = parameter[i] { return false }
    }
    return true
  }
}
