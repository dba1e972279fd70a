// What a page is reached by: a pattern of paths, methods, who may enter, and the content that requests may
// bring. Access is part of the route: no route can be declared without it.

import MartletBytes
public import MartletHTTP

/// The content that a page's requests may bring. Another media type is refused with 415 before the page is
/// asked. A request without content has none of these and is always handed over.
public enum RequestContent: UInt8, Sendable {
  /// `application/x-www-form-urlencoded`, what a form sends; `request.form`. A request that names no type
  /// counts as one.
  case form
  /// `application/json`, or any type that ends in `+json`; `request.json`.
  case json
  /// `text/plain`; `request.content`.
  case text
  /// Any type, and none; `request.content`.
  case any
  /// Any type, received piece by piece (`UploadApplication`).
  case upload
}

/// What a page is reached by, and who may enter.
///
///     case .items: .get("/items", for: .everyone)
///     case .item: .methods(.get.union(.put).union(.delete), "/items/<int:id>", for: .loggedIn).taking(.json)
///
/// A path is a pattern (`PathPattern`). A request's path is compared whole, decoded and not normalized, so
/// that no two spellings of a path differ in who may enter. Another spelling is redirected to the path.
public struct Route: Sendable {
  let path: StaticString
  let methods: Methods
  let access: Access
  private(set) var content = RequestContent.form
  /// Octets of content, at most.
  private(set) var contentSizeMax = Int32.max
  /// Whether programs read it rather than people.
  private(set) var isForPrograms = false
  /// Whether a part is mounted at the path.
  private(set) var isMount = false

  private init(_ path: StaticString, _ methods: Methods, _ access: Access) {
    self.path = path
    self.methods = methods
    self.access = access
  }

  /// A page that answers the methods of a set.
  public static func methods(_ methods: Methods, _ path: StaticString, for access: Access) -> Route {
    Route(path, methods, access)
  }

  /// A page that shows something. HEAD works wherever GET does.
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

  /// A page that receives content of any length piece by piece (POST). The page is asked when the head is
  /// there, and answers with `response.receive`.
  public static func upload(_ path: StaticString, for access: Access) -> Route {
    Route(path, .post, access).taking(.upload)
  }

  /// Says which content the page's requests may bring, and how much of it.
  ///
  /// - Parameters:
  ///   - content: The kind of content.
  ///   - sizeMax: Octets; a request with more is refused with 413. No page gets more than
  ///     `Limits.requestContentSizeMax`, but for an upload, whose bound is the page's own.
  public consuming func taking(_ content: RequestContent, atMost sizeMax: Int = .max) -> Route {
    self.content = content
    contentSizeMax = Int32(clamping: sizeMax)
    return self
  }

  /// The same page, for programs: for example figures that a monitoring system collects.
  ///
  ///     case .metrics: .get("/metrics", for: .loggedIn).forPrograms()
  ///
  /// A program that may not enter gets 401 and `WWW-Authenticate` instead of the login page, unless Accept
  /// names text/html, as that of a browser does. Any other page does so only where Accept excludes HTML:
  /// curl's `*/*` does not.
  public consuming func forPrograms() -> Route {
    isForPrograms = true
    return self
  }

  /// All pages of a part, below a path (`MountingApplication`).
  ///
  ///     case .shop: .mount("/shop", for: .loggedIn)
  ///
  /// The part's page `/` is at the path itself. A visitor must pass `access` and the access of the part's page:
  /// a part cannot loosen the rule of its mount. The application's page then hands the request to the part
  /// (`Part`).
  ///
  /// - Parameters:
  ///   - path: Without parameters, and without a slash at the end.
  ///   - access: What a visitor of each page of the part must pass.
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
/// The application's page calls `shop.respond(request, response)`. What the part does before and after its
/// own `switch` are its hooks; what it answers where there is no page of it is its error page. A part that
/// needs a capability of the application says so: `where Site: SessionApplication`.
public protocol Part: ~Copyable {
  /// The part's pages, with the raw values 0, 1, 2 …
  associatedtype Page: RawRepresentable where Page.RawValue == UInt8

  /// What a page is reached by, with a path below the mount.
  static func route(to page: Page) -> Route
}

extension Part where Self: ~Copyable {
  /// The route of the part's page with that number; `nil` after the last page.
  public static func route(number: UInt8) -> Route? { Page(rawValue: number).map { route(to: $0) } }
}
