// A name and a password → a login, and its end.

import Martlet

extension Panel {
  /// Shows the form. Whoever is logged in has come for a page that asks for the password anew.
  mutating func loginPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let name = request.user?.name ?? Text()
    return loginForm(request, response, name.span, nil)
  }

  /// Logs in. A wrong name takes as long, and is answered the same, as a wrong password. The form
  /// is sent to the page's own address, so `next` stays in its query.
  mutating func logIn(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let form = request.form
    let username = AccountRules.typedName(form["username"]) ?? Text()
    // The page and the log say what was typed, or its start.
    let typed = Field.start(of: form["username"])
    let account = accounts.account(named: username)
    var password = TypedPassword(form["password"])
    defer { password.wipe() }
    if let refusal = password.refusal {
      return loginForm(request, response, typed.span, Problem(refusal, at: .password))
    }
    // As many iterations as a real one: they are the time that it takes.
    let hash =
      account?.password
      ?? .decoy(iterations: accounts[0]?.password.iterations ?? Calibration.iterationCountMin)
    let client = request.client(for: account, trusting: proxies)
    var isRight = false
    switch password.check(
      of: username, against: hash, from: client, &throttle, &response)
    {
    case .later: return response.later()
    case .wait(let seconds):
      Log.refused("login_throttled", client, name: typed.span, wait: seconds)
      return loginForm(request, response, typed.span, Problem(.attemptsTooMany, wait: seconds))
    case .wrong: break
    case .right: isRight = true
    }
    guard isRight, var account else {
      Log.refused(
        "login_failed", client, name: typed.span,
        reason: account == nil ? "name" : "password")
      return loginForm(request, response, typed.span, Problem(.loginWrong))
    }
    // Hashed by a machine that was much faster or slower, it takes too long here or is too weak.
    if case .good = condition,
      let iterations = calibration.wanted(insteadOf: account.password.iterations)
    {
      guard let hash = password.hash(iterations: iterations, &response) else {
        return response.later()
      }
      account.password = hash
      // Where the disk does not take it, the old one goes on.
      do throws(SystemError) { try store(account) } catch {}
    }
    passwordHasVariants = false
    let isRemembered = form.has("remember_me")
    // Whoever enters the password again goes on with the same session.
    if let user = request.user, user.name == account.name {
      account.epoch = user.epoch
      if isRemembered { rememberSession(account, at: request.clock) }
    } else {
      beginSession(&account, isRemembered: isRemembered, at: request.clock)
    }
    return response.login(account, remember: Remember(isRemembered))
  }

  /// Ends the session, so that its cookie is worth nothing to whoever has a copy.
  mutating func logOut(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    if let account = request.user { endSession(account, at: request.clock) }
    return response.logout(to: "/login")
  }

  /// - Parameter name: What was typed for it, or the name of who is logged in.
  @inline(never)
  private mutating func loginForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ name: Span<UInt8>,
    _ problem: Problem?
  ) -> Answer {
    var form = Form(problem)
    var body = response.form(
      .login, request, problem, lead: request.user == nil ? nil : "Enter your password again to go on.")
    writeCondition(to: &body)
    body.begin(form)
    body.write(.username, "Name", typed: name, in: &form)
    body.write(.password, "Password", in: &form)
    body.writeCheck(.remember, "Stay logged in for 30 days", in: form)
    body.endForm("Log in")
    return body.finish()
  }
}
