// Compares entity tags, and finds a tag in a list (If-Match, If-None-Match).
//
//     entity-tag = [ weak ] opaque-tag                                  ; RFC 9110 §8.8.3
//     weak       = %s"W/"
//     opaque-tag = DQUOTE *etagc DQUOTE
//     etagc      = %x21 / %x23-7E / obs-text                            ; a comma may be in a tag

import MartletBytes

/// How two entity tags are compared (RFC 9110 §8.8.3.2).
public enum TagComparison: Sendable {
  /// Both tags are strong, and their opaque tags are equal.
  case strong
  /// The opaque tags are equal.
  case weak
}

/// Entity tags.
public enum EntityTag {
  /// Whether two tags are equal. A text that is no tag equals nothing.
  public static func equals(_ tag: Span<UInt8>, _ other: Span<UInt8>, _ comparison: TagComparison) -> Bool {
    guard tag.count > 0, size(tag) == tag.count, size(other) == other.count else { return false }
    return areEqual(tag, other, comparison)
  }

  /// Whether a field value is `*`, or a list that has the tag. What follows a malformed part is not read.
  ///
  /// - Parameter tag: A tag.
  /// - Complexity: O(n) in the value's octets.
  public static func list(
    _ value: Span<UInt8>, contains tag: Span<UInt8>, _ comparison: TagComparison
  ) -> Bool {
    if value.equals("*") { return true }
    var rest = value
    while rest.count > 0 {
      if rest[0] == "," || ASCII.isBlank(rest[0]) {
        rest = rest.extracting(1..<rest.count)
        continue
      }
      let count = size(rest)
      let next = rest.extracting(count..<rest.count)
      guard count > 0, next.count == 0 || next[0] == "," || ASCII.isBlank(next[0]) else { return false }
      if areEqual(tag, rest.extracting(first: count), comparison) { return true }
      rest = next
    }
    return false
  }

  /// Octets of the tag that `octets` begin with; 0 where they begin with none.
  @inline(never)
  private static func size(_ octets: Span<UInt8>) -> Int {
    let start = octets.hasPrefix("W/") ? 2 : 0
    guard start < octets.count, octets[start] == "\"" else { return 0 }
    var i = start + 1
    while i < octets.count {
      if octets[i] == "\"" { return i + 1 }
      guard octets[i] > 0x20, octets[i] != 0x7F else { return 0 }
      i &+= 1
    }
    return 0
  }

  private static func areEqual(
    _ tag: Span<UInt8>, _ other: Span<UInt8>, _ comparison: TagComparison
  ) -> Bool {
    let (isWeak, otherIsWeak) = (tag.hasPrefix("W/"), other.hasPrefix("W/"))
    if comparison == .strong, isWeak || otherIsWeak { return false }
    return tag.extracting((isWeak ? 2 : 0)..<tag.count)
      .equals(other.extracting((otherIsWeak ? 2 : 0)..<other.count))
  }
}
