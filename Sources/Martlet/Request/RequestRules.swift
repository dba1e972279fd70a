// Whether a page may be asked: which site caused the request, and which content the request brings.

import MartletBytes
import MartletHTTP
import MartletServer

extension IncomingRequest {
  /// The status and the reason of a request that is refused before its page is asked; `nil` where the page
  /// may be asked.
  ///
  /// Each request that may change something must come from this site, whatever its content, unless the page
  /// admits the request (`CrossOriginApplication`).
  ///
  /// - Parameters:
  ///   - scheme: The scheme by which the browser has come.
  ///   - isAdmitted: Whether the page admits the request from another site.
  ///   - isFormData: Whether the content is a form in parts, for a page that takes such forms.
  func refusal(
    _ match: borrowing RouteMatch, _ scheme: Approach.Scheme, isAdmitted: Bool, isFormData: Bool = false
  ) -> (status: Status, reason: StaticString)? {
    if !isAdmitted, !head.method.isSafe, let reason = crossOriginRefusal(scheme) {
      return (.forbidden, reason)
    }
    guard content.count > 0 else { return nil }
    if content.count > Int(match.contentSizeMax) {
      return (.contentTooLarge, "The content has more octets than this page takes.")
    }
    return isFormData ? nil : mediaTypeRefusal(match.content)
  }

  /// The value of Content-Type; empty where the request has none.
  var mediaType: Span<UInt8> {
    @_lifetime(copy self)
    get {
      let value = head.fields(in: octets).value(of: "Content-Type")
      guard let value else { return octets.extracting(0..<0) }
      return value
    }
  }

  /// Whether the content is a form in parts.
  var isFormData: Bool {
    let mediaType = mediaType
    let type: StaticString = "multipart/form-data"
    let size = type.utf8CodeUnitCount
    return mediaType.count >= size && mediaType.extracting(first: size).equalsIgnoringCase(type)
  }

  @inline(never)
  private func mediaTypeRefusal(_ wanted: RequestContent) -> (status: Status, reason: StaticString)? {
    let mediaType = head.fields(in: octets).value(of: "Content-Type")
    guard let mediaType else {
      // curl and old programs send a form without Content-Type.
      let isFree = wanted == .form || wanted == .any || wanted == .upload
      return isFree ? nil : (.unsupportedMediaType, "This page asks for content that names its type.")
    }
    let end = mediaType.firstIndex(of: 0x3B) ?? mediaType.count
    let essence = mediaType.extracting(mediaType.trimmed(0..<end))
    switch wanted {
    case .any, .upload: return nil
    case .form:
      if essence.equalsIgnoringCase("application/x-www-form-urlencoded") { return nil }
      return (
        .unsupportedMediaType,
        """
        This page takes forms of the type application/x-www-form-urlencoded only. curl sends such a form \
        with -d or --data-urlencode, and another one with -F.
        """
      )
    case .json:
      // A proxy may have joined two lines with a comma: `text/plain, application/a+json` names no one type.
      let isOne = essence.firstIndex(of: 0x2C) == nil
      let suffix = essence.extracting(max(0, essence.count - 5)..<essence.count)
      let isJSON = essence.equalsIgnoringCase("application/json") || suffix.equalsIgnoringCase("+json")
      if isOne && isJSON { return nil }
      return (.unsupportedMediaType, "This page takes JSON only: Content-Type: application/json.")
    case .text:
      if essence.equalsIgnoringCase("text/plain") { return nil }
      return (.unsupportedMediaType, "This page takes plain text only: Content-Type: text/plain.")
    }
  }
}
