// The current password and a new one → a changed account, whose other sessions are over.

import Martlet

extension Panel {
  /// Shows the form.
  func passwordPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    Self.passwordForm(response, .ok, user: request.user, problem: nil)
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
    var client = request.client(trusting: proxies)
    client.isRecognized = true
    if let refusal = current.refusal {
      return Self.passwordForm(
        response, .unprocessableContent, user: request.user, problem: refusal)
    }
    var problem = password.problem(repeated: repeated)
    if problem == nil, password.isCommon(name: account.name) { problem = CommonPasswords.problem }
    switch current.check(
      of: account.name, against: account.password, from: client, &throttle, &response)
    {
    case .later: return response.later()
    case .wait(let seconds):
      response.setRetryAfter(seconds: seconds)
      Log.refused("password_throttled", client, name: account.name.span, wait: seconds)
      return Self.passwordForm(
        response, .tooManyRequests, user: request.user, problem: "Too many failed attempts.",
        wait: seconds)
    case .wrong:
      problem = "The current password is wrong."
      Log.refused("password_failed", client, name: account.name.span, reason: "password")
    case .right: break
    }
    if problem != nil {
      return Self.passwordForm(
        response, .unprocessableContent, user: request.user, problem: problem)
    }
    guard let hash = password.hash(iterations: calibration.wanted(), &response) else {
      return response.later()
    }
    account.password = hash
    account.renewGeneration()
    do throws(SystemError) {
      try store(account)
    } catch {
      return Self.notStored(response, error, user: request.user)
    }
    Log.changed("password_changed", account.name, client)
    passwordHasVariants = password.hasVariants
    beginSession(&account, at: request.clock)
    response.renewLogin(account)
    return passwordChanged(response, account)
  }

  @inline(never)
  private static func passwordForm(
    _ response: consuming Response<Panel>, _ status: Status, user: Account?, problem: StaticString?,
    wait: Int? = nil
  ) -> Answer {
    var body = response.body(status)
    body.begin(title: "Password", .password, user: user)
    body.write(
      """
      <section class="card narrow">
      <h1>Change password</h1>
      <p class="lead">All other sessions end when the password changes.</p>

      """)
    body.writeProblem(problem, wait: wait)
    body.write(
      """
      <form method="post" class="fields">
      <input name="username" type="text" value="\(user?.name)" autocomplete="username" hidden>
      <label for="current">Current password</label>
      <input id="current" name="current" type="password" autocomplete="current-password" \
      required autofocus>
      <label for="password">New password</label>
      <input id="password" name="password" type="password" autocomplete="new-password" \
      minlength="8" aria-describedby="password-hint" required>
      <p class="hint" id="password-hint">At least 8 characters.</p>
      <label for="password_again">New password again</label>
      <input id="password_again" name="password_again" type="password" autocomplete="new-password" \
      minlength="8" required>
      <button type="submit">Change password</button>
      </form>
      </section>

      """)
    return body.finish()
  }

  private func passwordChanged(_ response: consuming Response<Panel>, _ user: Account) -> Answer {
    var body = response.body()
    body.begin(title: "Password", .password, user: user)
    body.write(
      """
      <section class="card narrow">
      <h1>Change password</h1>
      <p class="done" role="status">Password changed; all other sessions have ended.</p>

      """)
    writePasswordHint(to: &body)
    storageTrouble?.write(to: &body)
    body.write(
      """
      <p><a class="button" href="\(path: "/")">Back to the overview</a></p>
      </section>

      """)
    return body.finish()
  }

  /// Says that the new password may not come out of every keyboard as it did, if so.
  @_lifetime(body: copy body)
  func writePasswordHint(to body: inout Body<Panel>) {
    guard passwordHasVariants else { return }
    body.write(
      """
      <p class="hint" id="variants">The new password has characters that some keyboards type in another \
      way. Try it on each device that you log in from.</p>

      """)
  }

  /// Says that a change could not be stored, and why.
  static func notStored(
    _ response: consuming Response<Panel>, _ error: SystemError, user: Account?
  ) -> Answer {
    Log.failed("account_not_stored", error)
    var body = response.body(.internalServerError)
    body.begin(title: "Not saved", user == nil ? .door : .password, user: user)
    body.write(
      """
      <section class="card narrow">
      <h1>Not saved</h1>
      <p class="problem" role="alert">The accounts could not be written: \(error.text). \
      Nothing has changed.</p>
      <p>Check the data directory's disk and permissions, then try again.</p>
      </section>

      """)
    return body.finish()
  }
}
