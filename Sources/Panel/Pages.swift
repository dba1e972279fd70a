// The panel on one screen: its state, its pages, where each is reached and by whom.

import Martlet

/// The device panel.
struct Panel: Application, ~Copyable {
  static var version: StaticString { "0.1.0" }

  var files: AccountFiles
  var accounts: Accounts
  /// What the files of accounts were like at the start; good once a change has been stored.
  private(set) var condition: DataFiles.Condition
  /// Iterations of new hashes.
  var calibration = Calibration()
  let setUpCode: SetUpCode
  var throttle = Throttle()
  /// The proxies whose X-Forwarded-For is believed.
  let proxies: TrustedProxies
  /// When the program started, on the monotonic clock, in milliseconds.
  let startedAt = System.milliseconds
  /// How full disks are, and what else the system may hold up.
  var measurements = Measurements()
  /// Whether the password that was set last has characters that some keyboards type in another way; until
  /// the next login.
  var passwordHasVariants = false
  /// What went wrong when the accounts were stored last.
  private(set) var storageTrouble: StorageTrouble?

  @inline(never)
  init(_ data: DataFiles, proxies: TrustedProxies) {
    self.proxies = proxies
    files = data.files
    accounts = data.accounts
    condition = data.condition
    // Where nobody can set it up, nothing needs to be measured.
    setUpCode = SetUpCode(
      iterations: data.canBeSetUp ? calibration.wanted() : Calibration.iterationCountMin)
  }

  enum Page: UInt8 { case overview, setUp, login, password, system, metrics, logout, style }

  static func route(to page: Page) -> Route {
    switch page {
    case .overview: .get("/", for: .loggedIn)
    case .setUp: .getAndPost("/setup", for: .everyone)
    case .login: .getAndPost("/login", for: .everyone)
    case .password: .getAndPost("/password", for: .freshLogin(within: .minutes(10)))
    case .system: .getAndPost("/system", for: .freshLogin(within: .minutes(10)))
    case .metrics: .get("/metrics", for: .loggedIn).forPrograms()
    case .logout: .post("/logout", for: .loggedIn)
    case .style: .get("/panel.css", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Account>, _ response: consuming Response
  ) -> Answer {
    let isPost = request.method == .post
    if case .damaged(let error) = condition, page != .style {
      return Self.damagedPage(response, error)
    }
    switch page {
    case .overview:
      return overviewPage(request, response)
    case .setUp where isSetUp:
      if isPost { return response.refuse(.forbidden, "This device has been set up already.") }
      return response.redirect("/login")
    case .setUp:
      return isPost ? setUp(request, response) : setUpPage(response)
    case .login where !isSetUp:
      return response.redirect("/setup")
    case .login:
      return isPost ? logIn(request, response) : loginPage(request, response)
    case .password:
      return isPost ? changePassword(request, response) : passwordPage(request, response)
    case .system:
      return systemPage(request, response)
    case .metrics:
      return metricsPage(request, response)
    case .logout:
      return logOut(request, response)
    case .style:
      response.cache(forSeconds: 86_400)
      return response.asset("text/css; charset=utf-8", Style.sheet)
    }
  }

  func user(_ id: UserID) -> Account? {
    guard case .text(let name) = id else { return nil }
    return Text<32>(name.span).flatMap { accounts.account(named: $0) }
  }

  /// The account, for a session of it that has not ended.
  func user(_ id: UserID, epoch: Int64) -> Account? {
    guard var account = user(id), account.sessions.contains(epoch) else { return nil }
    account.epoch = epoch
    return account
  }

  var loginPath: StaticString { canBeSetUp ? "/setup" : "/login" }

  /// Nothing is loaded from elsewhere, nothing runs in the browser, nobody frames the panel.
  static var fields: StaticString {
    """
    Content-Security-Policy: default-src 'none'; style-src 'self'; img-src data:; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r
    X-Content-Type-Options: nosniff\r
    X-Frame-Options: DENY\r
    Referrer-Policy: same-origin\r

    """
  }

  /// Whether there is an account.
  var isSetUp: Bool { accounts.count > 0 }

  /// Whether there is none, and none that is damaged.
  var canBeSetUp: Bool { !isSetUp && !condition.isDamaged }

  /// Stores an account on the disk and then in memory; neither when it fails.
  mutating func store(_ account: Account) throws(SystemError) {
    var changed = accounts
    invariant(changed.set(account), "there is room for the first account")
    let stored = try files.store(changed, after: accounts)
    accounts = changed
    condition = .good
    note(stored)
  }

  /// Takes over an account whose sessions have changed. They count even where the disk does not take
  /// them; they then last until the next start only.
  mutating func storeSessions(_ account: Account) {
    invariant(accounts.set(account), "the account is there")
    do throws(SystemError) {
      note(try files.store(accounts, after: nil))
    } catch {
      storageTrouble = .sessionsNotStored(error)
      storageTrouble?.log()
    }
  }

  private mutating func note(_ stored: Stored) {
    switch stored {
    case .onDisk: storageTrouble = nil
    case .unconfirmed(let error):
      storageTrouble = .unconfirmed(error)
      storageTrouble?.log()
    }
  }
}
