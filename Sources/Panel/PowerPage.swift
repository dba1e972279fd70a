// A confirmation → the system is switched off. Only where the panel is the first process: elsewhere
// the page does not exist.

import Martlet

extension Panel {
  /// Shows the button, or switches off.
  func power(_ request: borrowing Request<Account>, _ response: consuming Response) -> Answer {
    guard Boot.isFirstProcess else {
      return response.refuse(.notFound, "There is no such page here.")
    }
    guard request.method == .post else {
      return Self.powerForm(response, .ok, user: request.user, problem: nil)
    }
    guard request.form.has("confirm") else {
      return Self.powerForm(
        response, .unprocessableContent, user: request.user, problem: "Tick the box first.")
    }
    // The answer is still sent: a stop waits for what is under way.
    Boot.powerOff()
    return Self.poweringOff(response)
  }

  private static func powerForm(
    _ response: consuming Response, _ status: Status, user: Account?, problem: StaticString?
  ) -> Answer {
    var body = response.body(status)
    body.begin(title: "Power", .power, user: user)
    body.write(
      """
      <section class="card narrow">
      <h1>Power off</h1>
      <p class="lead">This device then answers nobody until somebody switches it on again. \
      Accounts are kept in memory: after that it is set up anew.</p>

      """)
    body.writeProblem(problem)
    body.write(
      """
      <form method="post" class="fields">
      <label class="check"><input name="confirm" type="checkbox" required> \
      Yes, power this device off</label>
      <button type="submit">Power off</button>
      </form>
      </section>

      """)
    return body.finish()
  }

  private static func poweringOff(_ response: consuming Response) -> Answer {
    var body = response.body()
    body.begin(title: "Power", .door)
    body.write(
      """
      <section class="card">
      <h1>Powering off</h1>
      <p class="lead" role="status">This device switches itself off now.</p>
      </section>

      """)
    return body.finish()
  }
}
