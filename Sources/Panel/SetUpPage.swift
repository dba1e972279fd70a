// The code from the terminal, a name and a password → the first account.

import Martlet

extension Panel {
  /// Shows the form.
  func setUpPage(_ response: consuming Response<Panel>) -> Answer {
    Self.setUpForm(response, nil, nil, nil)
  }

  /// Makes the first account and logs its owner in.
  mutating func setUp(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let form = request.form
    let username = AccountRules.typedName(form["username"])
    guard let code = form["code"], !code.isEmpty else {
      return Self.setUpForm(
        response, form["code"], form["username"],
        Problem("Enter the set-up code that martlet-panel has printed on its terminal.", at: .code))
    }
    let client = request.client(trusting: proxies)
    let isRight = setUpCode.matches(code)
    switch response.countAttempt(
      of: ("set-up" as StaticString).octets, isRight: isRight, from: client, &throttle)
    {
    case .right: break
    case .wait(let seconds):
      Log.refusedSetUp(client, wait: seconds)
      return Self.setUpForm(
        response, form["code"], form["username"],
        Problem("Too many wrong codes.", at: .code, wait: seconds))
    case .wrong, .later:
      Log.refusedSetUp(client)
      return Self.setUpForm(
        response, form["code"], form["username"],
        Problem("That is not the set-up code. It is on the terminal where martlet-panel runs.", at: .code))
    }
    guard let username, AccountRules.isName(username.span) else {
      return Self.setUpForm(
        response, form["code"], form["username"],
        Problem(
          """
          The name needs 1 to 32 letters, digits, dots, underscores or hyphens, and begins with a \
          letter.
          """, at: .username))
    }
    var password = TypedPassword(form["password"])
    var repeated = TypedPassword(form["password_again"])
    defer {
      password.wipe()
      repeated.wipe()
    }
    if let problem = password.problem(repeated: repeated, of: username) {
      return Self.setUpForm(response, form["code"], form["username"], problem)
    }
    guard let hash = password.hash(iterations: calibration.wanted(), &response) else {
      return response.later()
    }
    var account = Account(name: username, password: hash)
    do throws(SystemError) {
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
    _ response: consuming Response<Panel>, _ code: borrowing FormValue?, _ username: borrowing FormValue?,
    _ problem: Problem?
  ) -> Answer {
    // Whatever was typed, the page has room for what is shown of it.
    let typedCode: Text<16> = Field.start(of: code)
    let typedName: Text<48> = Field.start(of: username)
    var form = Form(problem)
    var body = response.form(
      .setUp, problem, lead: "Choose the administrator’s name and password.")
    body.begin(form)
    body.write(.code, "Set-up code", typed: typedCode.span, in: &form)
    body.write(.username, "Name", typed: typedName.span, in: &form)
    body.write(.newPassword, "Password", in: &form)
    body.write(.passwordAgain, "Password again", in: &form)
    body.endForm("Create account")
    return body.finish()
  }
}
