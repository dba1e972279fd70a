// The panel on one screen: its state, and what answers each page. Where pages are reached and by whom is in
// PageTable.swift.

import CMartletPlatform
import Martlet

/// The device panel.
struct Panel: SessionApplication, StreamingApplication, TimedApplication, TLSApplication, ~Copyable {
  static var version: StaticString { "0.1.0" }

  var files: AccountFiles
  var accounts: Accounts
  /// What the files of accounts were like at the start; good once a change has been stored.
  private(set) var condition: DataFiles.Condition
  /// Iterations of new hashes.
  var calibration: Calibration
  private(set) var sessions: Sessions
  let setUpCode: SetUpCode
  var throttle = Throttle()
  var tokens: TokenFiles
  /// The proxies whose X-Forwarded-For is believed.
  let proxies: TrustedProxies
  /// When the program started, on the monotonic clock, in milliseconds.
  let startedAt = System.milliseconds
  /// How full disks are, and what else the system may hold up.
  var measurements = Measurements()
  /// What the machine does, now and in the last day.
  var sampler: Sampler
  /// What the administrator wants to be told.
  var alerts: Alerts
  /// The alerts that are to be sent.
  var webhook = Webhook()
  /// The newest values, for all browsers that watch.
  var events = EventRing<1_024>()
  /// Browsers that watch.
  var watcherCount = 0
  /// Whether the password that was set last has characters that some keyboards type in another way; until
  /// the next login.
  var passwordHasVariants = false
  /// What went wrong when the accounts were stored last.
  private(set) var storageTrouble: StorageTrouble?

  @inline(never)
  init(
    _ data: consuming DataFiles, proxies: TrustedProxies, calibration: Calibration,
    recordsHistory: Bool = true
  ) {
    sampler = Sampler(isOn: recordsHistory)
    alerts = Alerts.load(from: data.directory)
    self.calibration = calibration
    self.proxies = proxies
    condition = data.condition
    tokens = TokenFiles(in: data.directory)
    if let error = tokens.damage {
      DataFiles.say(data.path, "/tokens", error, "; no token works until that is mended.")
    }
    // Where nobody can set it up, nothing needs to be measured.
    setUpCode = SetUpCode(
      iterations: data.canBeSetUp ? self.calibration.wanted() : Calibration.iterationCountMin)
    files = data.files
    accounts = data.accounts
    sessions = data.sessions
    // So that the first tick has rates.
    sampler.sample(&measurements)
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let answer = answer(page, request, response)
    // Passwords have been moved about on the stack, and each place keeps its octets.
    if request.method == .post { martlet_wipe_deep_stack() }
    return answer
  }

  @inline(never)
  private mutating func answer(
    _ page: Page, _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let isPost = request.method == .post
    if page == .health { return healthPage(response) }
    if page == .live {
      // A browser asks by itself, for as long as its window is open.
      sessions.undoUse()
    } else if sessions.isDue(at: request.clock.bootSeconds) {
      storeSessions(request.clock, waits: false)
    }
    if case .damaged(let error) = condition, page != .style {
      return Self.refuseDamaged(response, error)
    }
    switch page {
    case .overview:
      return overviewPage(request, response)
    case .history:
      return historyPage(request, response)
    case .alerts:
      return alertsPage(request, response)
    case .webhook:
      return webhookPage(request, response)
    case .live:
      return liveEvents(request, response)
    case .script:
      return response.asset(PackedAssets.panelJs, request)
    case .setUp where isSetUp:
      if isPost { return response.refuse(.forbidden, "This device has been set up already.") }
      return response.redirect("/login")
    case .setUp where request.isExposed(trusting: proxies):
      return response.refuse(
        .forbidden,
        "The set-up code is taken over https only. Open this page with https:// in front of its address.")
    case .setUp:
      return isPost ? setUp(request, response) : setUpPage(request, response)
    case .login where !isSetUp:
      return response.redirect("/setup")
    case .login:
      return isPost ? logIn(request, response) : loginPage(request, response)
    case .tokens:
      return tokensPage(request, response)
    case .password:
      return isPost ? changePassword(request, response) : passwordPage(request, response)
    case .https:
      return httpsPage(request, response)
    case .trust:
      return Self.trustPage(request, response)
    case .authority:
      return Self.authorityFile(response)
    case .certificateRequest:
      return Self.certificateRequest(response)
    case .system:
      return systemPage(request, response)
    case .metrics:
      return metricsPage(request, response)
    case .logout:
      return logOut(request, response)
    case .style:
      return response.asset(PackedAssets.panelCss, request)
    case .health, .apiSystem, .apiMemory, .apiDisks, .apiInterfaces, .apiTemperature, .apiSamples,
      .apiAccess, .apiDescription, .apiOther:
      return answerProgram(page, request, response)
    }
  }

  func user(_ id: UserID) -> Account? {
    guard case .text(let name) = id else { return nil }
    return Text<32>(name.span).flatMap { accounts.account(named: $0) }
  }

  /// The account, for a session of it that has not ended; it is used from now on.
  mutating func user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> Account? {
    sessions.update(clock)
    guard var account = user(id),
      sessions.use(epoch, of: account.generation, at: clock.bootSeconds)
    else { return nil }
    account.epoch = epoch
    return account
  }

  static var listsSessions: Bool { true }
  var newestMoment: Int64 { sessions.stamp.newest }

  mutating func serverStopped(at clock: SystemClock) {
    if sessions.isUsed { storeSessions(clock, waits: false) }
    tokens.storeAtEnd(clock)
  }

  var loginPath: StaticString { canBeSetUp ? "/setup" : "/login" }

  /// Nothing is loaded from elsewhere, nothing runs in the browser but the panel's own script, nobody frames the
  /// panel.
  static var headers: StaticString {
    """
    Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src data:; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r
    X-Content-Type-Options: nosniff\r
    X-Frame-Options: DENY\r
    Referrer-Policy: same-origin\r

    """
  }

  func refused(host: Span<UInt8>, _ fields: FieldSection, from peer: IPAddress) {
    Log.refusedHost(host, fields.client(peer: peer, trusting: proxies))
  }

  /// Whether there is an account.
  var isSetUp: Bool { accounts.count > 0 }

  /// Whether there is none, and none that is damaged.
  var canBeSetUp: Bool { !isSetUp && !condition.isDamaged }

  /// Stores an account on the disk and then in memory; neither when it fails. Sessions of a generation
  /// that is no longer the account's have then ended.
  mutating func store(_ account: Account) throws(SystemError) {
    let former = accounts.account(named: account.name)?.generation
    var changed = Accounts(copyOf: accounts)
    invariant(changed.set(account), "there is room for the first account")
    let stored = try files.store(changed, after: accounts)
    accounts = changed
    condition = .good
    note(stored)
    if let former, former != account.generation { sessions.endAll(of: former) }
  }

  /// Begins a session of an account, whose value then carries its number.
  @inline(never)
  mutating func beginSession(_ account: inout Account, isRemembered: Bool = false, at clock: SystemClock) {
    sessions.update(clock)
    account.epoch = sessions.begin(
      of: account.generation, isRemembered: isRemembered, at: clock.bootSeconds)
    storeSessions(clock, waits: false)
  }

  /// Makes a session of an account one that is remembered.
  mutating func rememberSession(_ account: Account, at clock: SystemClock) {
    sessions.remember(account.epoch)
    storeSessions(clock, waits: false)
  }

  /// Ends a session of an account.
  mutating func endSession(_ account: Account, at clock: SystemClock) {
    sessions.end(account.epoch)
    storeSessions(clock, waits: true)
  }

  /// Stores the sessions. They count even where the disk does not take them; they then last until the
  /// next start only.
  @inline(never)
  private mutating func storeSessions(_ clock: SystemClock, waits: Bool) {
    do throws(SystemError) {
      let stored = try sessions.store(in: files.directory, clock, waits: waits)
      // What nobody has waited for says nothing about what was stored before.
      if waits {
        note(stored)
      } else if case .sessionsNotStored = storageTrouble {
        storageTrouble = nil
      }
    } catch {
      storageTrouble = .sessionsNotStored(error)
      storageTrouble?.log()
    }
  }

  @inline(never)
  private mutating func note(_ stored: Stored) {
    switch stored {
    case .onDisk: storageTrouble = nil
    case .unconfirmed(let error):
      storageTrouble = .unconfirmed(error)
      storageTrouble?.log()
    }
  }
}
