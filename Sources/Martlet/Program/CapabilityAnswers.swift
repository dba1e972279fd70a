// The default answers to the underscored requirements of `Application` (Capabilities.swift). First come the
// answers of an application without a capability, then those of an application with it.

import MartletBytes
public import MartletHTTP
public import MartletServer

extension Application where Self: ~Copyable {
  public static var _hasMounts: Bool { false }
  public static func _route(number: UInt8, of mount: Page) -> Route? { nil }

  public static var _hasTLS: Bool { false }
  public static var _hasWork: Bool { false }
  public static var _hasSessions: Bool { false }
  public static var _acceptsMicrodotTokens: Bool { false }
  public static var _cookieNames: CookieNames { .perPort(CookieName(unchecked: "martlet")) }
  public static var _skipsLogin: Bool { false }
  public static var _sessionLimits: SessionLimits? { nil }
  public static var _listsSessions: Bool { false }
  public var _loginPath: StaticString { "/login" }
  public var _newestMoment: Int64 { 0 }
  public func _user(_ id: UserID) -> User? { nil }
  public mutating func _user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User? { nil }
  public mutating func _serverStopped(at clock: SystemClock) {}

  public static var _hasCredentials: Bool { false }
  public static var _challenge: Challenge { .basic(realm: "") }
  public static var _acceptsPasswords: Bool { false }
  public mutating func _user(
    _ credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User> { .wrong }

  public static var _takesFormData: Bool { false }

  public static var _hasSharing: Bool { false }
  public static func _sharing(of page: Page) -> Sharing { .none }
  public static var _hasFormTokens: Bool { false }
  public static func _needsFormToken(_ page: Page) -> Bool { false }
  public static var _hasPolicies: Bool { false }
  public static func _policy(of page: Page) -> PagePolicy { .standard }

  public static var _hasUploads: Bool { false }
  public mutating func _receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep { .more }
  public mutating func _finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer { response.noContent() }
  public mutating func _abandon(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState
  ) {}

  public static var _hasFiles: Bool { false }

  public static var _hasStreams: Bool { false }
  public mutating func _write(
    _ page: Page, _ state: inout StreamState, to body: inout StreamBody
  ) -> StreamStep { .failed }
  public mutating func _streamEnded(_ page: Page, _ state: StreamState) {}

  public static var _hasCommands: Bool { false }

  public static var _tickMilliseconds: Int { 0 }
  public mutating func _tick(_ tick: inout Tick) {}

  public static var _hasHooks: Bool { false }
  public mutating func _before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict { .proceed }
  public mutating func _after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status) {}

  public static var _hasErrorPages: Bool { false }
  public mutating func _errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.noContent() }

  public static var _logsErrors: Bool { false }
  public static var _logsRequests: Bool { false }
}

extension MountingApplication where Self: ~Copyable {
  public static var _hasMounts: Bool { true }
  public static func _route(number: UInt8, of mount: Page) -> Route? { route(number: number, of: mount) }
}

extension TLSApplication where Self: ~Copyable {
  public static var _hasTLS: Bool { true }
}

extension DeferringApplication where Self: ~Copyable {
  public static var _hasWork: Bool { true }
}

extension SessionApplication where Self: ~Copyable {
  public static var _hasSessions: Bool { true }
  public static var _acceptsMicrodotTokens: Bool { acceptsMicrodotTokens }
  public static var _cookieNames: CookieNames { cookieNames }
  public static var _skipsLogin: Bool { skipsLogin }
  public static var _sessionLimits: SessionLimits? { sessionLimits }
  public static var _listsSessions: Bool { listsSessions }
  public var _loginPath: StaticString { loginPath }
  public var _newestMoment: Int64 { newestMoment }
  public func _user(_ id: UserID) -> User? { user(id) }
  public mutating func _user(_ id: UserID, epoch: Int64, at clock: SystemClock) -> User? {
    user(id, epoch: epoch, at: clock)
  }
  public mutating func _serverStopped(at clock: SystemClock) { serverStopped(at: clock) }
}

extension CredentialsApplication where Self: ~Copyable {
  public static var _hasCredentials: Bool { true }
  public static var _challenge: Challenge { challenge }
  public static var _acceptsPasswords: Bool { acceptsPasswords }
  public mutating func _user(
    _ credentials: borrowing Credentials, _ request: borrowing Request<Self>
  ) -> CredentialsCheck<User> { user(for: credentials, request) }
}

extension FormDataApplication where Self: ~Copyable {
  public static var _takesFormData: Bool { true }
}

extension CrossOriginApplication where Self: ~Copyable {
  public static var _hasSharing: Bool { true }
  public static func _sharing(of page: Page) -> Sharing { sharing(of: page) }
}

extension FormTokenApplication where Self: ~Copyable {
  public static var _hasFormTokens: Bool { true }
  public static func _needsFormToken(_ page: Page) -> Bool { needsFormToken(page) }
}

extension PagePolicyApplication where Self: ~Copyable {
  public static var _hasPolicies: Bool { true }
  public static func _policy(of page: Page) -> PagePolicy { policy(of: page) }
}

extension UploadApplication where Self: ~Copyable {
  public static var _hasUploads: Bool { true }
  public mutating func _receive(
    _ octets: Span<UInt8>, for page: Page, _ request: borrowing Request<Self>, _ state: inout UploadState
  ) -> UploadStep { receive(octets, for: page, request, &state) }
  public mutating func _finish(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState,
    _ response: consuming Response<Self>
  ) -> Answer { finish(page, request, state, response) }
  public mutating func _abandon(
    _ page: Page, _ request: borrowing Request<Self>, _ state: UploadState
  ) { abandon(page, request, state) }
}

extension FileApplication where Self: ~Copyable {
  public static var _hasFiles: Bool { true }
}

extension StreamingApplication where Self: ~Copyable {
  public static var _hasStreams: Bool { true }
  public mutating func _write(
    _ page: Page, _ state: inout StreamState, to body: inout StreamBody
  ) -> StreamStep { write(page, &state, to: &body) }
  public mutating func _streamEnded(_ page: Page, _ state: StreamState) { streamEnded(page, state) }
}

extension CommandApplication where Self: ~Copyable {
  public static var _hasCommands: Bool { true }
}

extension TimedApplication where Self: ~Copyable {
  public static var _tickMilliseconds: Int {
    let (seconds, attoseconds) = period.components
    let milliseconds = seconds &* 1_000 &+ attoseconds / 1_000_000_000_000_000
    return max(10, Int(clamping: min(milliseconds, 0x7FFF_FFFF)))
  }
  public mutating func _tick(_ tick: inout Tick) { self.tick(&tick) }
}

extension HookedApplication where Self: ~Copyable {
  public static var _hasHooks: Bool { true }
  public mutating func _before(
    _ page: Page, _ request: borrowing Request<Self>, _ response: inout Response<Self>
  ) -> Verdict { before(page, request, &response) }
  public mutating func _after(_ page: Page?, _ request: borrowing Request<Self>, _ status: Status) {
    after(page, request, status)
  }
}

extension ErrorPageApplication where Self: ~Copyable {
  public static var _hasErrorPages: Bool { true }
  public mutating func _errorPage(
    _ error: borrowing ErrorPage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { errorPage(error, request, response) }
}

extension LoggingApplication where Self: ~Copyable {
  public static var _logsErrors: Bool { true }
  public static var _logsRequests: Bool { logsRequests }
}
