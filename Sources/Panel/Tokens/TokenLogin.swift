// The Authorization header of a request → the token's rights. `Bearer` alone counts, and only where a page is
// for programs. Elsewhere the header changes nothing. So a token opens no page for people, and a header that a
// proxy sends to all programs does no harm.
//
// Nothing here remembers a token: each request is checked, also on a connection that is kept.

import Martlet

extension Panel: CredentialsApplication {
  static var challenge: Challenge { .bearer(realm: "martlet-panel") }
  static var acceptsPasswords: Bool { false }

  mutating func user(
    for credentials: borrowing Credentials, _ request: borrowing Request<Panel>
  ) -> CredentialsCheck<Account> {
    // What is no token of ours is no attempt: a proxy may send its own to the programs behind it.
    guard request.isForPrograms, isSetUp, let text = credentials.token, TokenText.isOne(text) else {
      return .ignored
    }
    tokens.loadWhenMissed()
    let client = request.client(trusting: proxies)
    guard let index = tokens.tokens.index(of: text) else {
      return refuseToken(credentials, client, reason: tokens.damage == nil ? "unknown" : "damaged", nil)
    }
    let token = tokens.tokens[index]
    if let refusal = token.refusal(at: request.clock.timeOfDay) {
      return refuseToken(credentials, client, reason: refusal.word, token.name)
    }
    tokens.use(index, at: request.clock)
    var account = Account(name: token.name, password: .decoy(iterations: 1), generation: 0)
    account.token = token.rights
    return .user(account)
  }

  @inline(never)
  private mutating func refuseToken(
    _ credentials: borrowing Credentials, _ client: ClientAddress, reason: StaticString, _ name: Text<32>?
  ) -> CredentialsCheck<Account> {
    // No account has a name with a blank.
    let check: CredentialsCheck<Account> = credentials.countWrongToken(of: "a token", &throttle)
    if case .wait(let seconds) = check {
      Log.throttledToken(client, wait: seconds)
    } else {
      Log.refusedToken(client, reason: reason, name: name)
    }
    return check
  }
}
