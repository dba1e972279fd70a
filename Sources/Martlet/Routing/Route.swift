// Method and path → page, and who may enter. Access is part of the route: there is no way to declare
// one without it. Paths are compared whole; nothing in them is normalized, so no two spellings of a
// path differ in who may enter. Who asks for another spelling is sent to the path (PlainPath.swift).

import MartletBytes
import MartletHTTP

/// Who may enter a page.
public struct Access: Equatable, Sendable {
  enum Rule: Equatable, Sendable {
    case everyone, loggedIn
    case freshLogin(withinSeconds: Int64?)
  }

  let rule: Rule

  /// Everyone.
  public static var everyone: Access { Access(rule: .everyone) }

  /// Whoever is logged in; others are sent to the login page.
  public static var loggedIn: Access { Access(rule: .loggedIn) }

  /// Whoever has entered the password in this session: not one restored by "remember me".
  public static var freshLogin: Access { Access(rule: .freshLogin(withinSeconds: nil)) }

  /// Whoever has entered the password within that time.
  public static func freshLogin(within duration: Duration) -> Access {
    Access(rule: .freshLogin(withinSeconds: duration.components.seconds))
  }

  var needsLogin: Bool { rule != .everyone }
}

extension Duration {
  /// That many minutes.
  public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
}

/// Where a page is reached, and by whom.
public struct Route: Sendable {
  let path: StaticString
  let methods: MethodSet
  let access: Access
  /// Whether the content of its requests is taken in pieces.
  var takesPieces = false
  /// Whether programs read it rather than people.
  private(set) var isForPrograms = false

  /// A page to look at. HEAD works wherever GET does.
  public static func get(_ path: StaticString, for access: Access) -> Route {
    Route(path: path, methods: .get, access: access)
  }

  /// A page that changes something.
  public static func post(_ path: StaticString, for access: Access) -> Route {
    Route(path: path, methods: .post, access: access)
  }

  /// A form and what it is sent to, at one path.
  public static func getAndPost(_ path: StaticString, for access: Access) -> Route {
    Route(path: path, methods: .getAndPost, access: access)
  }
}

extension Route {
  /// The same page, for programs: for example figures that a monitoring system collects.
  ///
  ///     case .metrics: .get("/metrics", for: .loggedIn).forPrograms()
  ///
  /// Who may not enter is answered with 401 and `WWW-Authenticate` instead of being sent to the login
  /// page, unless Accept names text/html, as that of a browser does. Any other page does so only where
  /// Accept excludes HTML: curl's `*/*` does not.
  public consuming func forPrograms() -> Route {
    isForPrograms = true
    return self
  }

  /// A page that takes a content of any length, piece by piece (POST): it is asked when the head is
  /// there, and answers with `response.take`.
  public static func upload(_ path: StaticString, for access: Access) -> Route {
    Route(path: path, methods: .post, access: access, takesPieces: true)
  }
}

/// The methods that a path answers to.
struct MethodSet: Sendable {
  let rawValue: UInt8

  func contains(_ other: MethodSet) -> Bool { rawValue & other.rawValue != 0 }

  var isEmpty: Bool { rawValue == 0 }

  static var get: MethodSet { MethodSet(rawValue: 1) }
  static var post: MethodSet { MethodSet(rawValue: 2) }
  static var getAndPost: MethodSet { MethodSet(rawValue: 3) }

  func allows(_ method: Method) -> Bool {
    switch method {
    case .get, .head: contains(.get)
    case .post: contains(.post)
    default: false
    }
  }

  /// The value of an Allow field (RFC 9110 §10.2.1).
  var allow: StaticString {
    contains(.get)
      ? contains(.post) ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS" : "OPTIONS, POST"
  }
}

/// What a method and a path lead to.
enum Destination<Page> {
  case page(Page, Access, takesPieces: Bool)
  /// The path is known, the method is not for it.
  case otherMethods(MethodSet)
  case nowhere
}

extension Application where Self: ~Copyable {
  /// Whether GET is answered at that path.
  static func isAnsweredByGET(_ path: Span<UInt8>) -> Bool {
    if case .page = destination(.get, path) { return true }
    return false
  }

  /// Finds the page: the first whose path is `path` and whose methods include `method`.
  ///
  /// - Parameter path: As it was received; percent-encoded octets are compared decoded.
  static func destination(_ method: Method, _ path: Span<UInt8>) -> Destination<Page> {
    var others = MethodSet(rawValue: 0)
    var rawValue: UInt8 = 0
    // Pages are numbered without a gap, so the first number without a page ends the table.
    while let page = Page(rawValue: rawValue) {
      let route = route(to: page)
      if matches(path, route.path) {
        if route.methods.allows(method) {
          return .page(page, route.access, takesPieces: route.takesPieces)
        }
        others = MethodSet(rawValue: others.rawValue | route.methods.rawValue)
      }
      guard rawValue < .max else { break }
      rawValue += 1
    }
    return others.isEmpty ? .nowhere : .otherMethods(others)
  }

  private static func matches(_ path: Span<UInt8>, _ pattern: StaticString) -> Bool {
    let pattern = pattern.octets
    var decoder = PercentDecoder(path, plusIsSpace: false)
    var i = 0
    while let octet = decoder.next() {
      guard i < pattern.count, pattern[i] == octet else { return false }
      i &+= 1
    }
    return i == pattern.count
  }
}
