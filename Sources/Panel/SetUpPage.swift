// The code from the terminal, a name and a password → the first account.

import Martlet

extension Panel {
  /// Shows the form.
  mutating func setUpPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    Self.setUpForm(request, response, nil)
  }

  /// Makes the first account and logs its owner in.
  mutating func setUp(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let form = request.form
    let username = AccountRules.typedName(form["username"])
    guard let code = form["code"], !code.isEmpty else {
      return Self.setUpForm(request, response, Problem(.codeMissing, at: .code))
    }
    let client = request.client(trusting: proxies)
    let isRight = setUpCode.matches(code)
    switch response.countAttempt(
      of: ("set-up" as StaticString).octets, isRight: isRight, from: client, &throttle)
    {
    case .right: break
    case .wait(let seconds):
      Log.refusedSetUp(client, wait: seconds)
      return Self.setUpForm(request, response, Problem(.codesTooMany, at: .code, wait: seconds))
    case .wrong, .later:
      Log.refusedSetUp(client)
      return Self.setUpForm(request, response, Problem(.codeWrong, at: .code))
    }
    guard let username, AccountRules.isName(username.span) else {
      return Self.setUpForm(request, response, Problem(.nameRefused, at: .username))
    }
    var password = TypedPassword(form["password"])
    var repeated = TypedPassword(form["password_again"])
    defer {
      password.wipe()
      repeated.wipe()
    }
    if let problem = password.problem(repeated: repeated, of: username) {
      return Self.setUpForm(request, response, problem)
    }
    guard let hash = password.hash(iterations: calibration.wanted(), &response) else {
      return response.later()
    }
    var account = Account(name: username, password: hash)
    do throws(SystemError) {
      // Whoever had the device before reads nothing of it from now on.
      try tokens.removeAll()
      try store(account)
    } catch {
      return Self.refuseUnstored(response, error)
    }
    Log.changed("account_created", username, client)
    passwordHasVariants = password.hasVariants
    beginSession(&account, at: request.clock)
    response.leave(.accountCreated)
    return response.login(account)
  }

  @inline(never)
  private static func setUpForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    let code = Field.start(of: request.form["code"])
    let username = Field.start(of: request.form["username"])
    var form = Form(problem)
    var body = response.form(
      .setUp, request, problem, lead: "Choose the administrator’s name and password.")
    body.begin(form)
    body.write(.code, "Set-up code", typed: code.span, in: &form)
    body.write(.username, "Name", typed: username.span, in: &form)
    body.write(.newPassword, "Password", in: &form)
    body.write(.passwordAgain, "Password again", in: &form)
    body.endForm("Create account")
    // What a page says can come from whoever stands between. Only the browser itself knows the certificate.
    if request.isHTTPS, let summary = CertificateStore.summary {
      body.write(
        """
        \(begin: .note)What the terminal prints, and what the browser shows at its address bar, must be one SHA-256 of \
        the certificate: \
        \(fingerprint: summary.fingerprint)\(end: .note)
        """)
    }
    return body.finish()
  }
}
