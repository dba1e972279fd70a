// An application's responder, whose work a test can hold: what happens between two steps of a password's
// verification is then the test's to choose.

import Martlet
import MartletBytes
import MartletHTTP
import MartletServer

/// Hands each call on. Connections have numbers that no other client of the process has, because the table of
/// passwords is one for the process.
struct HeldResponder<A: Application & ~Copyable>: Responder, ~Copyable {
  private var site: SiteResponder<A>
  private let world: ClientWorld
  private let base: UInt64

  init(_ site: consuming SiteResponder<A>, _ world: ClientWorld, base: UInt64) {
    self.site = site
    self.world = world
    self.base = base
  }

  static var fields: StaticString { SiteResponder<A>.fields }
  static var uploadStateSize: Int { SiteResponder<A>.uploadStateSize }
  static var hasStreams: Bool { SiteResponder<A>.hasStreams }
  static var tickMilliseconds: Int { SiteResponder<A>.tickMilliseconds }

  @_lifetime(copy request)
  private func numbered(_ request: borrowing IncomingRequest) -> IncomingRequest {
    IncomingRequest(
      octets: request.octets, head: request.head, content: request.content, moment: request.moment,
      connection: base + request.connection, peer: request.peer)
  }

  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    site.simulateClock(boot: world.boot, isSynchronized: world.isSynchronized)
    let reply = site.respond(to: numbered(request), content: content, fields: fields)
    world.putOff = nil
    guard reply.isUnfinished else { return reply }
    world.putOff = request.connection
    if world.holdsNext { world.held.insert(request.connection) }
    return reply
  }

  func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool { site.isUpload(head, octets) }

  mutating func beginUpload(_ state: inout MutableSpan<UInt8>) { site.beginUpload(&state) }

  mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep {
    site.receive(octets, of: numbered(request), &state)
  }

  mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    site.finish(numbered(request), &state, content: content, fields: fields)
  }

  mutating func abandon(_ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>) {
    site.abandon(numbered(request), &state)
  }

  mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece {
    site.produce(&state, content: content)
  }

  mutating func abandon(_ state: StreamState) { site.abandon(state) }

  mutating func takeWoken() -> StreamSet { site.takeWoken() }

  mutating func tick(at moment: Moment) { site.tick(at: moment) }

  mutating func work(_ connection: UInt64) -> Bool {
    world.held.contains(connection) ? false : site.work(base + connection)
  }

  /// Does steps of the work of a connection that is held.
  mutating func workHeld(_ connection: UInt64, steps: Int) {
    for _ in 0..<steps { _ = site.work(base + connection) }
  }

  mutating func cancel(_ connection: UInt64) {
    world.held.remove(connection)
    site.cancel(base + connection)
  }

  mutating func serverStopped(at moment: Moment) { site.serverStopped(at: moment) }
}
