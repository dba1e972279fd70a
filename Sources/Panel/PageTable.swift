// The table of the panel's pages: where each is reached, by whom, what it is called, and where it stands.
// Routes, the menu, windows' titles and headings come from here and from nowhere else.

import Martlet

extension Panel {
  enum Page: UInt8 { case overview, setUp, login, password, system, metrics, logout, style }

  static func row(of page: Page) -> PageRow {
    let fresh = Access.freshLogin(within: .minutes(10))
    return switch page {
    case .overview: PageRow("/", .get, for: .loggedIn, "Overview", .menu("Overview"))
    case .setUp: PageRow("/setup", .getAndPost, for: .everyone, "Set up this device", .door)
    case .login: PageRow("/login", .getAndPost, for: .everyone, "Log in", .door)
    case .password: PageRow("/password", .getAndPost, for: fresh, "Change password", .menu("Password"))
    case .system: PageRow("/system", .getAndPost, for: fresh, "System", .menuOfFirstProcess("System"))
    case .metrics: PageRow("/metrics", .get, for: .loggedIn, "Metrics", .program)
    case .logout: PageRow("/logout", .post, for: .loggedIn, "Log out", .action)
    case .style: PageRow("/panel.css", .get, for: .everyone, "Style sheet", .action)
    }
  }

  static func route(to page: Page) -> Route {
    let row = row(of: page)
    let route = Route.methods(row.methods, row.path, for: row.access)
    if case .program = row.place { return route.forPrograms() }
    return route
  }
}

/// What the panel knows of a page beside its content.
struct PageRow {
  let path: StaticString
  let methods: Methods
  /// Who may enter.
  let access: Access
  /// For the window, and the heading where the page does not show something of its own.
  let title: StaticString
  let place: Place

  /// Where a page stands.
  enum Place {
    /// Below the header, whose menu has it under that name.
    case menu(StaticString)
    /// The same, where the panel is the first process; elsewhere the page does not exist.
    case menuOfFirstProcess(StaticString)
    /// Before the login, without a header.
    case door
    /// It is for programs.
    case program
    /// It is no page to look at.
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

  /// What the menu calls the page, if the menu has it.
  var menuName: StaticString? {
    switch place {
    case .menu(let name): name
    case .menuOfFirstProcess(let name): Boot.isFirstProcess ? name : nil
    case .door, .program, .action: nil
    }
  }
}
