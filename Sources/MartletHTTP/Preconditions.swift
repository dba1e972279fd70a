// Decides from a request's fields whether the client has the representation already, and which part of it the
// client wants. The order is that of RFC 9110 §13.2.2:
//
//     If-Match ── else If-Unmodified-Since ──► 412, where the condition is false
//     If-None-Match ── else If-Modified-Since ──► 304 (or 412 for an unsafe method)
//     Range with If-Range ──► 206, 416, or the whole
//
// A date that is malformed, or that stands twice, is ignored.

import MartletBytes

/// The validators of a representation (RFC 9110 §8.8): what tells one version from another.
public struct Validators: ~Escapable {
  /// The entity tag with its quotation marks; empty where there is none.
  public let tag: Span<UInt8>
  /// Unix seconds of the last change; `nil` where they are not known.
  public let lastModified: Int64?

  @_lifetime(copy tag)
  public init(tag: Span<UInt8>, lastModified: Int64?) {
    self.tag = tag
    self.lastModified = lastModified
  }
}

/// What the conditions of a request come to.
public enum Precondition: Equatable, Sendable {
  /// The request is answered as if it had no conditions.
  case proceed
  /// The client's copy is current: 304.
  case notModified
  /// A condition is false: 412.
  case failed
}

extension FieldSection {
  /// Evaluates the conditions of a request for a representation that exists.
  ///
  /// - Parameters:
  ///   - method: The method of the request.
  ///   - validators: The validators of the representation that would be sent.
  ///   - now: Unix seconds of this moment, for years of two digits.
  /// - Complexity: O(n) in the section's octets.
  public func precondition(
    _ method: Method, _ validators: borrowing Validators, now: Int64
  ) -> Precondition {
    let reads = method == .get || method == .head
    if let matches = tagMatch("If-Match", validators.tag, .strong) {
      if !matches { return .failed }
    } else if let date = date(of: "If-Unmodified-Since", now: now), let last = validators.lastModified,
      last > date
    {
      return .failed
    }
    if let matches = tagMatch("If-None-Match", validators.tag, .weak) {
      return !matches ? .proceed : reads ? .notModified : .failed
    }
    if reads, let date = date(of: "If-Modified-Since", now: now), let last = validators.lastModified,
      last <= date
    {
      return .notModified
    }
    return .proceed
  }

  /// The octets of the representation that the client wants. Only GET has ranges (RFC 9110 §14.2).
  ///
  /// - Parameters:
  ///   - method: The method of the request.
  ///   - size: Octets of the representation.
  ///   - validators: The validators of the representation. A date in If-Range counts only when the last change
  ///     is a second ago or more, because two changes may have come within one second.
  ///   - now: Unix seconds of this moment.
  /// - Complexity: O(n) in the section's octets.
  public func ranges(
    _ method: Method, size: Int64, _ validators: borrowing Validators, now: Int64
  ) -> RequestedRanges {
    guard method == .get, count(of: "Range") == 1, let range = value(of: "Range") else { return .whole }
    if let validator = value(of: "If-Range") {
      guard count(of: "If-Range") == 1 else { return .whole }
      let isDate = validator.count > 0 && validator[0] != "\"" && !validator.hasPrefix("W/")
      let isCurrent: Bool
      if isDate {
        let last = validators.lastModified
        isCurrent = last != nil && HTTPDate.parse(validator, now: now) == last && (last ?? now) < now
      } else {
        isCurrent = EntityTag.equals(validators.tag, validator, .strong)
      }
      guard isCurrent else { return .whole }
    }
    return RequestedRanges.parse(range, size: size)
  }

  /// Whether a list of tags has the tag; `nil` where no field has the name. The field may stand on several
  /// lines.
  private func tagMatch(_ name: StaticString, _ tag: Span<UInt8>, _ comparison: TagComparison) -> Bool? {
    var fields = self
    var result: Bool?
    while let field = fields.next() {
      guard field.name.equalsIgnoringCase(name) else { continue }
      result = (result ?? false) || EntityTag.list(field.value, contains: tag, comparison)
    }
    return result
  }

  private func date(of name: StaticString, now: Int64) -> Int64? {
    guard count(of: name) == 1, let value = value(of: name) else { return nil }
    return HTTPDate.parse(value, now: now)
  }
}
