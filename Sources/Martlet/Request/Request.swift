// A request as a page sees it: a view of the octets received, which the compiler keeps from outliving
// them.

import MartletBytes
public import MartletHTTP
import MartletServer

/// The request that a page answers.
public struct Request<User: SessionUser>: ~Escapable {
  private let incoming: IncomingRequest

  /// The user who is logged in. Always there on a page that is not for everyone.
  public let user: User?

  /// Whether the user has entered the password in this session.
  public let isFresh: Bool

  /// What the time is, and whether that is known. For an application with sessions.
  public let clock: SystemClock

  @_lifetime(copy incoming)
  init(_ incoming: consuming IncomingRequest, user: User?, isFresh: Bool, clock: SystemClock) {
    self.clock = clock
    self.incoming = incoming
    self.user = user
    self.isFresh = isFresh
  }

  /// The method; HEAD comes as GET does.
  public var method: Method { incoming.head.method == .head ? .get : incoming.head.method }

  /// Seconds since 1970 UTC, as the system believes.
  public var time: Int64 { incoming.moment.unixSeconds }

  /// Milliseconds of a clock that never goes back.
  public var monotonicMilliseconds: Int64 { incoming.moment.monotonicMilliseconds }

  /// Which connection the request came on: the same each time that a page answers `later`.
  public var connection: UInt64 { incoming.connection }

  /// Where the client is: the peer, or what a trusted proxy says of it in X-Forwarded-For.
  ///
  /// - Parameter proxies: The proxies that are believed; as a rule those on this machine.
  public func client(trusting proxies: borrowing TrustedProxies = .loopback) -> ClientAddress {
    fields.client(peer: incoming.peer, trusting: proxies)
  }

  /// The fields of the head.
  public var fields: FieldSection {
    @_lifetime(copy self) get { incoming.head.fields(in: incoming.octets) }
  }

  /// The form in the content (application/x-www-form-urlencoded).
  public var form: FormFields {
    @_lifetime(copy self) get { FormFields(incoming.content) }
  }

  /// The form in the target's query.
  public var query: FormFields {
    @_lifetime(copy self) get { incoming.query }
  }
}

extension IncomingRequest {
  /// The form in the target's query; empty without one.
  var query: FormFields {
    @_lifetime(copy self) get {
      guard let query = head.target.query else { return FormFields(octets.extracting(0..<0)) }
      return FormFields(octets[query])
    }
  }
}
