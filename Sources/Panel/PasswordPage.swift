// The current password and a new one → a changed account, whose other sessions are over. The overview
// follows and says so.

import Martlet

extension Panel {
  /// Shows the form.
  mutating func passwordPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    Self.passwordForm(request, response, nil)
  }

  /// Changes the password. What is in memory changes only when the new one is on the disk.
  mutating func changePassword(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard var account = request.user else { return response.redirectToLogin() }
    let form = request.form
    var password = TypedPassword(form["password"])
    var repeated = TypedPassword(form["password_again"])
    var current = TypedPassword(form["current"])
    defer {
      current.wipe()
      password.wipe()
      repeated.wipe()
    }
    let client = request.client(for: request.user, trusting: proxies)
    if let refusal = current.refusal {
      return Self.passwordForm(request, response, Problem(refusal, at: .current))
    }
    var problem = password.problem(repeated: repeated, of: account.name)
    switch current.check(
      of: account.name, against: account.password, from: client, &throttle, &response)
    {
    case .later: return response.later()
    case .wait(let seconds):
      Log.refused("password_throttled", client, name: account.name.span, wait: seconds)
      return Self.passwordForm(request, response, Problem(.attemptsTooMany, at: .current, wait: seconds))
    case .wrong:
      problem = Problem(.currentWrong, at: .current)
      Log.refused("password_failed", client, name: account.name.span, reason: "password")
    case .right: break
    }
    if problem != nil { return Self.passwordForm(request, response, problem) }
    guard let hash = password.hash(iterations: calibration.wanted(), &response) else {
      return response.later()
    }
    account.password = hash
    account.renewGeneration()
    do throws(SystemError) {
      try store(account)
    } catch {
      return Self.refuseUnstored(response, error)
    }
    Log.changed("password_changed", account.name, client)
    passwordHasVariants = password.hasVariants
    beginSession(&account, at: request.clock)
    response.renewLogin(account)
    return response.redirect(
      to: .overview, saying: tokens.tokens.count > 0 ? .passwordChangedTokensStay : .passwordChanged)
  }

  @inline(never)
  private static func passwordForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    var form = Form(problem)
    var body = response.form(
      .password, request, problem, lead: "All other sessions end when the password changes.")
    body.begin(form)
    // So that password managers know whose password changes.
    body.write(
      """
      <input name="username" type="text" value="\(request.user?.name)" autocomplete="username" hidden>

      """)
    body.write(.current, "Current password", in: &form)
    body.write(.newPassword, "New password", in: &form)
    body.write(.passwordAgain, "New password again", in: &form)
    body.endForm("Change password")
    return body.finish()
  }

  /// Says that the new password may not come out of every keyboard as it did, if so.
  @_lifetime(body: copy body)
  func writePasswordHint(to body: inout Body<Panel>) {
    guard passwordHasVariants else { return }
    body.write(
      """
      <p class="caution" id="variants">The new password has characters that some keyboards type in another \
      way. Try it on each device that you log in from.</p>

      """)
  }
}
