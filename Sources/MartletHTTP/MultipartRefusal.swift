// The reasons why a form in parts is refused: a status, and a sentence for the person who reads the answer.

/// The reason why a form in parts is refused.
public enum MultipartRefusal: UInt8, Error, Equatable, Sendable {
  /// The media type is not multipart/form-data.
  case mediaTypeUnknown
  /// The boundary is missing, repeated, empty, beyond `Limits.partBoundarySizeMax`, ends with a blank, or
  /// has an octet that a boundary may not have (RFC 2046 §5.1.1).
  case boundaryMalformed
  /// Behind a boundary and a blank stands something other than the end of the line.
  case delimiterMalformed
  /// Octets that belong to no part are beyond `Limits.partMarginSizeMax`.
  case marginTooLarge
  /// Text stands before the last boundary, and no part does. The boundary is most likely a wrong one.
  case partMissing
  /// A form has more parts than `Limits.partCountMax`.
  case tooManyParts
  /// A field line of a part is malformed.
  case headMalformed
  /// The field lines of a part are beyond `Limits.partHeadSizeMax`.
  case headTooLarge
  /// The Content-Disposition of a part is missing, repeated, or not `form-data` with one name.
  case dispositionMalformed
  /// A part has a Content-Transfer-Encoding such as base64, which RFC 7578 §4.7 gives up.
  case transferEncodingUnknown
  /// The content has ended before the last boundary.
  case truncated
  /// The form has more octets than there is room for.
  case tooLarge

  /// The status of the answer.
  public var status: Status {
    switch self {
    case .mediaTypeUnknown, .transferEncodingUnknown: .unsupportedMediaType
    case .marginTooLarge, .tooManyParts, .headTooLarge, .tooLarge: .contentTooLarge
    case .boundaryMalformed, .delimiterMalformed, .partMissing, .headMalformed, .dispositionMalformed,
      .truncated:
      .badRequest
    }
  }

  /// The reason in words for a person. The words repeat nothing of the request.
  public var reason: StaticString {
    switch self {
    case .mediaTypeUnknown: "This page takes forms of the type multipart/form-data only."
    case .boundaryMalformed: "The boundary of the form is malformed."
    case .delimiterMalformed: "A line with the boundary of the form is malformed."
    case .marginTooLarge: "The form has too much around its parts."
    case .partMissing: "The boundary is not that of the form."
    case .tooManyParts: "The form has too many parts."
    case .headMalformed: "A header of a part of the form is malformed."
    case .headTooLarge: "The headers of a part of the form are too long."
    case .dispositionMalformed: "A part of the form has no name, or more than one name."
    case .transferEncodingUnknown: "A part of the form has a transfer encoding."
    case .truncated: "The form has no end."
    case .tooLarge: "The form is too large."
    }
  }
}
