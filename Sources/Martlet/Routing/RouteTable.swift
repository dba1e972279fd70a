// Method and path → page. The table is the application's `route(to:)`, called for each page in order.

import MartletBytes
import MartletHTTP

/// What a method and a path lead to.
enum Destination<Page> {
  case page(Page, RouteMatch)
  /// A page has the path, but none of its methods is the request's. The flag says whether all pages of the
  /// path are for programs.
  case otherMethods(Methods, areForPrograms: Bool)
  case nowhere
}

/// What is known of a request once its page has been found.
struct RouteMatch: Sendable {
  /// Who may enter, by the rule of the route and by the rule of its mount.
  let access: Access
  let content: RequestContent
  let contentSizeMax: Int32
  let isForPrograms: Bool
  /// Whether the page belongs to a part, and the number of the part's page; -1 where the part has no such
  /// page.
  let isInPart: Bool
  let partPage: Int16
  /// Octets of the path that belong to the mount.
  let mountSize: UInt16
  /// The pattern, and the values of its parameters as ranges of the path below the mount.
  let pattern: StaticString
  let parameters: PathMatch

  /// The match of a request that no page answers.
  static var none: RouteMatch { RouteMatch(.get("", for: .everyone), PathMatch()) }

  init(
    _ route: Route, _ parameters: PathMatch, outer: Access? = nil, partPage: Int = -1, mountSize: Int = 0,
    isForPrograms: Bool = false
  ) {
    access = outer.map { route.access.within($0) } ?? route.access
    content = route.content
    contentSizeMax = route.contentSizeMax
    self.isForPrograms = route.isMeantForPrograms || isForPrograms
    isInPart = outer != nil || route.isMount
    self.partPage = Int16(partPage)
    self.mountSize = UInt16(mountSize)
    pattern = route.path
    self.parameters = parameters
  }
}

/// The largest number of pages of an application, and of a part.
private var pageCountMax: Int { Int(UInt8.max) + 1 }

extension Application where Self: ~Copyable {
  /// The route of the page with that number; `nil` after the last page.
  static func route(number: Int) -> Route? {
    guard number < pageCountMax, let page = Page(rawValue: UInt8(number)) else { return nil }
    return route(to: page)
  }

  /// Whether a page answers GET at that path.
  static func isAnsweredByGET(_ path: Span<UInt8>) -> Bool { isAnswered(.get, path) }

  /// Whether a page answers the method at that path.
  static func isAnswered(_ method: Method, _ path: Span<UInt8>) -> Bool {
    if case .page(_, let match) = destination(method, path) { return !match.isInPart || match.partPage >= 0 }
    return false
  }

  /// Finds the page of a request. The first page counts whose pattern matches the path and whose methods
  /// include the request's.
  ///
  /// - Parameter path: The path as it was received, percent-encoded.
  static func destination(_ method: Method, _ path: Span<UInt8>) -> Destination<Page> {
    var others = Methods.none
    var areForPrograms = true
    var number = 0
    while number < pageCountMax, let page = Page(rawValue: UInt8(number)) {
      let route = route(to: page)
      number &+= 1
      if _hasMounts, route.isMount {
        guard let size = Mount.size(of: route.path, in: path) else { continue }
        switch find(page, route, size, method, path) {
        case .otherMethods(let methods, let isForPrograms):
          others = others.union(methods)
          areForPrograms = areForPrograms && isForPrograms
        case .nowhere:
          // Whatever the request brings, the part says that it has no such page.
          return .page(
            page,
            RouteMatch(route.taking(.any), PathMatch(), mountSize: size, isForPrograms: isForPrograms))
        case let found: return found
        }
      } else if let parameters = match(route.path, path) {
        if route.methods.contains(method) {
          return .page(page, RouteMatch(route, parameters, isForPrograms: isForPrograms))
        }
        others = others.union(route.methods)
        areForPrograms = areForPrograms && route.isMeantForPrograms
      }
    }
    return others.isEmpty ? .nowhere : .otherMethods(others, areForPrograms: areForPrograms)
  }

  /// Finds the page of a mounted part.
  ///
  /// - Parameter size: Octets of the path that belong to the mount.
  @inline(never)
  private static func find(
    _ page: Page, _ mount: Route, _ size: Int, _ method: Method, _ path: Span<UInt8>
  ) -> Destination<Page> {
    // With a slash at its end, the path is another spelling of the mount's path.
    guard path.count != size + 1 else { return .nowhere }
    let slash: StaticString = "/"
    let rest = size == path.count ? slash.octets : path.extracting(size..<path.count)
    var others = Methods.none
    var areForPrograms = true
    var number = 0
    while number < pageCountMax, let route = _route(number: UInt8(number), of: page) {
      if let parameters = match(route.path, rest) {
        if route.methods.contains(method) {
          return .page(
            page,
            RouteMatch(
              route, parameters, outer: mount.access, partPage: number, mountSize: size,
              isForPrograms: isForPrograms))
        }
        others = others.union(route.methods)
        areForPrograms = areForPrograms && route.isMeantForPrograms
      }
      number &+= 1
    }
    return others.isEmpty ? .nowhere : .otherMethods(others, areForPrograms: areForPrograms)
  }

  private static func match(_ pattern: StaticString, _ path: Span<UInt8>) -> PathMatch? {
    PathPattern(pattern).match(path) { type, value in
      accepts(value, ofType: type)
    }
  }
}

private enum Mount {
  /// Octets of a path that belong to the mount; `nil` where the path is not below the mount.
  static func size(of mount: StaticString, in path: Span<UInt8>) -> Int? {
    let mount = mount.octets
    var decoder = PercentDecoder(path, plusIsSpace: false)
    for i in mount.indices {
      guard let octet = decoder.next(), octet == mount[i] else { return nil }
    }
    let size = decoder.index
    return size == path.count || path[size] == "/" ? size : nil
  }
}

// MARK: At the start

/// What is wrong with a table of pages.
struct RouteFault: Error {
  /// The number of the page. For a fault in a mounted part, `mount` is the number of the page that mounts the
  /// part.
  let page: Int
  let mount: Int?
  let path: StaticString
  /// The kind of fault.
  let reason: Reason

  enum Reason {
    case pattern(PathPatternFault)
    /// The pattern of an earlier page matches every path of this page, and both have a method in common.
    case unreachable(behind: Int)
    /// A mount has parameters, ends with a slash, or contains another mount.
    case mountMalformed
    /// The raw values of the pages are not 0, 1, 2 …
    case numbersSkip
    /// The page needs a protocol that the application does not conform to.
    case capabilityMissing(StaticString)
  }
}

extension Application where Self: ~Copyable {
  /// Checks the table of pages at the start of the program.
  ///
  /// - Throws: The first fault. A program with a fault does not start.
  /// - Complexity: O(n²) in the number of pages.
  @inline(never)
  static func checkRoutes() throws(RouteFault) {
    try RouteCheck.check(mount: nil, { route(number: Int($0)) }, isType: { isType($0) })
    for beyond in 0..<pageCountMax where Page(rawValue: UInt8(beyond)) != nil {
      guard beyond == 0 || Page(rawValue: UInt8(beyond - 1)) != nil else {
        throw RouteFault(page: beyond, mount: nil, path: "", reason: .numbersSkip)
      }
    }
    var number = 0
    while let route = route(number: number) {
      if let missing = missingCapability(route) {
        throw RouteFault(page: number, mount: nil, path: route.path, reason: .capabilityMissing(missing))
      }
      if _hasMounts, route.isMount, let page = Page(rawValue: UInt8(number)) {
        guard PathPattern(route.path).isLiteral, route.path.octets.count > 1,
          route.path.octets[route.path.octets.count - 1] != "/"
        else { throw RouteFault(page: number, mount: nil, path: route.path, reason: .mountMalformed) }
        try RouteCheck.check(mount: number, { _route(number: $0, of: page) }, isType: { isType($0) })
        var partNumber = 0
        while partNumber < pageCountMax, let route = _route(number: UInt8(partNumber), of: page) {
          if let missing = missingCapability(route) {
            throw RouteFault(
              page: partNumber, mount: number, path: route.path, reason: .capabilityMissing(missing))
          }
          partNumber += 1
        }
      }
      number += 1
    }
  }

  /// The protocol that the route needs and the application does not conform to.
  private static func missingCapability(_ route: Route) -> StaticString? {
    if route.content == .upload, !_hasUploads { return "UploadApplication" }
    if route.access.needsLogin, User._isNobody || !_hasSessions && !_hasCredentials {
      return "SessionApplication or CredentialsApplication with users"
    }
    return route.isMount && !_hasMounts ? "MountingApplication" : nil
  }
}

private enum RouteCheck {
  @inline(never)
  static func check(
    mount: Int?, _ route: (UInt8) -> Route?, isType: (Span<UInt8>) -> Bool
  ) throws(RouteFault) {
    var number = 0
    while number < pageCountMax, let current = route(UInt8(number)) {
      let pattern = PathPattern(current.path)
      func fault(_ reason: RouteFault.Reason) -> RouteFault {
        RouteFault(page: number, mount: mount, path: current.path, reason: reason)
      }
      if let reason = pattern.check(isOwnType: isType) { throw fault(.pattern(reason)) }
      if mount != nil, current.isMount { throw fault(.mountMalformed) }
      for earlier in 0..<number {
        guard let other = route(UInt8(earlier)), other.methods.intersects(current.methods) else { continue }
        let isHidden =
          !other.isMount
          ? PathPattern.shadows(PathPattern(other.path), pattern)
          : Mount.size(of: other.path, in: current.path.octets) != nil
        if isHidden { throw fault(.unreachable(behind: earlier)) }
      }
      number += 1
    }
  }
}

extension RouteFault {
  /// Prints the fault and ends the program with status 1.
  @inline(never)
  func fail(_ program: StaticString) -> Never {
    var message = Message(program)
    message.add(": page ")
    if let mount {
      message.add(mount)
      message.add(".")
    }
    message.add(page)
    if path.utf8CodeUnitCount > 0 {
      message.add(" (")
      message.add(path)
      message.add(")")
    }
    switch reason {
    case .pattern(let fault):
      message.add(" has a path that is none: ")
      message.add(fault.words)
    case .unreachable(let other):
      message.add(" is never reached, because page ")
      message.add(other)
      message.add(" has all of its paths; put the narrower path first")
    case .mountMalformed:
      message.add(" mounts a part: its path has no parameters and no slash at its end, and is in no part")
    case .numbersSkip:
      message.add(" has a number that skips; pages count 0, 1, 2 …")
    case .capabilityMissing(let name):
      message.add(" needs an application that is a ")
      message.add(name)
    }
    message.add(".")
    message.fail()
  }
}
