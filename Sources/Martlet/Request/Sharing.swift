// What other origins may do with a page (Fetch standard §3.2, "CORS protocol"). An origin is a scheme, a host and
// a port, as a browser writes it: lower case, without the scheme's default port. So origins are compared octet by
// octet (§3.2.5), and no other spelling of an origin counts.

import MartletBytes
public import MartletHTTP

/// What scripts and forms of other origins may do with a page (`CrossOriginApplication`).
///
/// `null`, the origin of a page without an address, may change nothing by any of these rules.
///
/// A request of another origin that changes something comes in as one without cookies. The session cookie, the
/// remember cookie and Basic count only where the rule says `credentials: true`. A token (Bearer) counts.
public struct Sharing: Sendable {
  private enum Kind { case none, anyOrigin, origins, exempt }

  private let kind: Kind
  /// Origins with blanks between.
  private let origins: StaticString
  let methods: Methods
  let allowsCredentials: Bool
  /// Request headers that a preflight allows, and response headers that scripts may read.
  let headers: StaticString
  let exposedHeaders: StaticString
  let maxAgeSeconds: Int32

  private init(
    _ kind: Kind, _ origins: StaticString = "", _ methods: Methods = .none, credentials: Bool = false,
    headers: StaticString = "", exposing exposedHeaders: StaticString = "", maxAgeSeconds: Int = 0
  ) {
    self.kind = kind
    self.origins = origins
    self.methods = methods
    allowsCredentials = credentials
    self.headers = headers
    self.exposedHeaders = exposedHeaders
    self.maxAgeSeconds = Int32(clamping: maxAgeSeconds)
  }

  /// Lets no other origin read the page, or change anything with it.
  public static var none: Sharing { Sharing(.none) }

  /// Lets scripts of all origins read the page, and change something if `methods` say so. Cookies and Basic
  /// never count.
  ///
  /// - Parameters:
  ///   - methods: The methods that scripts may use, of those that the page answers.
  ///   - headers: The request headers that scripts may set, with commas between. Browsers ask for
  ///     `Content-Type` where the content is JSON. `*` stands for all headers but `Authorization`.
  ///   - exposedHeaders: The response headers that scripts may read, with commas between. `Content-Type`
  ///     and a few others need not be named.
  ///   - maxAgeSeconds: How long a browser keeps the answer to a preflight: five seconds where this is 0.
  public static func anyOrigin(
    methods: Methods = .get, headers: StaticString = "", exposedHeaders: StaticString = "",
    maxAgeSeconds: Int = 0
  ) -> Sharing {
    Sharing(
      .anyOrigin, "", methods, headers: headers, exposing: exposedHeaders, maxAgeSeconds: maxAgeSeconds)
  }

  /// Lets scripts of these origins read the page, and change something if `methods` say so.
  ///
  ///     .origins("https://a.example https://b.example:8443", methods: .getAndPost)
  ///
  /// - Parameters:
  ///   - origins: Origins with blanks between: `scheme://host` or `scheme://host:port`, as browsers write them. A
  ///     program with anything else does not start: `*`, `null`, a slash at the end, an upper-case letter.
  ///   - credentials: Whether cookies and Basic count, so that scripts act for the visitor. Browsers add this
  ///     library's cookies only where the other origin is of the same site, as another port is.
  ///   - methods: The methods that scripts may use, of those that the page answers.
  ///   - headers: The request headers that scripts may set, with commas between.
  ///   - exposedHeaders: The response headers that scripts may read, with commas between.
  ///   - maxAgeSeconds: How long a browser keeps the answer to a preflight.
  public static func origins(
    _ origins: StaticString, credentials: Bool = false, methods: Methods = .get,
    headers: StaticString = "", exposedHeaders: StaticString = "", maxAgeSeconds: Int = 0
  ) -> Sharing {
    Sharing(
      .origins, origins, methods, credentials: credentials, headers: headers, exposing: exposedHeaders,
      maxAgeSeconds: maxAgeSeconds)
  }

  /// Lets forms of all sites be sent to the page, such as the form by which a payment service sends the visitor
  /// back. The page must check by itself who has written the content. Scripts of other origins read nothing.
  ///
  /// Programs need no such rule: they send neither Origin nor Sec-Fetch-Site. A program in which such a page needs
  /// a login by cookie does not start.
  public static var exemptFromOriginCheck: Sharing { Sharing(.exempt) }

  /// Whether scripts of all origins may read the page.
  var isForAnyOrigin: Bool { kind == .anyOrigin }

  /// Whether scripts of any other origin may read the page.
  var isShared: Bool { kind == .anyOrigin || kind == .origins }

  /// Whether forms of all sites may be sent to the page.
  var isExempt: Bool { kind == .exempt }

  /// Whether the rule names an origin.
  func names(_ origin: Span<UInt8>) -> Bool {
    if isForAnyOrigin { return !origin.equals("null") }
    var rest = ListElements(origins.octets, separator: 0x20)
    while let element = rest.next() { if element.equals(origin) { return true } }
    return false
  }

  /// Whether scripts of the origin may use the method.
  func allows(_ method: Method, from origin: Span<UInt8>) -> Bool {
    methods.contains(method) && names(origin)
  }
}

// MARK: At the start

extension Sharing {
  /// What is wrong with the rule for a page; `nil` where nothing is.
  ///
  /// - Parameter needsCookie: Whether a session cookie alone lets a visitor enter.
  func fault(_ methods: Methods, needsCookie: Bool) -> StaticString? {
    if needsCookie, isExempt {
      return "is exempt from the check of the origin, although it needs a login by cookie"
    }
    guard isShared else { return nil }
    if needsCookie, !allowsCredentials {
      return "is shared without credentials, although it needs a login by cookie"
    }
    if !self.methods.intersects(methods) { return "is shared for methods that it does not answer" }
    if !isForAnyOrigin, !areOrigins {
      return """
        is shared with an origin that is none; an origin is scheme://host or scheme://host:port, in lower \
        case and without the default port
        """
    }
    return headersFault
  }

  /// Whether `origins` has origins, and nothing else.
  private var areOrigins: Bool {
    var rest = ListElements(origins.octets, separator: 0x20)
    var isEmpty = true
    while let element = rest.next() {
      if !Self.isOrigin(element) { return false }
      isEmpty = false
    }
    return !isEmpty
  }

  private var headersFault: StaticString? {
    Self.areNames(headers, allowsCredentials) && Self.areNames(exposedHeaders, allowsCredentials)
      ? nil : "is shared with headers whose names are malformed, or with * beside credentials"
  }

  /// Whether a text is names of headers with commas between. With credentials, `*` means no more than a header
  /// of that name.
  private static func areNames(_ names: StaticString, _ allowsCredentials: Bool) -> Bool {
    var rest = ListElements(names.octets, separator: 0x2C)
    while let name = rest.next() {
      for i in name.indices where !ASCII.isTokenCharacter(name[i]) { return false }
      if allowsCredentials, name.equals("*") { return false }
    }
    return true
  }

  /// Whether an origin is as a browser writes it: a scheme and an authority in lower case.
  private static func isOrigin(_ octets: Span<UInt8>) -> Bool {
    let colon = octets.firstIndex(of: 0x3A) ?? octets.count
    let rest = octets.extracting(colon..<octets.count)
    guard colon > 0, rest.hasPrefix("://"), rest.count > 3, rest[rest.count - 1] != ":" else { return false }
    let authority = rest.extracting(3..<rest.count)
    for i in octets.indices {
      switch octets[i] {
      case "a"..."z", "0"..."9", ".", "-", "_", ":": continue
      case "+" where i < colon: continue
      case "/" where i == colon + 1 || i == colon + 2: continue
      case "[", "]": if i <= colon { return false }
      default: return false
      }
    }
    guard let parsed = Authority.parse(authority), !parsed.host.isEmpty else { return false }
    let scheme = octets.extracting(first: colon)
    // A browser leaves the default port out, so such an origin would never be named.
    if scheme.equals("http"), Self.ends(authority, with: ":80") { return false }
    if scheme.equals("https"), Self.ends(authority, with: ":443") { return false }
    return true
  }

  private static func ends(_ octets: Span<UInt8>, with end: StaticString) -> Bool {
    octets.extracting(max(0, octets.count - end.utf8CodeUnitCount)..<octets.count).equals(end)
  }
}

/// What is wrong with the rules of `CrossOriginApplication.sharing`.
struct SharingFault {
  let page: Int
  let path: StaticString
  /// What follows the path in the message.
  let reason: StaticString

  /// Prints the fault and ends the program with status 1.
  @inline(never)
  func fail(_ program: StaticString) -> Never {
    var message = Message(program)
    message.add(": page ")
    message.add(page)
    message.add(" (")
    message.add(path)
    message.add(") ")
    message.add(reason)
    message.add(".")
    message.fail()
  }
}

extension Application where Self: ~Copyable {
  /// Checks the rules of all pages at the start of the program.
  @inline(never)
  static func sharingFault() -> SharingFault? {
    var number = 0
    while let route = route(number: number), let page = Page(rawValue: UInt8(number)) {
      let needsCookie = route.access.needsLogin && !_hasCredentials
      if let reason = _sharing(of: page).fault(route.methods, needsCookie: needsCookie) {
        return SharingFault(page: number, path: route.path, reason: reason)
      }
      number += 1
    }
    return nil
  }
}
