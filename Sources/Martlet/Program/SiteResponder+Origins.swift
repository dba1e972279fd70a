// Requests of other origins → whether a page admits them, and the answer to a preflight. The headers that let
// scripts read an answer (Fetch standard §3.2). Also the headers that depend on the page or on the scheme.

import MartletBytes
import MartletHTTP
import MartletServer
import MartletTLS

extension Application where Self: ~Copyable {
  /// Whether browsers that have come by https are told to come by https only.
  static var hasStrictTransport: Bool { strictTransportSecurity.utf8CodeUnitCount > 0 }

  /// Whether the first headers of an answer depend on the page or on the scheme.
  static var hasFirstFields: Bool { _hasSharing || _hasPolicies || hasStrictTransport }
}

extension SiteResponder where A: ~Copyable {
  /// Whether a page admits a request that changes something and that another site has caused. Notes in `approach`
  /// whether the request's cookies count.
  @inline(never)
  mutating func admits(_ request: borrowing IncomingRequest, _ page: A.Page) -> Bool {
    let method = request.head.method
    guard !method.isSafe, request.crossOriginRefusal(approach.scheme) != nil else { return false }
    let sharing = A._sharing(of: page)
    if !sharing.isExempt {
      guard let origin = request.head.fields(in: request.octets).value(of: "Origin"),
        sharing.allows(method, from: origin)
      else { return false }
    }
    approach.isForeign = !sharing.allowsCredentials
    return true
  }

  /// Writes the answer to a preflight, in which a browser asks whether a script may send a request. A preflight
  /// has no cookies, so the access of the page is not asked.
  ///
  /// - Returns: Whether the request is a preflight of an origin that may use the method. Every other OPTIONS is
  ///   answered as if no page were shared.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func answerPreflight(
    _ request: borrowing IncomingRequest, _ path: Span<UInt8>, _ fields: inout Writer
  ) -> Bool {
    let headers = request.head.fields(in: request.octets)
    guard let origin = headers.value(of: "Origin"),
      let name = headers.value(of: "Access-Control-Request-Method"), let method = Method.parse(name),
      case .page(let page, let match) = A.destination(method, path), !match.isInPart || match.partPage >= 0
    else { return false }
    let sharing = A._sharing(of: page)
    guard sharing.allows(method, from: origin) else { return false }
    outcome.page = page.rawValue
    writeFirstFields(request, page, &fields)
    fields.append("Access-Control-Allow-Methods: ")
    fields.append(method.name)
    fields.append("\r\n")
    if sharing.headers.utf8CodeUnitCount > 0 {
      fields.append(field: "Access-Control-Allow-Headers", value: sharing.headers)
    }
    if sharing.maxAgeSeconds > 0 {
      fields.append("Access-Control-Max-Age: ")
      fields.append(decimal: Int(sharing.maxAgeSeconds))
      fields.append("\r\n")
    }
    return true
  }

  /// Writes the headers that every answer begins with, in place of those that `reply` has written.
  ///
  /// - Parameter page: The page that the request is for; `nil` where none is known.
  @inline(never)
  @_lifetime(fields: copy fields)
  mutating func writeFirstFields(
    _ request: borrowing IncomingRequest, _ page: A.Page?, _ fields: inout Writer
  ) {
    fields.truncate(to: 0)
    if A._hasPolicies, let page {
      A._policy(of: page).write(A.headers, to: &fields)
    } else {
      fields.append(A.headers)
    }
    if A.hasStrictTransport, approach.scheme == .https, !isOwnAuthority {
      fields.append(field: "Strict-Transport-Security", value: A.strictTransportSecurity)
    }
    if A._hasSharing, let page { writeSharing(A._sharing(of: page), request, &fields) }
  }

  /// Whether the certificate is of the program's own authority. A browser that were told to come by https only could
  /// not come at all once that authority is made anew.
  private var isOwnAuthority: Bool {
    A._hasTLS && RequestChannel.current == .encrypted && CertificateStore.isOwnAuthority
  }

  /// Writes the headers that let a script of another origin read the answer.
  @inline(never)
  @_lifetime(fields: copy fields)
  private mutating func writeSharing(
    _ sharing: Sharing, _ request: borrowing IncomingRequest, _ fields: inout Writer
  ) {
    guard sharing.isShared else { return }
    // A script can read 401 and not where a redirection to the login leads.
    outcome.isForPrograms = true
    if sharing.isForAnyOrigin {
      fields.append("Access-Control-Allow-Origin: *\r\n")
    } else {
      // Also where the origin is not named: otherwise a cache would give that answer to an origin that is.
      fields.append("Vary: Origin\r\n")
      guard let origin = request.head.fields(in: request.octets).value(of: "Origin"), sharing.names(origin)
      else { return }
      fields.append("Access-Control-Allow-Origin: ")
      fields.append(origin)
      fields.append("\r\n")
      if sharing.allowsCredentials { fields.append("Access-Control-Allow-Credentials: true\r\n") }
    }
    if sharing.exposedHeaders.utf8CodeUnitCount > 0 {
      fields.append(field: "Access-Control-Expose-Headers", value: sharing.exposedHeaders)
    }
  }

  static var staleForm: StaticString {
    """
    This form is no longer valid, so nothing was changed: the session it was made in has ended, or the form is \
    of another site. Load the page with the form again, and send the form once more.
    """
  }
}
