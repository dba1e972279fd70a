// The code from the terminal, a name and a password → the first account.

import Martlet

extension Panel {
  /// Shows the form.
  func setUpPage(_ response: consuming Response<Panel>) -> Answer {
    Self.setUpForm(response, .ok, username: Text(), problem: nil)
  }

  /// Makes the first account and logs its owner in.
  mutating func setUp(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    let form = request.form
    let username = AccountRules.typedName(form["username"])
    guard let code = form["code"], !code.isEmpty else {
      return Self.setUpForm(
        response, .unprocessableContent, username: username ?? Text(),
        problem: "Enter the set-up code that martlet-panel has printed on its terminal.")
    }
    let client = request.client(trusting: proxies)
    let isRight = setUpCode.matches(code)
    switch response.countAttempt(
      of: ("set-up" as StaticString).octets, isRight: isRight, from: client, &throttle)
    {
    case .right: break
    case .wait(let seconds):
      response.setRetryAfter(seconds: seconds)
      Log.refusedSetUp(client, wait: seconds)
      return Self.setUpForm(
        response, .tooManyRequests, username: username ?? Text(),
        problem: "Too many wrong codes.", wait: seconds)
    case .wrong, .later:
      Log.refusedSetUp(client)
      return Self.setUpForm(
        response, .unprocessableContent, username: username ?? Text(),
        problem: "That is not the set-up code. It is on the terminal where martlet-panel runs.")
    }
    guard let username, AccountRules.isName(username.span) else {
      return Self.setUpForm(
        response, .unprocessableContent, username: username ?? Text(),
        problem: """
          The name needs 1 to 32 letters, digits, dots, underscores or hyphens, and begins with a \
          letter.
          """)
    }
    var password = TypedPassword(form["password"])
    var repeated = TypedPassword(form["password_again"])
    defer {
      password.wipe()
      repeated.wipe()
    }
    if let problem = password.problem(repeated: repeated) {
      return Self.setUpForm(
        response, .unprocessableContent, username: username, problem: problem)
    }
    if password.isCommon(name: username) {
      return Self.setUpForm(
        response, .unprocessableContent, username: username, problem: CommonPasswords.problem)
    }
    guard let hash = password.hash(iterations: calibration.wanted(), &response) else {
      return response.later()
    }
    var account = Account(name: username, password: hash)
    do throws(SystemError) {
      try store(account)
    } catch {
      return Self.notStored(response, error, user: nil)
    }
    Log.changed("account_created", username, client)
    passwordHasVariants = password.hasVariants
    beginSession(&account, at: request.clock)
    return response.login(account)
  }

  private static func setUpForm(
    _ response: consuming Response<Panel>, _ status: Status, username: Text<32>, problem: StaticString?,
    wait: Int? = nil
  ) -> Answer {
    var body = response.body(status)
    body.begin(title: "Set up", .door)
    body.write("<div class=\"brand large\">")
    body.writeMark()
    body.write(
      """
      Martlet</div>
      <section class="card">
      <h1>Set up this device</h1>
      <p class="lead">Choose the administrator’s name and password.</p>

      """)
    body.writeProblem(problem, wait: wait)
    body.write(
      """
      <form method="post" class="fields">
      <label for="code">Set-up code</label>
      <input id="code" name="code" class="code" autocomplete="one-time-code" \
      autocapitalize="characters" spellcheck="false" placeholder="XXXX-XXXX" \
      aria-describedby="code-hint" required autofocus>
      <p class="hint" id="code-hint">Printed on the terminal where martlet-panel was started.</p>
      <label for="username">Name</label>
      <input id="username" name="username" value="\(username)" autocomplete="username" \
      autocapitalize="none" spellcheck="false" required>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="new-password" \
      minlength="8" aria-describedby="password-hint" required>
      <p class="hint" id="password-hint">At least 8 characters.</p>
      <label for="password_again">Password again</label>
      <input id="password_again" name="password_again" type="password" autocomplete="new-password" \
      minlength="8" required>
      <button type="submit">Create account</button>
      </form>
      </section>

      """)
    return body.finish()
  }
}
