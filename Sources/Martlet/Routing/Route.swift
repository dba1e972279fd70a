// What a page is reached by: a pattern of paths, the methods, the access, and the content that requests may
// bring. Access is part of the route: no route can be declared without it.

import MartletBytes
public import MartletHTTP

/// The content that a page's requests may bring. Another media type is refused with 415 before the page is
/// asked. A request without content is never refused for its media type.
public enum RequestContent: UInt8, Sendable {
  /// `application/x-www-form-urlencoded`, which a form sends; read with `request.form`. A request without
  /// Content-Type counts as a form.
  case form
  /// `application/json`, or any type that ends in `+json`; read with `request.json`.
  case json
  /// `text/plain`; read with `request.content`.
  case text
  /// Any media type, or none; read with `request.content`.
  case any
  /// Any media type; received piece by piece (`UploadApplication`).
  case upload
}

/// The pattern, the methods, the access and the content of one page.
///
///     case .items: .get("/items", for: .everyone)
///     case .item: .methods(.get.union(.put).union(.delete), "/items/<int:id>", for: .loggedIn).taking(.json)
///
/// A path is a pattern (`PathPattern`). A request's path is decoded, not normalized, and must match as a
/// whole. So all paths that match have one access rule. Another spelling is redirected to the path.
public struct Route: Sendable {
  let path: StaticString
  let methods: Methods
  let access: Access
  private(set) var content = RequestContent.form
  /// The largest content in octets.
  private(set) var contentSizeMax = Int32.max
  /// Whether programs read the page rather than people.
  private(set) var isForPrograms = false
  /// Whether the route says so (`forPrograms`), or takes JSON.
  var isMeantForPrograms: Bool { isForPrograms || content == .json }
  /// Whether a part is mounted at the path.
  private(set) var isMount = false

  private init(_ path: StaticString, _ methods: Methods, _ access: Access) {
    self.path = path
    self.methods = methods
    self.access = access
  }

  /// A page that answers the methods of that set.
  public static func methods(_ methods: Methods, _ path: StaticString, for access: Access) -> Route {
    Route(path, methods, access)
  }

  /// A page that shows something. Each page that answers GET answers HEAD as well.
  public static func get(_ path: StaticString, for access: Access) -> Route { Route(path, .get, access) }

  /// A page that changes something.
  public static func post(_ path: StaticString, for access: Access) -> Route { Route(path, .post, access) }

  /// A form, and the page that the form is sent to, at one path.
  public static func getAndPost(_ path: StaticString, for access: Access) -> Route {
    Route(path, .getAndPost, access)
  }

  /// A page that sets what lies at the path.
  public static func put(_ path: StaticString, for access: Access) -> Route { Route(path, .put, access) }

  /// A page that changes a part of what lies at the path.
  public static func patch(_ path: StaticString, for access: Access) -> Route { Route(path, .patch, access) }

  /// A page that removes what lies at the path.
  public static func delete(_ path: StaticString, for access: Access) -> Route {
    Route(path, .delete, access)
  }

  /// A page that receives content of any length piece by piece (POST). The page is asked after the head of
  /// the request, and answers with `response.receive`.
  public static func upload(_ path: StaticString, for access: Access) -> Route {
    Route(path, .post, access).taking(.upload)
  }

  /// Sets which content the page's requests may bring, and how much.
  ///
  /// - Parameters:
  ///   - content: The kind of content.
  ///   - sizeMax: Octets; a request with more is refused with 413. A page gets at most
  ///     `Limits.requestContentSizeMax` octets. An upload has no such bound: its page sets a bound of its
  ///     own.
  public consuming func taking(_ content: RequestContent, atMost sizeMax: Int = .max) -> Route {
    self.content = content
    contentSizeMax = Int32(clamping: sizeMax)
    return self
  }

  /// Declares that programs read the page, for example figures that a monitoring system collects.
  ///
  ///     case .metrics: .get("/metrics", for: .loggedIn).forPrograms()
  ///
  /// A client without access then gets 401 and `WWW-Authenticate` instead of the login page. A client whose
  /// Accept names text/html, as a browser's does, still gets the login page. Without this call, 401 is sent
  /// only where Accept excludes HTML; curl's `*/*` does not exclude it.
  public consuming func forPrograms() -> Route {
    isForPrograms = true
    return self
  }

  /// Mounts all pages of a part below a path (`MountingApplication`).
  ///
  ///     case .shop: .mount("/shop", for: .loggedIn)
  ///
  /// The part's page `/` is at the path itself. A visitor must pass `access` and the access of the part's
  /// page, so that a part cannot loosen the rule of its mount. The application's page then passes the request
  /// to the part (`Part`).
  ///
  /// - Parameters:
  ///   - path: A path without parameters, and without a slash at the end.
  ///   - access: The access that each page of the part needs.
  public static func mount(_ path: StaticString, for access: Access) -> Route {
    var route = Route(path, .all, access)
    route.isMount = true
    return route
  }
}

/// A part of a site in a module of its own: its pages, and where each is reached below the mount.
///
///     struct Shop: Part {
///       enum Page: UInt8 { case list, item }
///
///       static func route(to page: Page) -> Route {
///         switch page {
///         case .list: .get("/", for: .everyone)
///         case .item: .get("/<int:id>", for: .everyone)
///         }
///       }
///
///       func respond<Site: Application & ~Copyable>(
///         _ request: borrowing Request<Site>, _ response: consuming Response<Site>
///       ) -> Answer {
///         guard let page = request.page(of: Shop.self) else {
///           return response.refuse(.notFound, "The shop has no such page.")
///         }
///         switch page { … }
///       }
///     }
///
/// The application's page calls `shop.respond(request, response)`. Code of the part before and after its own
/// `switch` serves as the part's hooks. Where the path leads to no page of the part, the part's answer is its
/// error page. A part that needs a capability of the application declares it:
/// `where Site: SessionApplication`.
public protocol Part: ~Copyable {
  /// The part's pages, with the raw values 0, 1, 2 …
  associatedtype Page: RawRepresentable where Page.RawValue == UInt8

  /// The route of a page, with a path below the mount.
  static func route(to page: Page) -> Route
}

extension Part where Self: ~Copyable {
  /// The route of the part's page with that number; `nil` after the last page.
  public static func route(number: UInt8) -> Route? { Page(rawValue: number).map { route(to: $0) } }
}
