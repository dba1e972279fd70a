// Capabilities of which one half is missing.

import Martlet

struct Person: SessionUser {
  let id: UserID
}

protocol Simple: Application where Page == OnePage {}
enum OnePage: UInt8 { case index }
extension Simple {
  static func route(to page: OnePage) -> Route { .get("/", for: .everyone) }
  func respond(
    to page: OnePage, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}

// error: does not conform to protocol 'SessionApplication'
struct WithoutUser: Simple, SessionApplication {
  typealias User = Person
}

// error: does not conform to protocol 'CredentialsApplication'
struct WithoutCredentials: Simple, CredentialsApplication {
  static var challenge: Challenge { .basic(realm: "here") }
}

// error: does not conform to protocol 'UploadApplication'
struct WithoutAbandon: Simple, UploadApplication {
  func receive(
    _ octets: Span<UInt8>, for page: OnePage, _ request: borrowing Request<Self>, _ state: inout Int
  ) -> UploadStep { .more }
  func finish(
    _ page: OnePage, _ request: borrowing Request<Self>, _ state: Int, _ response: consuming Response<Self>
  ) -> Answer { response.html("") }
}

// error: does not conform to protocol 'StreamingApplication'
struct WithoutWrite: Simple, StreamingApplication {}

// error: does not conform to protocol 'TimedApplication'
struct WithoutTick: Simple, TimedApplication {
  static var period: Duration { .seconds(1) }
}

// error: does not conform to protocol 'TimedApplication'
struct WithoutPeriod: Simple, TimedApplication {
  func tick(_ tick: inout Tick) {}
}

// error: does not conform to protocol 'ErrorPageApplication'
struct WithoutErrorPage: Simple, ErrorPageApplication {}
