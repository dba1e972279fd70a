// A password is verified over many turns, and meanwhile other things happen: the hash changes, the
// account goes, others log in, the client goes away. What counts is the hash of the moment of the answer.

import MartletTesting
import TestSupport
import Testing

@testable import Martlet

/// An account that a test changes from outside, and a throttle that it may look into.
private final class PasswordDesk {
  var hash: PasswordHash?
  var throttle = Throttle()

  init(_ password: String) { hash = makeHash(password) }
}

private func makeHash(_ password: String, iterations: UInt32 = 100) -> PasswordHash? {
  try? PasswordHash.make(Array(password.utf8).span, iterations: iterations)
}

private struct CheckedSite: DeferringApplication {
  enum Page: UInt8 { case login, change, plain, two }

  let desk: PasswordDesk

  static func route(to page: Page) -> Route {
    switch page {
    case .login: .post("/login", for: .everyone)
    case .change: .post("/change", for: .everyone)
    case .plain: .post("/plain", for: .everyone)
    case .two: .post("/two", for: .everyone)
    }
  }

  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    let form = request.form
    let hash = desk.hash ?? .decoy(iterations: 100)
    switch page {
    case .plain:
      guard let isRight = response.verify(form["password"], against: hash) else {
        return response.later()
      }
      return response.html(isRight ? "right" : "wrong")
    case .two:
      // A bug: two hashes in turn. It comes to an end all the same.
      guard let first = response.verify(form["password"], against: hash),
        let second = response.verify(form["password"], against: .decoy(iterations: 50))
      else { return response.later() }
      return response.html(first && second ? "right" : "wrong")
    case .login, .change: break
    }
    switch response.checkPassword(
      form["password"], of: ("susan" as StaticString).octets, against: hash,
      from: request.client(), &desk.throttle)
    {
    case .later: return response.later()
    case .wait(let seconds):
      return response.refuse(.tooManyRequests, "Too many.", retryAfter: seconds)
    case .wrong: return response.html(.unprocessableContent, "wrong")
    case .right: break
    }
    guard page == .change else { return response.html("right") }
    guard let new: Text<64> = form["new"]?.text() else { return response.html("right, kept") }
    do throws(PasswordRefusal) {
      guard let hash = try response.hash(new.span, iterations: 100) else { return response.later() }
      desk.hash = hash
      return response.html("changed")
    } catch {
      return response.html(.badRequest, "refused")
    }
  }
}

private typealias CheckedClient = TestClient<CheckedSite>

/// How far a request has come when something else happens.
enum PasswordPoint: CaseIterable {
  case begun, halfway, verified
}

@Suite(.serialized) struct PasswordTests {
  private let desk = PasswordDesk("old password")
  private let client: CheckedClient

  init() { client = TestClient(CheckedSite(desk: desk), secret: "secret") }

  private func start(_ target: String, _ password: String, new: String? = nil) throws
    -> CheckedClient.PendingRequest
  {
    let start = client.startPost(
      target, form: [("password", password)] + (new.map { [("new", $0)] } ?? []))
    guard case .putOff(let pending) = start else { throw Unexpected() }
    return pending
  }

  private struct Unexpected: Error {}

  private func bring(_ pending: CheckedClient.PendingRequest, to point: PasswordPoint) {
    switch point {
    case .begun: break
    case .halfway: client.work(on: pending, steps: 3)
    case .verified: client.work(on: pending, steps: 20)
    }
  }

  private func log(in password: String) -> Int {
    Int(client.post("/login", form: [("password", password)]).status.code)
  }

  @Test(
    "A login under way when the password changes counts for the new one", arguments: PasswordPoint.allCases)
  func loginBeforeChange(_ point: PasswordPoint) throws {
    let old = try start("/login", "old password")
    let new = try start("/login", "new password")
    bring(old, to: point)
    bring(new, to: point)
    let change = client.post("/change", form: [("password", "old password"), ("new", "new password")])
    #expect(change.body == "changed")
    #expect(client.finish(old).status == .unprocessableContent)
    #expect(client.finish(new).status == .ok)
  }

  @Test(
    "A login that begins while a password changes counts for what the change comes to",
    arguments: PasswordPoint.allCases)
  func loginDuringChange(_ point: PasswordPoint) throws {
    let change = try start("/change", "old password", new: "new password")
    client.work(on: change, steps: 5)
    let old = try start("/login", "old password")
    bring(old, to: point)
    #expect(client.finish(change).body == "changed")
    #expect(client.finish(old).status == .unprocessableContent)
    #expect(log(in: "new password") == 200)
    #expect(log(in: "old password") == 422)
  }

  @Test("A login that is answered before the change counts, also while the change is under way")
  func loginBeforeAnswer() throws {
    let change = try start("/change", "old password", new: "new password")
    client.work(on: change, steps: 5)
    #expect(log(in: "old password") == 200)
    #expect(client.finish(change).body == "changed")
  }

  @Test(
    "Of two changes at once the second one needs the password of the first", arguments: PasswordPoint.allCases
  )
  func twoChanges(_ point: PasswordPoint) throws {
    let first = try start("/change", "old password", new: "first password")
    let second = try start("/change", "old password", new: "second password")
    bring(first, to: point)
    bring(second, to: point)
    #expect(client.finish(first).body == "changed")
    #expect(client.finish(second).status == .unprocessableContent)
    #expect(log(in: "first password") == 200)
  }

  @Test("A change that has verified, and is hashing the new password, is not above that")
  func changeWhileHashing() throws {
    let slow = try start("/change", "old password", new: "slow password")
    client.work(on: slow, steps: 20)
    // Asked again, it begins to hash.
    let resumed = client.resume(slow)
    guard case .putOff(let hashing) = resumed else { throw Unexpected() }
    client.work(on: hashing, steps: 3)
    let fast = client.post("/change", form: [("password", "old password"), ("new", "fast password")])
    #expect(fast.body == "changed")
    #expect(client.finish(hashing).status == .unprocessableContent)
    #expect(log(in: "fast password") == 200)
  }

  @Test("A login under way when the account goes is wrong", arguments: PasswordPoint.allCases)
  func accountGone(_ point: PasswordPoint) throws {
    let login = try start("/login", "old password")
    bring(login, to: point)
    desk.hash = nil
    #expect(client.finish(login).status == .unprocessableContent)
  }

  @Test("A login under a name that there is not yet, and then is", arguments: PasswordPoint.allCases)
  func accountComes(_ point: PasswordPoint) throws {
    let hash = desk.hash
    desk.hash = nil
    let login = try start("/login", "old password")
    bring(login, to: point)
    desk.hash = hash
    #expect(client.finish(login).status == .ok)
  }

  @Test("The same password hashed anew, with another salt and count, is right")
  func hashedAnew() throws {
    let login = try start("/login", "old password")
    bring(login, to: .verified)
    desk.hash = makeHash("old password", iterations: 300)
    #expect(client.finish(login).status == .ok)
  }

  @Test("Without counting the result is that of the hash too", arguments: PasswordPoint.allCases)
  func uncounted(_ point: PasswordPoint) throws {
    let login = try start("/plain", "old password")
    bring(login, to: point)
    desk.hash = makeHash("new password")
    #expect(client.finish(login).body == "wrong")
  }

  @Test("A page that asks about two hashes in turn comes to an end")
  func twoHashes() {
    #expect(client.post("/two", form: [("password", "old password")]).body == "wrong")
  }

  // MARK: Counting

  @Test("A right password is no failure, whatever the page then says, and however often it is asked")
  func rightIsCountedOnce() {
    for _ in 0..<9 { #expect(log(in: "wrong") == 422) }
    #expect(client.post("/change", form: [("password", "old password")]).body == "right, kept")
    for _ in 0..<9 { #expect(log(in: "wrong") == 422) }
    let change = client.post("/change", form: [("password", "old password"), ("new", "new password")])
    #expect(change.body == "changed")
    for _ in 0..<10 { #expect(log(in: "wrong") == 422) }
    #expect(log(in: "new password") == 429)
  }

  @Test("Failures between the verification and the end of a change are not forgotten with it")
  func failuresMeanwhile() throws {
    let change = try start("/change", "old password", new: "new password")
    client.work(on: change, steps: 20)
    guard case .putOff(let hashing) = client.resume(change) else { throw Unexpected() }
    for _ in 0..<10 { #expect(log(in: "wrong") == 422) }
    #expect(client.finish(hashing).body == "changed")
    #expect(log(in: "new password") == 429)
  }

  @Test("Attempts whose clients go away are failed ones")
  func abandoned() throws {
    for _ in 0..<10 {
      let login = try start("/login", "old password")
      client.work(on: login, steps: 20)
      client.abandon(login)
    }
    #expect(log(in: "old password") == 429)
  }

  @Test("A password that is too long, or absent, is counted and wrong")
  func tooLong() {
    for _ in 0..<5 {
      #expect(log(in: String(repeating: "x", count: 5_000)) == 422)
      #expect(client.post("/login", form: []).status == .unprocessableContent)
    }
    #expect(log(in: "old password") == 429)
  }

  @Test("An attempt that begins anew because of a change is counted once")
  func countedOnce() throws {
    for _ in 0..<8 { #expect(log(in: "wrong") == 422) }
    let login = try start("/login", "wrong")
    bring(login, to: .halfway)
    desk.hash = makeHash("new password")
    #expect(client.finish(login).status == .unprocessableContent)
    #expect(log(in: "wrong") == 422)
    #expect(log(in: "wrong") == 429)
  }
}
