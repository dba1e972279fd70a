// An application's responder whose work a test can hold. So the test decides what happens between two steps
// of a password's verification.

import Martlet
import MartletBytes
import MartletHTTP
import MartletServer

/// Forwards each call to the site's responder.
struct HeldResponder<A: Application & ~Copyable>: Responder, ~Copyable {
  private var site: SiteResponder<A>
  private let world: ClientWorld

  init(_ site: consuming SiteResponder<A>, _ world: ClientWorld) {
    self.site = site
    self.world = world
  }

  static var fields: StaticString { SiteResponder<A>.fields }
  static var uploadStateSize: Int { SiteResponder<A>.uploadStateSize }
  static var hasFiles: Bool { SiteResponder<A>.hasFiles }
  static var hasStreams: Bool { SiteResponder<A>.hasStreams }
  static var hasWatches: Bool { SiteResponder<A>.hasWatches }
  static var hasWork: Bool { SiteResponder<A>.hasWork }
  static var tickMilliseconds: Int { SiteResponder<A>.tickMilliseconds }

  mutating func respond(
    to request: borrowing IncomingRequest, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    site.simulateClock(boot: world.boot, isSynchronized: world.isSynchronized)
    return note(request, site.respond(to: request, content: content, fields: fields))
  }

  /// Notes whether the answer to a request comes in a later turn.
  private func note(_ request: borrowing IncomingRequest, _ reply: Reply) -> Reply {
    world.putOff = nil
    guard reply.isUnfinished else { return reply }
    world.putOff = request.connection
    if world.holdsNext { world.held.insert(request.connection) }
    return reply
  }

  mutating func isUpload(_ head: RequestHead, _ octets: Span<UInt8>) -> Bool { site.isUpload(head, octets) }

  mutating func beginUpload(_ state: inout MutableSpan<UInt8>) { site.beginUpload(&state) }

  mutating func receive(
    _ octets: Span<UInt8>, of request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>
  ) -> UploadStep {
    site.receive(octets, of: request, &state)
  }

  mutating func finish(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>,
    content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    note(request, site.finish(request, &state, content: content, fields: fields))
  }

  mutating func refuse(
    _ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>, _ status: Status,
    _ reason: Span<UInt8>, content: consuming Writer, fields: consuming Writer
  ) -> Reply {
    site.refuse(request, &state, status, reason, content: content, fields: fields)
  }

  mutating func abandon(_ request: borrowing IncomingRequest, _ state: inout MutableSpan<UInt8>) {
    site.abandon(request, &state)
  }

  mutating func nextPart(_ list: Int8, content: consuming Writer) -> FilePart {
    site.nextPart(list, content: content)
  }

  mutating func endParts(_ list: Int8) { site.endParts(list) }

  mutating func produce(_ state: inout StreamState, content: consuming Writer) -> Piece {
    site.produce(&state, content: content)
  }

  mutating func abandon(_ state: StreamState) { site.abandon(state) }

  mutating func removeWoken() -> StreamSet { site.removeWoken() }

  func watched(_ index: Int) -> Int32 { site.watched(index) }

  var nextWatchMoment: Int64 {
    let moment = site.nextWatchMoment
    if moment < .max { world.hasRunPrograms = true }
    return moment
  }

  mutating func lookAfterWatches(_ ready: UInt8, now: Int64) { site.lookAfterWatches(ready, now: now) }

  mutating func tick(at moment: Moment, content: consuming Writer) {
    site.tick(at: moment, content: content)
  }

  mutating func work(_ connection: UInt64) -> Bool {
    world.held.contains(connection) ? false : site.work(connection)
  }

  /// Does steps of the work of a connection that is held.
  mutating func workHeld(_ connection: UInt64, steps: Int) {
    for _ in 0..<steps { _ = site.work(connection) }
  }

  mutating func cancel(_ connection: UInt64) {
    world.held.remove(connection)
    site.cancel(connection)
  }

  mutating func serverStopped(at moment: Moment) { site.serverStopped(at: moment) }
}
