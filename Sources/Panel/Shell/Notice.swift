// What a form has done → a sentence on the page that follows. The form's answer is a redirect, so that a reload
// sends nothing again. The sentence's number waits in the session, and the next page that is shown takes it out.

import Martlet

/// What a form has done.
enum Notice: Int64 {
  case accountCreated = 1
  case passwordChanged
  case alertsStored
  case passwordChangedTokensStay
  case tokenRevoked
  case tokenGone
  case webhookStored
  case webhookRemoved
  case testSent
  case certificateRenewed
  case certificateUploaded
  case authorityUsed
  case authorityRenewed

  var text: StaticString {
    switch self {
    case .accountCreated: "Account created; you are logged in."
    case .passwordChanged: "Password changed; all other sessions have ended."
    case .alertsStored: "Alerts stored."
    case .passwordChangedTokensStay:
      "Password changed; all other sessions have ended. Tokens of programs go on; see whether you know them all."
    case .tokenRevoked: "Token revoked; programs that send it are refused from now on."
    case .webhookStored: "Address stored. Send a test to see whether it answers."
    case .webhookRemoved: "Address removed; alerts are shown here only."
    case .testSent: "A test has been sent; below is what became of it."
    case .certificateRenewed: "Certificate renewed; new connections get it."
    case .certificateUploaded: "Certificate stored; new connections get it."
    case .authorityUsed: "New connections get a certificate of this device’s own authority."
    case .authorityRenewed: "There is a new authority; give its certificate to every browser."
    case .tokenGone: "There is no such token any more."
    }
  }
}

extension Response where Site == Panel {
  private static var member: StaticString { "notice" }

  /// Makes the page that follows say something.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func leave(_ notice: Notice) { session.set(Self.member, integer: notice.rawValue) }

  /// Sends the visitor to a page, which says something.
  consuming func redirect(to page: Panel.Page, saying notice: Notice) -> Answer {
    leave(notice)
    return redirect(Location(stringLiteral: Panel.row(of: page).path), .seeOther)
  }

  /// Removes the notice that is to be said, and returns it.
  @inline(never)
  @_lifetime(self: copy self)
  mutating func removeNotice() -> Notice? {
    guard let number = session.integer(of: Self.member) else { return nil }
    session.remove(Self.member)
    return Notice(rawValue: number)
  }
}
