// The table of the panel's pages: where each is reached, by whom, what it is called, and where it stands.
// Routes, the menu, windows' titles and headings come from here and from nowhere else.

import Martlet

extension Panel {
  enum Page: UInt8 {
    case overview, history, alerts, webhook, setUp, login, password, tokens, https, system, logout
    case style, script, trust, authority, certificateRequest
    case health, metrics, live, apiSystem, apiMemory, apiDisks, apiInterfaces, apiTemperature, apiSamples,
      apiAccess
    case apiDescription, apiOther
  }

  static func row(of page: Page) -> PageRow {
    let people = Access.loggedIn(as: .people)
    let fresh = Access.freshLogin(within: .minutes(10), as: .people)
    let readers = Access.loggedIn(as: .people | .readers)
    let metricsReaders = Access.loggedIn(as: .people | .readers | .metricsReaders)
    return switch page {
    case .overview: PageRow("/", .get, for: people, "Overview", .menu)
    case .history: PageRow("/history", .get, for: people, "History", .menu)
    case .alerts: PageRow("/alerts", .getAndPost, for: people, "Alerts", .below)
    case .webhook: PageRow("/alerts/webhook", .getAndPost, for: fresh, "Webhook", .below)
    case .setUp: PageRow("/setup", .getAndPost, for: .everyone, "Set up this device", .door)
    case .login: PageRow("/login", .getAndPost, for: .everyone, "Log in", .door)
    case .password: PageRow("/password", .getAndPost, for: fresh, "Password", .menu)
    case .tokens: PageRow("/tokens", .getAndPost, for: fresh, "Tokens", .menu)
    case .https: PageRow("/https", .getAndPost, for: fresh, "HTTPS", .menu)
    case .trust: PageRow("/https/trust", .get, for: .everyone, "Trust this device", .door)
    case .authority: PageRow("/https/authority.crt", .get, for: .everyone, "Authority", .action)
    case .certificateRequest: PageRow("/https/request.pem", .get, for: fresh, "Request", .action)
    case .system: PageRow("/system", .getAndPost, for: fresh, "System", .menuOfFirstProcess)
    case .logout: PageRow("/logout", .post, for: people, "Log out", .action)
    case .style: PageRow(PackedAssets.panelCss.path, .get, for: .everyone, "Style sheet", .action)
    case .script: PageRow(PackedAssets.panelJs.path, .get, for: .everyone, "Script", .action)
    case .live: PageRow("/live", .get, for: people, "Live values", .program)
    case .health: PageRow("/healthz", .get, for: .everyone, "Health", .action)
    case .metrics: PageRow("/metrics", .get, for: metricsReaders, "Metrics", .program)
    case .apiSystem: PageRow("/api/v1/system", .get, for: readers, "System", .program)
    case .apiMemory: PageRow("/api/v1/memory", .get, for: readers, "Memory", .program)
    case .apiDisks: PageRow("/api/v1/disks", .get, for: readers, "Disks", .program)
    case .apiInterfaces: PageRow("/api/v1/interfaces", .get, for: readers, "Interfaces", .program)
    case .apiTemperature: PageRow("/api/v1/temperature", .get, for: readers, "Temperature", .program)
    case .apiSamples: PageRow("/api/v1/samples", .get, for: readers, "Samples", .program)
    case .apiAccess: PageRow("/api/v1/access", .get, for: readers, "Access", .program)
    case .apiDescription: PageRow("/api/v1/openapi.json", .get, for: readers, "Description", .program)
    // What is no page of the API says so to programs. It stands behind all others.
    case .apiOther: PageRow("/api/<path:rest>", .get, for: readers, "No page", .program)
    }
  }

  static func route(to page: Page) -> Route {
    let row = row(of: page)
    let route = Route.methods(row.methods, row.path, for: row.access)
    return row.place == .program ? route.forPrograms() : route
  }
}

/// What the panel knows of a page beside its content.
struct PageRow {
  let path: StaticString
  let methods: Methods
  /// Who may enter.
  let access: Access
  /// For the menu, the window, and the heading where the page has no other.
  let title: StaticString
  let place: Place

  /// Where a page stands.
  enum Place: UInt8 {
    /// Below the header, whose menu has it.
    case menu
    /// The same, where the panel is the first process; elsewhere the page does not exist.
    case menuOfFirstProcess
    /// Below the header as well; a page of the menu leads there.
    case below
    /// Before the login, without a header.
    case door
    /// Nowhere: the page is for programs.
    case program
    /// Nowhere: what answers is no page to look at.
    case action
  }

  init(
    _ path: StaticString, _ methods: Methods, for access: Access, _ title: StaticString, _ place: Place
  ) {
    self.path = path
    self.methods = methods
    self.access = access
    self.title = title
    self.place = place
  }

  /// Whether the menu has it.
  var isInMenu: Bool {
    switch place {
    case .menu: true
    case .menuOfFirstProcess: Boot.isFirstProcess
    case .below, .door, .program, .action: false
    }
  }
}
